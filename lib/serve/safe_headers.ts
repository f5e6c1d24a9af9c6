/**
 * Headers that keep a browser from doing more with an answer than we mean.
 *
 * @module
 */
import { toBase64 } from "../base/base64.ts";

/** Headers of every answer that is a page, a log or a stream. */
export const safeHeaders: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  // With "no-referrer" a browser would not say where a form comes from.
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Text of ours as a source in a Content-Security-Policy: by its digest. */
export async function sourceOf(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return `'sha256-${toBase64(new Uint8Array(digest))}='`;
}
