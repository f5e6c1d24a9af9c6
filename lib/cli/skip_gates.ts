/**
 * Reads `--skip-gates`, which skips all gates in an emergency.
 *
 * @module
 */
import { usageError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import { whoRuns } from "../host/person.ts";
import type { Wish } from "../state/state.ts";
import type { Call } from "./call.ts";

/**
 * Returns who skips the gates and why; `undefined` without `--skip-gates`.
 *
 * @throws {SyncError} `no-reason` or `flags-together`, exit 2.
 */
export function skipOf({ switches, texts, command }: Call): Wish | undefined {
  const reason = oneLine(texts["reason"] ?? "").trim();
  const isGiven = switches.has("skip-gates");
  if (!isGiven) {
    if (reason === "" || command.name !== "sync") return undefined;
    throw usageError(
      "flags-together",
      "Cannot use --reason here: expected --skip-gates with it",
    );
  }
  if (reason === "") {
    throw usageError(
      "no-reason",
      "Cannot use --skip-gates alone: expected a reason, which is recorded",
      `Type the reason: \`gitops-sync ${command.name} --skip-gates --reason "the forge is down"\`.`,
    );
  }
  return { by: whoRuns(), reason };
}
