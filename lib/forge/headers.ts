/**
 * How each forge is told who asks.
 *
 * @module
 */

/** A forge that is known. */
export type Forge = "github" | "gitlab" | "gitea" | "forgejo";

/**
 * The headers of a request. GitHub refuses who does not say who it is.
 *
 * @param token None for what everybody may read.
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
