/**
 * Sends JSON over HTTP to a lock server, with limits on time and size.
 *
 * @module
 */
import { isObject, type JsonObject, parseJson } from "../base/json.ts";
import { beginningOf, boundedText, whyOf } from "../base/http.ts";
import { LockError } from "./server.ts";

/** The time limit of a request, in milliseconds. */
const longestCall = 5_000;

/**
 * The limit of an answer, in characters. A group of 1000 hosts needs a third of
 * it.
 */
const longestAnswer = 1024 * 1024;

/** How many characters of a refusal are read. */
const longestRefusal = 4096;

/** The answer of a server. */
export interface Answer {
  status: number;
  /** The body as JSON, or `undefined` if it is not JSON. */
  json: unknown;
}

/**
 * Posts JSON. Redirects are not followed: they could send a password elsewhere.
 *
 * @throws {LockTrouble} `isElsewhere` if no complete answer arrived in time.
 */
export async function postJson(
  client: Deno.HttpClient,
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const { origin } = new URL(url);
  try {
    const response = await fetch(url, {
      client,
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
      redirect: "manual",
      signal: AbortSignal.timeout(longestCall),
    });
    const { status } = response;
    const text = response.ok
      ? await boundedText(response.body, longestAnswer)
      : await beginningOf(response.body, longestRefusal);
    return { status, json: parseJson(text) };
  } catch (error) {
    const why = whyOf(error);
    throw new LockError(
      `${origin} does not answer: ${why}`,
      why.includes("certificate")
        ? ["check the certificates of the lock options: gitops-sync doctor"]
        : [
          "check that the lock server is running, and that this host can connect to it: gitops-sync doctor",
        ],
      true,
    );
  }
}

/**
 * Returns a value of an untrusted answer if it is an object, or else an empty
 * one.
 */
export function objectIn(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** Returns a value if it is a list, or else an empty one. */
export function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Returns a string or a number as text, or else an empty text. */
export function textIn(value: unknown): string {
  return typeof value === "string" || typeof value === "number"
    ? String(value)
    : "";
}
