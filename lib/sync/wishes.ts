/**
 * What a person asks of a run.
 *
 * @module
 */
import type { Wish } from "../state/state.ts";

/** What a person asked for beyond the configuration. */
export interface Wishes {
  /** Try now, whatever the pause after a failure. */
  force: boolean;
  /** Forget holds and pauses first. */
  retry: boolean;
  /** Wait for another run to end. */
  wait?: boolean;
  /** Given where the gates are skipped: whose word that is, and why. */
  skipGates?: Wish;
  /** Whose wish it is, where that is written down. */
  by?: string;
}
