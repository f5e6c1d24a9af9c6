/**
 * What each stage passes to the next. A stage takes only the result of the stage
 * before it, so that none can be skipped: `Tip`, `Fetched`, `Verified`,
 * `Readable`, `Built`, `Proven`, `Cleared`, `Activated`, `Healthy`, and at the
 * end a `Deployment`.
 *
 * @module
 */
import type { Commit, Target } from "../state/state.ts";
import type { Switched } from "./outside.ts";
import type { Standing } from "./standing.ts";
import type { Tip } from "../base/tip.ts";

/** A revision that is in the mirror, not yet trusted. */
export interface Fetched {
  readonly done: "fetched";
  readonly commit: Commit;
  readonly tip: Tip;
  readonly target: Target;
  /** The mirror's folder. */
  readonly mirror: string;
  /**
   * Whether the revision descends from the newest one deployed from this ref;
   * `unknown` if there is none to compare with.
   */
  readonly forward: "yes" | "no" | "unknown";
}

/** A revision that may be evaluated. */
export interface Verified extends Omit<Fetched, "done"> {
  readonly done: "verified";
}

/** A revision whose secrets this host can read. */
export interface Readable extends Omit<Verified, "done"> {
  readonly done: "readable";
  /** How many encrypted files can be opened. */
  readonly opened: number;
  /** How many encrypted files are for others. */
  readonly foreign: number;
}

/** A built system, not yet activated. */
export interface Built extends Omit<Readable, "done"> {
  readonly done: "built";
  /** Its store path, kept from garbage collection by `build/result`. */
  readonly system: string;
}

/** A built system whose secrets all open here. */
export interface Proven extends Omit<Built, "done"> {
  readonly done: "proven";
  /** How many secrets it installs. */
  readonly secrets: number;
}

/** A proven system that passed all gates. */
export interface Cleared extends Omit<Proven, "done"> {
  readonly done: "cleared";
}

/**
 * What {@linkcode activate} needs to know of a system: one that passed the gates,
 * or one that was good on this host before.
 */
export interface Candidate
  extends Pick<Cleared, "system" | "commit" | "target"> {
  readonly done: Cleared["done"] | "confirmed";
}

/** A candidate that runs and is not yet confirmed. */
export interface Activated extends Omit<Candidate, "done"> {
  readonly done: "activated";
  /** `kept`: it ran already. `later`: it waits for the next boot. */
  readonly how: "switched" | "kept" | "later";
  /** How the host was before. */
  readonly before: Standing;
  /** The switch, and the system before it. */
  readonly switched?: Switched & { from: string | null };
}

/** A candidate that runs and is healthy. */
export interface Healthy extends Omit<Candidate, "done"> {
  readonly done: "healthy";
  /** What was checked, in words. */
  readonly checked: string;
}
