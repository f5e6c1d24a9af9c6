/**
 * What Prometheus has of one metric of all hosts.
 *
 * @module
 */
import { askJson, fleetError, type Server } from "./ask.ts";

/** One series, at one point in time. */
export interface Series {
  labels: Readonly<Record<string, string>>;
  value: number;
}

/** More series of one metric are no fleet that this program can tell of. */
const mostSeries = 20_000;

/**
 * Asks for the value of an expression at a time.
 *
 * @param at Seconds since 1970.
 * @throws {SyncError} `fleet-unreachable` or `fleet-answer`, exit 3: an answer
 * that is not whole is none.
 */
export async function query(
  server: Server,
  expression: string,
  at: number,
): Promise<Series[]> {
  const form = new URLSearchParams({ query: expression, time: String(at) });
  const { json } = await askJson(server, "/api/v1/query", form);
  const result = resultOf(json);
  const series = result?.map(seriesOf);
  const isWhole = series?.every((one) => one !== undefined);
  if (!series || !isWhole) {
    throw fleetError(
      "fleet-answer",
      `Cannot use the answer of ${server.name}: it is not that of a Prometheus`,
      ["name the address of Prometheus itself, without /api/v1"],
    );
  }
  if (series.length > mostSeries) {
    throw fleetError(
      "fleet-answer",
      `Cannot use the answer of ${server.name}: more than ${mostSeries} hosts`,
      ["name fewer hosts with --hosts or --ring"],
    );
  }
  return series as Series[];
}

/** What is in the answer (Prometheus, HTTP API, "Instant queries"). */
function resultOf(json: unknown): unknown[] | undefined {
  const { status, data, warnings } = (json ?? {}) as {
    status?: unknown;
    warnings?: unknown;
    data?: { resultType?: unknown; result?: unknown };
  };
  // With warnings a part may be missing, as from a store that did not answer.
  const isWhole = status === "success" && data?.resultType === "vector" &&
    !(Array.isArray(warnings) && warnings.length > 0);
  return isWhole && Array.isArray(data?.result) ? data.result : undefined;
}

function seriesOf(one: unknown): Series | undefined {
  const { metric, value } = (one ?? {}) as {
    metric?: Record<string, unknown>;
    value?: unknown;
  };
  if (typeof metric !== "object" || metric === null) return undefined;
  if (!Array.isArray(value) || typeof value[1] !== "string") return undefined;
  const labels = Object.entries(metric);
  if (!labels.every(([, text]) => typeof text === "string")) return undefined;
  return {
    labels: metric as Record<string, string>,
    value: Number(value[1]),
  };
}
