/**
 * What a ref of a repository points to.
 *
 * @module
 */

/** The kinds of refs. */
export type RefKind = "branch" | "tag" | "commit";

/** What a ref of the remote points to now. */
export interface Tip {
  /** The full commit hash. */
  revision: string;
  kind: RefKind;
  /** The full name to fetch, e.g. `refs/heads/main`; the hash of a commit. */
  name: string;
  /** The URL that answered, if the configuration names mirrors. */
  servedBy?: string;
  /**
   * What the testing branch points to, if one is followed; `null` if the remote
   * has none; missing if it was not queried.
   */
  testing?: Tip | null;
  /** For the testing branch: the revision that it must descend from. */
  base?: string;
  /**
   * For a revision that the ref pointed to before (`gates.soak`): what the ref
   * points to now.
   */
  newest?: string;
}
