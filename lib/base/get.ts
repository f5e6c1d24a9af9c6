/**
 * Asks a server for JSON. The server may be down, slow, hostile or without end.
 *
 * @module
 */
import { parseJson } from "./json.ts";
import { boundedText, whyOf } from "./http.ts";
import { pauseAsked } from "./post.ts";

/** What is asked, and of whom. */
export interface Get {
  url: string;
  headers?: Readonly<Record<string, string>>;
  /** Certificate authorities in PEM, beside the usual ones. */
  ca?: string | undefined;
  /** Ends it; several questions may have one together. */
  signal: AbortSignal;
  /** What is posted as a form, in place of a GET. */
  form?: URLSearchParams | undefined;
  /** The most letters of an answer, where the usual number is too small. */
  most?: number;
}

/** What came back. */
export type Got =
  | { json: unknown; headers: Headers; why?: never }
  /**
   * It is no answer. `said` is its body where that is JSON, `after` the pause
   * in milliseconds that the server asks for.
   */
  | { why: string; said?: unknown; after?: number };

/** The most letters of an answer, if nothing else is said. */
const longestAnswer = 8 * 1024 * 1024;

/**
 * Gets JSON. No redirect is followed, which would take a token elsewhere.
 * Whatever is no whole answer with a status from 200 to 299 is none.
 *
 * @param now For a pause that the server asks for.
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
