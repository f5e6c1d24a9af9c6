/**
 * The one place that takes out what nobody may read from text on its way out:
 * to a terminal, the journal, a file, the state, the history, a notification.
 *
 * Tokens and keys never get into this program: programs that need them read
 * them from their files. What is left are URLs, in which people write them.
 *
 * @module
 */

import { plain } from "./text.ts";

/** The beginnings of the tokens of GitHub and GitLab, which they document. */
const tokens = /\b(gh[pousr]_|github_pat_|glpat-|gloas-|glcbt-)[\w.-]{8,}/g;

/** The same, and without what a terminal would obey; lines stay lines. */
export function shown(text: string): string {
  return plain(redact(text));
}

/** Text without passwords, tokens, and the user part of web addresses. */
export function redact(text: string): string {
  return text
    .replace(/\b(https?:\/\/)[^/@\s'"]*@/gi, "$1")
    .replace(/(\w:\/\/[^/@\s:'"]*):[^/@\s'"]*@/g, "$1@")
    .replace(tokens, "$1…");
}
