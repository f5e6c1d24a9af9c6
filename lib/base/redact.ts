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

/**
 * The beginnings of the tokens of GitHub, GitLab, Bitbucket and Vault, which
 * they document.
 */
const tokens =
  /\b(gh[pousr]_|github_pat_|gl(?:pat|oas|cbt|rt|dt|ptt|ft|imt|agent|wt|soat|ffct)-|ATBB|ATCTT3xFf|hv[sbr]\.)[\w.-]{8,}/g;

/** Tokens that a web address carries in its query. */
const queries =
  /([?&](?:private_|access_|job_|feed_|rss_|oauth_|auth_)?token=)[^&\s'"#]+/gi;

/** Headers of HTTP, as programs show them when they tell what they did. */
const headers =
  /\b(Authorization: *(?:Basic|Digest|token) +|Bearer +(?=\S*[\d._~+/=-])|(?:PRIVATE|JOB|DEPLOY|X-Vault|X-Gitlab)-Token: *)[^\s'"]+/gi;

/**
 * A password in an address, as careless people write it: after a colon that
 * begins no port, all up to the last `@`. Bounded, so that no text takes long.
 */
const password = /:(?!\d+(?:[/?#\s'"]|$))[^\s'"]{0,1000}@/.source;

const webUser = new RegExp(
  `\\b(https?://)(?:[^/@\\s:'"]*${password}|[^/\\s'"]*@)`,
  "gi",
);
const otherUser = new RegExp(`(\\w://[^/@\\s:'"]*)${password}`, "g");

/** The same, and without what a terminal would obey; lines stay lines. */
export function shown(text: string): string {
  return plain(redact(text));
}

/** Text without passwords, tokens, and the user part of web addresses. */
export function redact(text: string): string {
  return text
    .replace(webUser, "$1")
    .replace(otherUser, "$1@")
    .replace(queries, "$1…")
    .replace(headers, "$1…")
    .replace(tokens, "$1…");
}
