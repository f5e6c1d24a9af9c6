/**
 * Makes queries to Prometheus and interprets the answers. Pure.
 *
 * https://prometheus.io/docs/prometheus/latest/querying/api/
 *
 * @module
 */
import { isObject } from "../base/json.ts";
import { oneLine } from "../base/text.ts";

/** A series: its samples, each with its time in seconds since 1970. */
export interface Series {
  values: readonly (readonly [at: number, value: number])[];
}

/** The result of a query, or why there is none. */
export type Found = { series: readonly Series[]; why?: never } | {
  why: string;
};

/** Replaces `{revision}` and `{host}` by their values. */
export function filledQuery(
  query: string,
  values: Readonly<Record<"revision" | "host", string>>,
): string {
  return query.replace(
    /\{(revision|host)\}/g,
    (_, name: "revision" | "host") => escaped(values[name]),
  );
}

/**
 * Escapes a text for a quoted string of PromQL, which has the escapes of Go. A
 * string in backquotes has no escapes, so a backquote is written in hex.
 */
function escaped(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex
    /[\\"'`\u0000-\u001f\u007f]/g,
    (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/**
 * Returns the samples of an answer. An answer without the documented format has
 * none.
 *
 * @param isRange Whether this was a range query. An instant query such as
 * `up[5m]` also returns many samples of one series, and says nothing about the
 * present.
 */
export function samplesIn(json: unknown, isRange = false): Found {
  const found = resultIn(json);
  if (found.why !== undefined) return found;
  const { type, result } = found;
  if ((type === "matrix") !== isRange) return { why: unknownForm };
  const series = seriesIn(type, result);
  return series ? { series } : { why: unknownForm };
}

/** Returns the result of a complete answer, or why it is incomplete. */
export function resultIn(
  json: unknown,
): { type: unknown; result: unknown; why?: never } | { why: string } {
  if (!isObject(json)) return { why: unknownForm };
  if (json["status"] !== "success") return { why: errorIn(json) };
  // Something is missing, e.g. a store did not answer.
  const { warnings } = json;
  if (Array.isArray(warnings) && warnings.length > 0) {
    const [first] = warnings as unknown[];
    const said = typeof first === "string" ? first : "something";
    return { why: `it returned a warning: ${oneLine(said, 200)}` };
  }
  const { data } = json;
  if (!isObject(data)) return { why: unknownForm };
  return { type: data["resultType"], result: data["result"] };
}

const unknownForm = "its answer does not have the documented format";

/** Returns the error message of an answer. */
export function errorIn(json: unknown): string {
  const said = isObject(json) ? json["error"] : undefined;
  return typeof said === "string"
    ? `it rejected the query: ${oneLine(said, 200)}`
    : unknownForm;
}

function seriesIn(type: unknown, result: unknown): Series[] | undefined {
  if (!Array.isArray(result)) return undefined;
  const lists = type === "scalar"
    ? [[result]]
    : type === "vector"
    ? result.map((one) => isObject(one) ? [one["value"]] : undefined)
    : type === "matrix"
    ? result.map((one) => isObject(one) ? one["values"] : undefined)
    : undefined;
  const series = lists?.map((list) => {
    const values = Array.isArray(list) ? list.map(sampleOf) : [undefined];
    return values.includes(undefined)
      ? undefined
      : { values: values as [number, number][] };
  });
  return series?.includes(undefined) ? undefined : series as Series[];
}

/** Reads a sample. Its value is a string, because JSON has no `NaN`. */
export function sampleOf(sample: unknown): [number, number] | undefined {
  if (!Array.isArray(sample)) return undefined;
  const [at, value] = sample;
  return typeof at === "number" && typeof value === "string"
    ? [at, value === "" ? NaN : Number(value)]
    : undefined;
}

const isTrue = (value: number) => Number.isFinite(value) && value !== 0;

/**
 * Reports whether the query is true now: there is a value, and no value is 0 or
 * not a number.
 *
 * @returns the time of the answer in seconds since 1970, or why it is not true.
 */
export function trueAt(
  series: readonly Series[],
): { at: number; why?: never } | { why: string } {
  const samples = series.flatMap(({ values }) => values);
  const [first] = samples;
  if (!first) return { why: "not true: the query returned no value" };
  const wrong = samples.find(([, value]) => !isTrue(value));
  return wrong
    ? { why: `not true: the query returned ${wrong[1]}` }
    : { at: first[0] };
}

/** The times of a range query, all in seconds. */
export interface Range {
  start: number;
  end: number;
  step: number;
}

/** The shortest step, in seconds. Few servers scrape more often. */
const shortestStep = 15;

/** The most steps; Prometheus takes 11,000. */
const mostSteps = 2000;

/**
 * Returns the times at which a query must have been true.
 *
 * @param end The time of the last one.
 * @param ms How long it must have been true.
 */
export function rangeOf(end: number, ms: number): Range {
  const span = ms / 1000;
  const steps = Math.max(1, Math.min(mostSteps, span / shortestStep));
  const step = span / Math.floor(steps);
  return { start: end - span, end, step };
}

/**
 * Returns for how long, up to the end of a range, the query was true at each
 * step: at least one series has a value there, and no value is 0 or not a
 * number.
 *
 * @returns the time in seconds, and whether that is the whole range.
 */
export function trueFor(
  series: readonly Series[],
  { start, end, step }: Range,
): { lasted: number; isAll: boolean } {
  const steps = Math.round((end - start) / step);
  const known = new Array<boolean | undefined>(steps + 1);
  for (const [at, value] of series.flatMap(({ values }) => values)) {
    const i = Math.round((at - start) / step);
    if (i < 0 || i > steps) continue;
    known[i] = (known[i] ?? true) && isTrue(value);
  }
  let i = steps;
  while (i >= 0 && known[i]) i--;
  const isAll = i < 0;
  return {
    lasted: isAll ? end - start : Math.max(0, steps - i - 1) * step,
    isAll,
  };
}
