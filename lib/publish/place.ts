/**
 * The places for the store paths of hosts.
 *
 * @module
 */

/** What to write. */
export interface Update {
  /** The new system of each host that has one. */
  systems: ReadonlyMap<string, string>;
  /** All hosts of the flake. The files of other hosts are removed. */
  hosts: readonly string[];
  /** Failed hosts, each with a reason. Their files stay unchanged. */
  failed: ReadonlyMap<string, string>;
}

/** The result of writing. */
export interface Written {
  /** `older`: the place already has a later commit, and stays unchanged. */
  result: "published" | "unchanged" | "older";
  /** The commit of the branch that contains the result. */
  commit?: string;
  /** Hosts whose file was removed. */
  removed: readonly string[];
}

/** A branch or a folder. */
export interface Place {
  /** Its name for people, e.g. `the branch deploy of https://…`. */
  readonly shown: string;
  /**
   * Reads the place before anything is built.
   *
   * @param hosts All hosts of the flake.
   * @returns the system of each host, or `older` if this commit may not replace
   * it.
   * @throws {SyncError} if nothing may be written.
   */
  read(hosts: readonly string[]): Promise<Map<string, string> | "older">;
  /**
   * Writes everything at once.
   *
   * @throws {SyncError} if it fails. Nothing was written then.
   */
  write(update: Update): Promise<Written>;
}
