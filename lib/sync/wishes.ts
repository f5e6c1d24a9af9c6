/**
 * What a person asks of a run.
 *
 * @module
 */

/** What a person asked for beyond the configuration. */
export interface Wishes {
  /** Try now, whatever the pause after a failure. */
  force: boolean;
  /** Forget holds and pauses first. */
  retry: boolean;
  /** Wait for another run to end. */
  wait?: boolean;
  /** Whose wish it is, where that is written down. */
  by?: string;
}
