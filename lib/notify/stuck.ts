/**
 * Commit statuses that a forge does not accept yet. Each waits separately, and
 * blocks no status of another commit.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import type { Sent } from "../base/post.ts";
import { short } from "../base/text.ts";
import { channelName } from "./channels.ts";
import { isPaused, pauseAfter, tellPause } from "./pause.ts";
import { postpone, type Spooled, type Waiting } from "./spool.ts";

/**
 * If this many new statuses fail in a row, the forge itself counts as failing.
 */
const most = 3;

/** The messages of one delivery that stay in the spool. */
export class Stuck {
  /** The commits with a status that stays. */
  readonly #revisions = new Set<string>();
  #failed = 0;

  /**
   * Reports whether a message must wait although others of its channel may be
   * sent: it failed recently, or an earlier one of the same commit stays.
   */
  holds(waiting: Waiting, now: Date): boolean {
    if (waiting.channel !== "forge") return false;
    const { revision } = waiting.status;
    if (isPaused(waiting.pause, now)) this.#revisions.add(revision);
    return this.#revisions.has(revision);
  }

  /**
   * Postpones one message, if the failure may affect only this one.
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
    // A status that was stuck before is no new sign that the forge fails.
    if (!waiting.pause && ++this.#failed >= most) return false;
    const pause = pauseAfter(waiting.pause, sent, effects.now());
    await postpone(folder, one, waiting, pause);
    const to = `${channelName("forge")} for ${short(revision)}`;
    tellPause(effects, to, pause, effects.now());
    this.#revisions.add(revision);
    return true;
  }
}
