/**
 * Copies the candidate's units under other names. systemd reads and runs the
 * copies like the real units, which stay unchanged.
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
  /**
   * The result as systemd names it, e.g. `success`, `exit-code` or `timeout`.
   */
  result: string;
  /** Whether systemd did not start it because a condition failed. */
  isSkipped: boolean;
  /** The exit status of its program, or why systemd could not start it. */
  status: string;
  /** The standard output of the program. */
  answer: string;
  /** The last lines of its other output. */
  lines: readonly string[];
}

/** The copies of one check. They are removed when it is disposed of. */
export class Copies implements AsyncDisposable {
  readonly #linked = new Set<string>();

  constructor(readonly run: Run) {}

  /**
   * The folder of the copies and the answer; systemd itself reads and writes
   * it.
   */
  get folder(): string {
    return `${this.run.folder}/next`;
  }

  /**
   * Adds a unit to systemd, until this is disposed of.
   *
   * @throws {SyncError} `next-unchecked`, if systemd does not accept it.
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

  /** The file to which the started program writes its answer. */
  get answerFile(): string {
    return `${this.folder}/answer`;
  }

  /**
   * Starts the copy of the service and waits for its end.
   *
   * @param seconds The timeout; the text of the unit must have it too.
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

  /** Resets the copy after an earlier start. */
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
