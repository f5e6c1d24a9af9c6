/**
 * Sends JSON to a server that may be down, slow or hostile, and returns whether
 * to try again.
 *
 * @module
 */
import { beginningOf, whyOf } from "./http.ts";

/** How a delivery ended. */
export type Sent =
  | { result: "done" }
  /** The server will never take it. */
  | { result: "refused"; why: string }
  /**
   * It may work later, after at least `after` milliseconds. `isAlone`: the
   * problem may be this message only, and others may work now.
   */
  | { result: "later"; why: string; after?: number; isAlone?: true };

/** A message and its receiver. */
export interface Post {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
  /** Certificate authorities in PEM, in addition to the usual ones. */
  ca?: string | undefined;
  /**
   * Returns what a failure means by its status and the beginning of its body;
   * `undefined` if the status is enough. Without this function, no body is
   * read.
   */
  reads?: (status: number, said: string) => Sent | undefined;
}

/** The timeout of a request, in milliseconds. */
const longestCall = 20_000;

/** No limit ends in 2001, in milliseconds since 1970. */
const longAgo = 1e12;

/** The most letters of a refusal that are read. */
const longestWords = 4096;

/** The longest pause that a server may ask for, in milliseconds. */
const longestPause = 24 * 3_600_000;

/**
 * Sends a message. It follows no redirect, because that would send a token
 * elsewhere. It reads only the status and the headers of the answer; with
 * `reads` also the beginning of the body, unless the server asks for a pause.
 */
export async function post(
  { url, headers, body, ca, reads }: Post,
  now: Date,
): Promise<Sent> {
  try {
    using client = Deno.createHttpClient(
      ca === undefined ? {} : {
        caCerts: [ca],
      },
    );
    const response = await fetch(url, {
      client,
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(longestCall),
    });
    const sent = meaningOf(response.status, response.headers, now);
    const isAll = sent.result === "done" ||
      sent.result === "later" && sent.after !== undefined;
    if (isAll || !reads) {
      await response.body?.cancel();
      return sent;
    }
    const said = await beginningOf(response.body, longestWords);
    return reads(response.status, said) ?? sent;
  } catch (error) {
    return { result: "later", why: `it did not answer: ${whyOf(error)}` };
  }
}

/**
 * Returns what a status means (RFC 9110). A message that is wrong itself is
 * given up. Everything else may be fixed on the other side.
 */
export function meaningOf(status: number, headers: Headers, now: Date): Sent {
  if (status >= 200 && status < 300) return { result: "done" };
  const why = `it answered with status ${status}`;
  if ([400, 410, 413, 415, 422].includes(status)) {
    return { result: "refused", why };
  }
  if (status >= 300 && status < 400) {
    return {
      result: "later",
      why: `${why}, a redirect, which is not followed`,
    };
  }
  const after = pauseAsked(headers, now);
  return { result: "later", why, ...(after === undefined ? {} : { after }) };
}

/**
 * Returns how long a server asks to wait: `Retry-After` (RFC 9110), or the end
 * of a rate limit as GitHub (`X-RateLimit-Reset`) and GitLab
 * (`RateLimit-Reset`) write it, in seconds since 1970. Others, and drafts of
 * the IETF, count `RateLimit-Reset` from now.
 *
 * @returns milliseconds, at most a day.
 */
export function pauseAsked(headers: Headers, now: Date): number | undefined {
  const within = (ms: number) =>
    Number.isFinite(ms) ? Math.min(Math.max(ms, 0), longestPause) : undefined;
  const retry = headers.get("Retry-After");
  if (retry !== null) {
    return within(
      /^\d+$/.test(retry)
        ? Number(retry) * 1000
        : Date.parse(retry) - now.getTime(),
    );
  }
  const left = headers.get("X-RateLimit-Remaining") ??
    headers.get("RateLimit-Remaining");
  const reset = headers.get("X-RateLimit-Reset") ??
    headers.get("RateLimit-Reset");
  if (left !== "0" || reset === null || !/^\d+$/.test(reset)) return undefined;
  const ms = Number(reset) * 1000;
  return within(ms < longAgo ? ms : ms - now.getTime());
}
