/**
 * The only place that removes secrets from text before it leaves the program:
 * to a terminal, the journal, a file, the state, the history, a notification.
 *
 * Tokens and keys never enter this program: the programs that need them read
 * them from their files. URLs remain, in which people write them.
 *
 * @module
 */

import { plain } from "./text.ts";

/**
 * The prefixes that GitHub, GitLab, Bitbucket and Vault document for their
 * tokens.
 */
const tokens =
  /\b(gh[pousr]_|github_pat_|gl(?:pat|oas|cbt|rt|dt|ptt|ft|imt|agent|wt|soat|ffct)-|ATBB|ATCTT3xFf|hv[sbr]\.)[\w.-]{8,}/g;

/** Tokens in the query of a URL. */
const queries =
  /([?&](?:private_|access_|job_|feed_|rss_|oauth_|auth_)?token=)[^&\s'"#]+/gi;

/** HTTP headers, as programs print them in their logs. */
const headers =
  /\b(Authorization: *(?:Basic|Digest|token) +|Bearer +(?=\S*[\d._~+/=-])|(?:PRIVATE|JOB|DEPLOY|X-Vault|X-Gitlab)-Token: *)[^\s'"]+/gi;

/**
 * A password in a URL, even one that is not encoded: after a colon that begins
 * no port, everything up to the last `@`. The length is limited, so that no
 * text takes long.
 */
const password = /:(?!\d+(?:[/?#\s'"]|$))[^\s'"]{0,1000}@/.source;

const webUser = new RegExp(
  `\\b(https?://)(?:[^/@\\s:'"]*${password}|[^/\\s'"]*@)`,
  "gi",
);
const otherUser = new RegExp(`(\\w://[^/@\\s:'"]*)${password}`, "g");

/** Removes secrets and control characters; line breaks stay. */
export function shown(text: string): string {
  return plain(redact(text));
}

/** Removes passwords, tokens, and the user part of web URLs. */
export function redact(text: string): string {
  return text
    .replace(webUser, "$1")
    .replace(otherUser, "$1@")
    .replace(queries, "$1…")
    .replace(headers, "$1…")
    .replace(tokens, "$1…");
}
