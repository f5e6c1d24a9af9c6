/**
 * What stops the activation of a built system that has no problem: much can
 * change during a build. The run then ends with exit code 0. It does not block
 * the revision, and it makes no pause longer.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { exitCodes, SyncError } from "../base/errors.ts";
import type { Config } from "../config/schema.ts";
import { readSuspension } from "../state/suspension.ts";
import { openingOf } from "./decide.ts";
import type { Run } from "./run.ts";

/**
 * Refuses to activate on a suspended host. A rollback is a person's wish too, and
 * the later one.
 *
 * @throws {SyncError} `suspended`, exit 0.
 */
export function refuseSuspended(run: Run): void {
  if (run.attempt.command === "rollback") return;
  if (!readSuspension(run.folder, run.effects.now())) return;
  throw notNow(
    "suspended",
    "Deployments were suspended during the build; the host was not changed",
    [
      "Run `gitops-sync resume`. The next run then activates the built system.",
    ],
  );
}

/**
 * Refuses to activate outside of the windows.
 *
 * @throws {SyncError} `outside-window`, exit 0.
 */
export function refuseOutside(
  run: {
    config: Pick<Config, "windows.deploy">;
    effects: Pick<Effects, "now">;
  },
): void {
  const opening = openingOf(run.config["windows.deploy"], run.effects.now());
  if (opening === undefined) return;
  throw notNow(
    "outside-window",
    "The deployment window closed during the build; the host was not changed",
    [
      "Wait for the next window, or run `gitops-sync sync --now` to activate the built system at once.",
    ],
  );
}

function notNow(
  reason: string,
  message: string,
  hints: readonly string[],
): SyncError {
  return new SyncError(message, {
    stage: "activate",
    reason,
    next: "stop",
    exit: exitCodes.ok,
    hints,
  });
}

/** Whether an error is one of these, which are no failures. */
export function isNotNow({ exit }: SyncError): boolean {
  return exit === exitCodes.ok;
}
