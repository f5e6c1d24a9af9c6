/**
 * What a person wants of a run.
 *
 * @module
 */
import type { Wish } from "../state/state.ts";

/** What a person wants beyond the configuration. */
export interface Wishes {
  /** Try now, without the pause after a failure. */
  force: boolean;
  /** Forget holds and pauses first. */
  retry: boolean;
  /** Wait for another run to end. */
  wait?: boolean;
  /** Given to skip the gates: who wants it, and why. */
  skipGates?: Wish;
  /** Who wants it, if that is recorded. */
  by?: string;
}
