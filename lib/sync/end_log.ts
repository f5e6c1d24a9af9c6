/**
 * The end of an attempt in its log.
 *
 * @module
 */
import { exitCodes } from "../base/errors.ts";
import { describe } from "../run/commit.ts";
import { closedNames } from "../run/gates.ts";
import type { Ended, Run } from "../run/run.ts";

/** Writes the end of an attempt, with all details, to its log. */
export function endLog({ log }: Run, ended: Ended): void {
  if (!log) return;
  if (!("error" in ended)) {
    return log.end(ended.result, exitCodes.ok, textOf(ended));
  }
  const { message, details, hints, exit } = ended.error;
  const level = ended.result === "failed" ? "error" : "notice";
  log.tell({ kind: "message", level, text: message, details, hints });
  log.end(ended.result, exit, message);
}

function textOf(ended: Exclude<Ended, { error: unknown }>): string {
  switch (ended.result) {
    case "built":
      return ended.system;
    case "waiting":
      return `${describe(ended.waiting)} waits for approval`;
    case "gated":
      return `${describe(ended.gated)} waits for ${closedNames(ended.gated)}`;
    default:
      return describe(ended.deployment);
  }
}
