/**
 * Queries the servers that know about a fleet, with limits.
 *
 * @module
 */
import { exitCodes, SyncError } from "../base/errors.ts";
import { getJson } from "../base/get.ts";
import { oneLine } from "../base/text.ts";

/** The access to a server. */
export interface Server {
  /** Without a slash at its end. */
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Certificate authorities in PEM, in addition to the usual ones. */
  ca?: string | undefined;
  /** Completes "Cannot query …". */
  name: string;
}

/** The time limit of a query, in milliseconds. */
const longest = 30_000;

/** The limit of an answer, in characters: some thousand hosts. */
const mostAnswer = 16 * 2 ** 20;

/**
 * Queries a server, and reads its answer as JSON.
 *
 * @param path Begins with a slash.
 * @param form The posted form.
 * @throws {SyncError} `fleet-unreachable`, exit 3.
 */
export async function askJson(
  { url, headers, ca, name }: Server,
  path: string,
  form: URLSearchParams,
): Promise<unknown> {
  const signal = AbortSignal.timeout(longest);
  const got = await getJson(
    { url: `${url}${path}`, headers, ca, form, signal, most: mostAnswer },
    new Date(),
  );
  if (got.why !== undefined) throw unreachable(name, got.why);
  return got.json;
}

/** Makes the error of a server that does not answer. */
export function unreachable(name: string, why: string): SyncError {
  return fleetError("fleet-unreachable", `Cannot query ${name}: ${why}`, [
    "check its address, the token and the network of this machine",
  ]);
}

/** Makes an error about a fleet. */
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
