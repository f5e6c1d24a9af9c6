/**
 * Questions to the servers that know about a fleet, within bounds.
 *
 * @module
 */
import { boundedText, whyOf } from "../base/http.ts";
import { exitCodes, SyncError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";

/** How a server is reached. */
export interface Server {
  /** Without a slash at its end. */
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Certificate authorities in PEM, beside the usual ones. */
  ca?: string | undefined;
  /** Completes "Cannot ask …". */
  name: string;
}

/** The longest that one question takes, in milliseconds. */
const longest = 30_000;

/** Letters of one answer: some thousand hosts. */
const mostAnswer = 16 * 2 ** 20;

/** An answer in JSON with the headers that came with it. */
export interface Answer {
  json: unknown;
  headers: Headers;
}

/**
 * Asks a server, and reads its answer as JSON. No redirect is followed, which
 * would take a token elsewhere.
 *
 * @param path Begins with a slash.
 * @param form What is posted as a form; none: it is a GET.
 * @throws {SyncError} `fleet-unreachable`, exit 3.
 */
export async function askJson(
  { url, headers, ca, name }: Server,
  path: string,
  form?: URLSearchParams,
): Promise<Answer> {
  try {
    using client = Deno.createHttpClient(
      ca === undefined ? {} : {
        caCerts: [ca],
      },
    );
    const response = await fetch(`${url}${path}`, {
      client,
      headers: { Accept: "application/json", ...headers },
      redirect: "manual",
      signal: AbortSignal.timeout(longest),
      ...form && { method: "POST", body: form },
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`it answered with status ${response.status}`);
    }
    const json = JSON.parse(await boundedText(response.body, mostAnswer));
    return { json, headers: response.headers };
  } catch (error) {
    const why = error instanceof RangeError
      ? "its answer is too long"
      : error instanceof SyntaxError
      ? "its answer is no JSON"
      : whyOf(error);
    throw fleetError("fleet-unreachable", `Cannot ask ${name}: ${why}`, [
      "look at its address, the token and the network of this machine",
    ]);
  }
}

/** What can't be told about a fleet. */
export function fleetError(
  reason: string,
  message: string,
  hints: readonly string[],
): SyncError {
  return new SyncError(oneLine(message, 500), {
    stage: "decide",
    reason,
    next: "stop",
    exit: exitCodes.remote,
    hints,
  });
}
