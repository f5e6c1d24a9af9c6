/**
 * What a name of a repository points to.
 *
 * @module
 */

/** What a name of a repository can be. */
export type RefKind = "branch" | "tag" | "commit";

/** What a name on the remote points to right now. */
export interface Tip {
  /** The full commit hash. */
  revision: string;
  kind: RefKind;
  /** The full name to fetch, e.g. `refs/heads/main`; the hash of a commit. */
  name: string;
  /** The URL that answered, where the configuration names mirrors. */
  servedBy?: string;
  /**
   * What the testing branch points to, where one is followed: `null` where the
   * remote has none. Not given: it was not asked.
   */
  testing?: Tip | null;
  /** Given for the testing branch: the revision that it must descend from. */
  base?: string;
  /**
   * Given for a revision that the name pointed to before (`gates.soak`): what it
   * points to now.
   */
  newest?: string;
}
