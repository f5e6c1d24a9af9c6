/**
 * `gates.prometheus`: whether a query is true, and for how long it has been.
 *
 * Prometheus itself answers for how long: a host's own record of its queries
 * has gaps, and restarts with each revision.
 *
 * @module
 */
import { formatDuration } from "../base/duration.ts";
import { getJson } from "../base/get.ts";
import type { PrometheusGate } from "../config/gate_kinds.ts";
import type { Config } from "../config/schema.ts";
import { type Answer, closed } from "./answer.ts";
import { accessOf, orClosed } from "./files.ts";
import {
  errorIn,
  filledQuery,
  type Found,
  rangeOf,
  samplesIn,
  trueAt,
  trueFor,
} from "./promql.ts";

/** Returns the answer of one query. */
export async function askPrometheus(
  config: Config,
  gate: PrometheusGate,
  revision: string,
  now: Date,
): Promise<Answer> {
  const { query, for: span } = gate;
  const [answer] = await orClosed(async () => {
    const ask = await asking(config, gate, now);
    const filled = filledQuery(query, { revision, host: config.host });
    const found = await ask("query", { query: filled });
    if (found.why !== undefined) return [closed(found.why, found.after)];
    const is = trueAt(found.series);
    if (is.why !== undefined) return [closed(is.why)];
    if (span === undefined) return [{ isOpen: true, why: "true" }];
    // The clock of the server is used, not that of this host.
    const range = rangeOf(is.at, span);
    const texts = Object.entries(range).map(([name, n]) => [name, String(n)]);
    const lasting = await ask("query_range", {
      query: filled,
      ...Object.fromEntries(texts),
    });
    if (lasting.why !== undefined) return [closed(lasting.why, lasting.after)];
    const { lasted, isAll } = trueFor(lasting.series, range);
    const of = formatDuration(span);
    return [
      isAll
        ? { isOpen: true, why: `true for at least ${of}` }
        : closed(`true for ${formatDuration(lasted * 1000)} of ${of}`),
    ];
  }, 1);
  return answer!;
}

/** Returns why a server can't be queried, or `undefined` if it can. */
export async function canAskPrometheus(
  config: Config,
  gate: PrometheusGate,
  now: Date,
): Promise<string | undefined> {
  const [answer] = await orClosed(async () => {
    const ask = await asking(config, gate, now);
    const { why } = await ask("query", { query: "vector(1)" });
    return why === undefined ? [] : [closed(why)];
  }, 1);
  return answer && `${gate.url}: ${answer.why}`;
}

type Asked = Found & { after?: number };

/** Prepares queries to one server, with one deadline for all of them. */
async function asking(
  config: Config,
  { url, tokenFile }: PrometheusGate,
  now: Date,
) {
  const option = "gates.prometheus";
  const { token, ca } = await accessOf(config, tokenFile, option);
  const signal = AbortSignal.timeout(config["timeouts.gates"]);
  return async (
    what: "query" | "query_range",
    parameters: Readonly<Record<string, string>>,
  ): Promise<Asked> => {
    const got = await getJson({
      url: `${url.replace(/\/+$/, "")}/api/v1/${what}?${new URLSearchParams(
        parameters,
      )}`,
      headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
      ca,
      signal,
    }, now);
    if (got.why === undefined) {
      return prefixed(samplesIn(got.json, what === "query_range"));
    }
    const { why, said, after } = got;
    const more = said === undefined ? "" : `; ${errorIn(said)}`;
    return {
      ...prefixed({ why: `${why}${more}` }),
      ...after === undefined ? {} : { after },
    };
  };
}

function prefixed(found: Found): Found {
  return found.why === undefined ? found : { why: `Prometheus: ${found.why}` };
}
