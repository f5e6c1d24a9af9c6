/**
 * Keeps the status up to date for `--watch` and `--wait`. The state of the host
 * is read each time; the remote and systemd are queried less often.
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

/** Milliseconds between two queries. */
const remotePause = 30_000, systemdPause = 5_000;

/** The last answer, and when it came. */
interface Held<T> {
  value: T;
  at: number;
}

/** Reads the status repeatedly. */
export class LiveStatus {
  #answer: Held<Answer> | undefined;
  #next: Held<NextRun> | undefined;
  #asking: Promise<void> | undefined;

  constructor(
    private readonly effects: Effects,
    private readonly config: Config,
    /** Whether the remote is not queried. */
    private readonly isOffline: boolean,
  ) {}

  /** Returns the current facts. The first call waits for all answers. */
  async facts(): Promise<Facts> {
    const local = await localFacts(this.config);
    const now = Date.now();
    const isFirst = this.#answer === undefined;
    if (!this.#next || now - this.#next.at >= systemdPause) {
      this.#next = { value: await nextRun(this.effects), at: now };
    }
    const isDue = !this.#answer || now - this.#answer.at >= remotePause;
    if (isDue && !this.isOffline) this.#asking ??= this.#askRemote(local);
    // Later calls do not wait, so that a silent server does not freeze the
    // display.
    if (isFirst) await this.#asking;
    return factsOf(local, this.#newest(local), this.#next.value);
  }

  async #askRemote({ state }: LocalFacts): Promise<void> {
    try {
      const value = await ask(this.effects, this.config, state);
      this.#answer = { value, at: Date.now() };
    } catch (error) {
      // The query was interrupted; the reader of the facts checks for that.
      if (!(error instanceof SyncError)) throw error;
      say(this.effects, "debug", error.message);
    } finally {
      this.#asking = undefined;
    }
  }

  /** Returns the newest answer: that of a run, if it is later than ours. */
  #newest(local: LocalFacts): Answer {
    const { asked } = local;
    const own = this.#answer;
    if (!own || asked && asked.at.getTime() > own.at) return lastAnswer(local);
    return own.value;
  }
}
