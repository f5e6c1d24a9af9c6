/**
 * The request headers of each forge.
 *
 * @module
 */

/** A supported forge. */
export type Forge = "github" | "gitlab" | "gitea" | "forgejo";

/**
 * Returns the headers of a request. GitHub refuses requests without
 * `User-Agent`.
 *
 * @param token `undefined` for public data.
 */
export function headersFor(
  forge: Forge,
  token: string | undefined,
): Record<string, string> {
  const agent = { "User-Agent": "gitops-sync" };
  switch (forge) {
    case "github":
      return {
        ...agent,
        Accept: "application/vnd.github+json",
        ...token === undefined ? {} : { Authorization: `Bearer ${token}` },
        "X-GitHub-Api-Version": "2022-11-28",
      };
    case "gitlab":
      return {
        ...agent,
        Accept: "application/json",
        ...token === undefined ? {} : { "PRIVATE-TOKEN": token },
      };
    default:
      return {
        ...agent,
        Accept: "application/json",
        ...token === undefined ? {} : { Authorization: `token ${token}` },
      };
  }
}
