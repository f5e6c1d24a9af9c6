/**
 * The end of an attempt in its log.
 *
 * @module
 */
import { exitCodes } from "../base/errors.ts";
import { describe } from "../run/commit.ts";
import type { Ended, Run } from "../run/run.ts";

/** Writes down how an attempt ended, with all that there is to say of it. */
export function endLog({ log }: Run, ended: Ended): void {
  if (!log) return;
  if (!("error" in ended)) {
    const text = ended.result === "built"
      ? ended.system
      : describe(ended.deployment);
    return log.end(ended.result, exitCodes.ok, text);
  }
  const { message, details, hints, exit } = ended.error;
  const level = ended.result === "failed" ? "error" : "notice";
  log.tell({ kind: "message", level, text: message, details, hints });
  log.end(ended.result, exit, message);
}
