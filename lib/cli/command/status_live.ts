/**
 * The status as it changes, for `--watch` and `--wait`: what the host knows is
 * read each time, the remote and systemd are asked now and then.
 *
 * @module
 */
import { type Effects, say } from "../../base/effects.ts";
import { SyncError } from "../../base/errors.ts";
import type { Config } from "../../config/schema.ts";
import { type NextRun, nextRun } from "../../host/next_run.ts";
import { type LocalFacts, localFacts } from "../../report/host_facts.ts";
import type { Facts } from "../../report/agreement.ts";
import { type Answer, ask, factsOf, lastAnswer } from "./status_facts.ts";

/** Milliseconds from one question to the next. */
const remotePause = 30_000, systemdPause = 5_000;

/** What was asked last, and when. */
interface Held<T> {
  value: T;
  at: number;
}

/** Reads the status again and again. */
export class LiveStatus {
  #answer: Held<Answer> | undefined;
  #next: Held<NextRun> | undefined;
  #asking: Promise<void> | undefined;

  constructor(
    private readonly effects: Effects,
    private readonly config: Config,
    /** Whether the remote is not asked. */
    private readonly isOffline: boolean,
  ) {}

  /** The facts as they are now. The first time it waits for all answers. */
  async facts(): Promise<Facts> {
    const local = await localFacts(this.config);
    const now = Date.now();
    const isFirst = this.#answer === undefined;
    if (!this.#next || now - this.#next.at >= systemdPause) {
      this.#next = { value: await nextRun(this.effects), at: now };
    }
    const isDue = !this.#answer || now - this.#answer.at >= remotePause;
    if (isDue && !this.isOffline) this.#asking ??= this.#askRemote(local);
    // Nobody sees a picture that stands still while a server is silent.
    if (isFirst) await this.#asking;
    return factsOf(local, this.#newest(local), this.#next.value);
  }

  async #askRemote({ state }: LocalFacts): Promise<void> {
    try {
      const value = await ask(this.effects, this.config, state);
      this.#answer = { value, at: Date.now() };
    } catch (error) {
      // It was interrupted, which whoever reads the facts looks at too.
      if (!(error instanceof SyncError)) throw error;
      say(this.effects, "debug", error.message);
    } finally {
      this.#asking = undefined;
    }
  }

  /** What a run was told since we asked is newer. */
  #newest(local: LocalFacts): Answer {
    const { asked } = local;
    const own = this.#answer;
    if (!own || asked && asked.at.getTime() > own.at) return lastAnswer(local);
    return own.value;
  }
}
