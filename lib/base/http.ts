/**
 * Reads HTTP answers within limits: a compressed answer of a megabyte may be a
 * gigabyte here.
 *
 * @module
 */
import { oneLine } from "./text.ts";

/**
 * Reads a body that anybody may have written.
 *
 * @throws {RangeError} as soon as it has more than `most` letters.
 */
export async function boundedText(
  body: ReadableStream<Uint8Array> | null,
  most: number,
): Promise<string> {
  const text = await beginningOf(body, most);
  if (text.length > most) throw new RangeError(`longer than ${most}`);
  return text;
}

/**
 * Reads only the beginning of a body. The text may be a little longer than
 * `most`.
 */
export async function beginningOf(
  body: ReadableStream<Uint8Array> | null,
  most: number,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > most) return text;
  }
  return text + decoder.decode();
}

/**
 * Returns why a request or a connection failed, in one line: the innermost
 * reason, without the URL, which may hold a secret.
 */
export function whyOf(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) {
    inner = inner.cause;
  }
  if (inner instanceof DOMException && inner.name === "TimeoutError") {
    return "no answer in time";
  }
  const message = inner instanceof Error ? inner.message : String(inner);
  return oneLine(
    message.replace(/^.*client error \(\w+\): /, "")
      .replace(/ for url \(\S*\)/, ""),
    200,
  );
}
