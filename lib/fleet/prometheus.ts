/**
 * Queries one metric of all hosts.
 *
 * @module
 */
import { isObject } from "../base/json.ts";
import { resultIn, sampleOf } from "../gates/promql.ts";
import { askJson, fleetError, type Server } from "./ask.ts";

/** A series at one point in time. */
export interface Series {
  labels: Readonly<Record<string, string>>;
  value: number;
}

/** The limit of series of one metric. */
const mostSeries = 20_000;

/**
 * Queries the value of an expression at a time.
 *
 * @param at Seconds since 1970.
 * @throws {SyncError} `fleet-unreachable` or `fleet-answer`, exit 3: an
 * incomplete answer counts as none.
 */
export async function query(
  server: Server,
  expression: string,
  at: number,
): Promise<Series[]> {
  const form = new URLSearchParams({ query: expression, time: String(at) });
  const json = await askJson(server, "/api/v1/query", form);
  const found = resultIn(json);
  const list = found.why === undefined && found.type === "vector"
    ? found.result
    : undefined;
  const series = Array.isArray(list) ? list.map(seriesOf) : [undefined];
  if (series.includes(undefined)) {
    throw fleetError(
      "fleet-answer",
      `Cannot use the answer of ${server.name}: it is not an answer of Prometheus`,
      ["use the address of Prometheus itself, without /api/v1: gitops-sync fleet --fleet-prometheus URL"],
    );
  }
  if (series.length > mostSeries) {
    throw fleetError(
      "fleet-answer",
      `Cannot use the answer of ${server.name}: more than ${mostSeries} hosts`,
      ["use a Prometheus that scrapes fewer hosts: gitops-sync fleet --fleet-prometheus URL"],
    );
  }
  return series as Series[];
}

function seriesOf(one: unknown): Series | undefined {
  if (!isObject(one) || !isObject(one["metric"])) return undefined;
  const sample = sampleOf(one["value"]);
  const labels = one["metric"];
  const isWhole = Object.values(labels).every((text) =>
    typeof text === "string"
  );
  return sample && isWhole
    ? { labels: labels as Record<string, string>, value: sample[1] }
    : undefined;
}
