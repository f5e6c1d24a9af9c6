/**
 * Copies of the candidate's units under other names: systemd reads and runs
 * them as it would the real ones, which stay as they are.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { ensurePrivateDir, readIfThere } from "../host/files.ts";
import {
  lastLines,
  linkUnits,
  propertiesOf,
  resetFailed,
  startUnit,
  stopUnits,
  unlinkUnits,
} from "../host/systemd.ts";
import type { Run } from "../run/run.ts";
import { nextReasons } from "./next_reasons.ts";

/** The names of the copies. */
export const serviceCopy = "gitops-sync-next.service";
export const timerCopy = "gitops-sync-next.timer";

/** How the copy of a service ended. */
export interface CopyEnded {
  /** systemd's word for it, e.g. `success`, `exit-code` or `timeout`. */
  result: string;
  /** Whether systemd did not start it because a condition was not met. */
  isSkipped: boolean;
  /** The exit status of its program, or why systemd could not start that. */
  status: string;
  /** What the program wrote to its standard output. */
  answer: string;
  /** The end of what it wrote otherwise. */
  lines: readonly string[];
}

/** The copies of one check; they go with it. */
export class Copies implements AsyncDisposable {
  readonly #linked = new Set<string>();

  constructor(readonly run: Run) {}

  /** Where the copies and the answer are; systemd itself reads and writes it. */
  get folder(): string {
    return `${this.run.folder}/next`;
  }

  /**
   * Gives systemd a unit, until this is disposed of.
   *
   * @throws {SyncError} `next-unchecked`, where systemd does not take it.
   */
  async give(name: string, text: string): Promise<void> {
    const { effects } = this.run;
    await ensurePrivateDir(this.folder);
    const path = `${this.folder}/${name}`;
    await Deno.writeTextFile(path, text, { mode: 0o600 });
    this.#linked.add(name);
    const linked = await effects.run(linkUnits(path));
    if (linked.code !== 0) throw unchecked(linked.stderr);
  }

  /** Where the program that is started writes its answer. */
  get answerFile(): string {
    return `${this.folder}/answer`;
  }

  /**
   * Starts the copy of the service, and waits for its end.
   *
   * @param seconds The longest that may take; its text must say so too.
   */
  async start(text: string, seconds: number): Promise<CopyEnded> {
    const { effects } = this.run;
    await this.#stop();
    await this.give(serviceCopy, text);
    await Deno.remove(this.answerFile).catch(() => {});
    await effects.run(startUnit(serviceCopy, seconds));
    const found = await propertiesOf(effects, serviceCopy, [
      "Result",
      "ExecMainStatus",
      "ConditionResult",
      "AssertResult",
    ]);
    const lines = await lastLines(effects, serviceCopy, 15);
    return {
      result: found.Result ?? "",
      isSkipped: found.ConditionResult !== "yes" ||
        found.AssertResult !== "yes",
      status: found.ExecMainStatus ?? "",
      answer: readIfThere(this.answerFile) ?? "",
      lines: lines.filter((line) => !line.includes(serviceCopy)),
    };
  }

  /** Lets systemd forget how the copy ended before. */
  async #stop(): Promise<void> {
    const { effects } = this.run;
    await effects.run(stopUnits(serviceCopy));
    await effects.run(resetFailed(serviceCopy));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { effects } = this.run;
    if (this.#linked.size === 0) return;
    await this.#stop();
    await effects.run(unlinkUnits(...this.#linked));
    await Deno.remove(this.folder, { recursive: true }).catch(() => {});
  }
}

function unchecked(stderr: string): SyncError {
  return new SyncError(
    "Cannot check whether the next commit arrives: systemd does not accept a test unit",
    {
      stage: "health",
      reason: nextReasons.unchecked,
      next: "retry",
      details: [stderr.trim()],
      hints: ["Check systemd: `systemctl status`. The next run tries again."],
    },
  );
}
