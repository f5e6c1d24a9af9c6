/**
 * Headers that restrict what a browser may do with an answer.
 *
 * @module
 */
import { toBase64 } from "../base/base64.ts";

/** The headers of every page, log and stream. */
export const safeHeaders: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  // With "no-referrer" a browser would not send the origin of a form.
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/**
 * Returns our own text as a source for a Content-Security-Policy: its digest.
 */
export async function sourceOf(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return `'sha256-${toBase64(new Uint8Array(digest))}='`;
}
