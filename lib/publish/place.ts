/**
 * Where the store paths of hosts are written to.
 *
 * @module
 */

/** What is to be written. */
export interface Update {
  /** The new system of each host that has one. */
  systems: ReadonlyMap<string, string>;
  /** All hosts of the flake: others have no file any more. */
  hosts: readonly string[];
  /** Hosts that failed, each with a reason; their files stay as they are. */
  failed: ReadonlyMap<string, string>;
}

/** How it ended. */
export interface Written {
  /** `older`: what is there is of a later commit, and stays. */
  result: "published" | "unchanged" | "older";
  /** The commit of the branch that has it now. */
  commit?: string;
  /** Hosts whose file was removed. */
  removed: readonly string[];
}

/** A branch or a folder. */
export interface Place {
  /** For people, e.g. `the branch deploy of https://…`. */
  readonly shown: string;
  /**
   * Looks at what is there before anything is built.
   *
   * @param hosts All hosts of the flake.
   * @returns the system of each host; `older` where nothing of this commit may
   * be written over it.
   * @throws {SyncError} where nothing may be written at all.
   */
  read(hosts: readonly string[]): Promise<Map<string, string> | "older">;
  /**
   * Writes all of it at once.
   *
   * @throws {SyncError} Nothing was written then.
   */
  write(update: Update): Promise<Written>;
}
