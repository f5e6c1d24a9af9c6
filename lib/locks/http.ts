/**
 * JSON over HTTP with a lock server, within bounds of time and size.
 *
 * @module
 */
import { isObject, type JsonObject, parseJson } from "../base/json.ts";
import { beginningOf, boundedText, whyOf } from "../base/http.ts";
import { LockTrouble } from "./server.ts";

/** Milliseconds that one request takes at most. */
const longestCall = 5_000;

/** Letters of an answer. A group of a thousand hosts needs a third of that. */
const longestAnswer = 1024 * 1024;

/** Letters of a refusal that are read. */
const longestRefusal = 4096;

/** How a server answered. */
export interface Answer {
  status: number;
  /** What it said, as JSON; nothing where it is none. */
  json: unknown;
}

/**
 * Posts JSON. No redirect is followed, which would take a password elsewhere.
 *
 * @throws {LockTrouble} `isElsewhere` where no whole answer came in time.
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
    throw new LockTrouble(
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

/** A part of an answer that anybody may have written, where it is an object. */
export function objectIn(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** The same for a list. */
export function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The same for a text or a number; an empty one where there is none. */
export function textIn(value: unknown): string {
  return typeof value === "string" || typeof value === "number"
    ? String(value)
    : "";
}
