/**
 * The headers of HTTP servers. Git only shows them in its trace of curl
 * (git(1), `GIT_TRACE_CURL`), which omits credentials.
 *
 * @module
 */

/**
 * Returns variables that make Git write a server's headers to standard error.
 */
export function headersOf(repository: string): Record<string, string> {
  return /^https?:/.test(repository)
    ? { GIT_TRACE_CURL: "1", GIT_TRACE_CURL_NO_DATA: "1" }
    : {};
}

const traced = /^\d\d:\d\d:\d\d\.\d{6} \S+:\d+ +/;

/**
 * Removes the trace from what Git wrote to standard error.
 *
 * @returns the rest, and the pause that the server asked for, in milliseconds
 * (RFC 9110, 10.2.3).
 */
export function withoutTrace(
  stderr: string,
  now: Date = new Date(),
): { said: string; after: number | undefined } {
  const lines = stderr.split("\n");
  const header = lines.filter((line) => traced.test(line))
    .map((line) => /<= Recv header: retry-after: *(.*?)\s*$/i.exec(line)?.[1])
    .findLast((value) => value !== undefined);
  return {
    said: lines.filter((line) => !traced.test(line)).join("\n"),
    after: header === undefined ? undefined : pauseOf(header, now),
  };
}

/** A number of seconds, or a date. */
function pauseOf(value: string, now: Date): number | undefined {
  if (/^\d{1,9}$/.test(value)) return 1000 * Number(value);
  const left = Date.parse(value) - now.getTime();
  return Number.isFinite(left) ? Math.max(0, left) : undefined;
}
