/**
 * Requests JSON from a server. The server may be down, slow or hostile, or may
 * never stop sending.
 *
 * @module
 */
import { parseJson } from "./json.ts";
import { boundedText, whyOf } from "./http.ts";
import { pauseAsked } from "./post.ts";

/** A request. */
export interface Get {
  url: string;
  headers?: Readonly<Record<string, string>>;
  /** Certificate authorities in PEM, in addition to the usual ones. */
  ca?: string | undefined;
  /** Aborts it. More than one request may share it. */
  signal: AbortSignal;
  /** Sends this form with POST instead of GET. */
  form?: URLSearchParams | undefined;
  /** The most letters of an answer, if the default is too small. */
  most?: number;
}

/** The answer. */
export type Got =
  | { json: unknown; headers: Headers; why?: never }
  /**
   * There is no valid answer. `said` is its body if that is JSON. `after` is
   * the pause in milliseconds that the server asks for.
   */
  | { why: string; said?: unknown; after?: number };

/** The most letters of an answer, by default. */
const longestAnswer = 8 * 1024 * 1024;

/**
 * Requests JSON. It follows no redirect, because that would send a token
 * elsewhere. Only a complete answer with a status from 200 to 299 is valid.
 *
 * @param now The current time, for a pause that the server asks for.
 */
export async function getJson(
  { url, headers, ca, signal, form, most = longestAnswer }: Get,
  now: Date,
): Promise<Got> {
  try {
    using client = Deno.createHttpClient(
      ca === undefined ? {} : { caCerts: [ca] },
    );
    const response = await fetch(url, {
      client,
      headers: { Accept: "application/json", ...headers },
      redirect: "manual",
      signal,
      ...form && { method: "POST", body: form },
    });
    const { status } = response;
    const text = await boundedText(response.body, most);
    const json = parseJson(text);
    if (status >= 200 && status < 300) {
      return json === undefined
        ? { why: "it answered with something that is no JSON" }
        : { json, headers: response.headers };
    }
    const isRedirect = status >= 300 && status < 400;
    const why = `it answered with status ${status}${
      isRedirect ? ", a redirect, which is not followed" : ""
    }`;
    const after = pauseAsked(response.headers, now);
    return {
      why,
      ...json === undefined ? {} : { said: json },
      ...after === undefined ? {} : { after },
    };
  } catch (error) {
    const why = error instanceof RangeError
      ? "its answer is too long"
      : `it did not answer: ${whyOf(error)}`;
    return { why };
  }
}
