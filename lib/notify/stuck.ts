/**
 * Commit statuses that a forge does not take yet. Each waits by itself: one
 * commit's holds no other commit's.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import type { Sent } from "../base/post.ts";
import { short } from "../base/text.ts";
import { channelName } from "./channels.ts";
import { isPaused, pauseAfter, tellPause } from "./pause.ts";
import { postpone, type Spooled, type Waiting } from "./spool.ts";

/** So many new ones that fail in a row are taken for a forge that fails. */
const most = 3;

/** What of one delivery stays. */
export class Stuck {
  /** The commits of which a status stays. */
  readonly #revisions = new Set<string>();
  #failed = 0;

  /**
   * Whether a message has to wait although others of its channel may go: it
   * failed not long ago, or an earlier one of the same commit stays.
   */
  holds(waiting: Waiting, now: Date): boolean {
    if (waiting.channel !== "forge") return false;
    const { revision } = waiting.status;
    if (isPaused(waiting.pause, now)) this.#revisions.add(revision);
    return this.#revisions.has(revision);
  }

  /**
   * Leaves one message for later, if it may be about this one alone.
   *
   * @param folder The state folder.
   * @returns whether others may be tried now.
   */
  async takes(
    effects: Pick<Effects, "now" | "tell">,
    folder: string,
    one: Spooled,
    waiting: Waiting,
    sent: Extract<Sent, { result: "later" }>,
  ): Promise<boolean> {
    if (!sent.isAlone || waiting.channel !== "forge") return false;
    const { revision } = waiting.status;
    // One that was stuck before says nothing new of the forge.
    if (!waiting.pause && ++this.#failed >= most) return false;
    const pause = pauseAfter(waiting.pause, sent, effects.now());
    await postpone(folder, one, waiting, pause);
    const to = `${channelName("forge")} for ${short(revision)}`;
    tellPause(effects, to, pause, effects.now());
    this.#revisions.add(revision);
    return true;
  }
}
