/**
 * The reasons why the next commit would not arrive.
 *
 * @module
 */

/**
 * Stable names. `isNext` (lib/run/decide.ts) recognizes them by their prefix.
 */
export const nextReasons = {
  /** The candidate no longer has the module. */
  unfollowed: "next-unfollowed",
  /** Its timer does not start its service again. */
  timer: "next-timer",
  /** Its service cannot be started. */
  service: "next-service",
  /** Its program refuses its configuration, repository, keys or secrets. */
  refused: "next-refused",
  /** The repository that it names does not answer. */
  unreachable: "next-unreachable",
  /** systemd could not be queried. */
  unchecked: "next-unchecked",
} as const;

/** Why the next commit would not arrive. */
export interface Lack {
  reason: (typeof nextReasons)[keyof typeof nextReasons];
  text: string;
  details: readonly string[];
  hints: readonly string[];
  /**
   * `true`: it is not the fault of the revision, and a later run tries again.
   */
  mayPass?: true;
}
