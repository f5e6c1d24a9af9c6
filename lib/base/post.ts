/**
 * Sends JSON to a server that may be down, slow, hostile or without end, and
 * says what that means for whoever wants to try again.
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
   * It may work later; at least `after` milliseconds from now. `isAlone`: it may
   * be about this message alone, and others may work now.
   */
  | { result: "later"; why: string; after?: number; isAlone?: true };

/** What is sent, and to whom. */
export interface Post {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
  /** Certificate authorities in PEM, beside the usual ones. */
  ca?: string | undefined;
  /**
   * What a refusal or a failure means by its status and the beginning of its
   * body; nothing where the status says all. Without this no body is read.
   */
  reads?: (status: number, said: string) => Sent | undefined;
}

/** The longest that a request takes, in milliseconds. */
const longestCall = 20_000;

/** No limit ends in 2001, in milliseconds since 1970. */
const longAgo = 1e12;

/** How many letters of a refusal are read. */
const longestWords = 4096;

/** The longest pause that a server may ask for, in milliseconds. */
const longestPause = 24 * 3_600_000;

/**
 * Sends it. No redirect is followed, which would take a token elsewhere. Of the
 * answer only the status and headers are read, and with `reads` the beginning of
 * the body, unless the server asks for a pause.
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
 * What a status means (RFC 9110): a message that is wrong by itself is given
 * up, all else may be mended on the other side.
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
 * How long a server asks to be left alone: `Retry-After` (RFC 9110), or the end
 * of a rate limit as GitHub (`X-RateLimit-Reset`) and GitLab
 * (`RateLimit-Reset`) write it, in seconds since 1970. Others, and drafts of the
 * IETF, count `RateLimit-Reset` from now on.
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
