/**
 * How a run ended, for people, for `--json` and as an exit code.
 *
 * @module
 */
import { type ExitCode, exitCodes, type SyncError } from "../base/errors.ts";
import type {
  Backoff,
  Deployment,
  Gated,
  Hold,
  RolledBack,
  State,
  Waiting,
  Wish,
} from "../state/state.ts";
import type { SlotWait } from "../state/slot.ts";
import type { Suspension } from "../state/suspension.ts";
import type { Drift, Opening } from "../run/decide.ts";
import type { Run } from "../run/run.ts";

/** How a run ended. */
export type Outcome =
  | {
    result: "in-sync";
    revision: string;
    drift?: Drift;
    /** The running deployment of the testing branch. */
    testing?: Deployment;
  }
  /** A person rolled the host back to this, and it stays there. */
  | {
    result: "stays";
    rolledBack: RolledBack;
    deployment: Deployment;
    drift?: Drift;
  }
  /** It is built, and waits for approval or until a time. */
  | {
    result: "unapproved";
    waiting: Waiting;
    until: string | null;
    drift?: Drift;
    run?: Run;
  }
  /** It is built, and gates hold it back. */
  | { result: "gated"; gated: Gated; drift?: Drift; run?: Run }
  /** It waits for a slot of the fleet. */
  | { result: "queued"; revision: string; wait: SlotWait; drift?: Drift }
  | { result: "suspended"; suspension: Suspension }
  | { result: "rebooting"; revision: string }
  /** The host has not come to the end of its boot. */
  | { result: "starting" }
  | { result: "held"; hold: Hold; drift?: Drift }
  | { result: "waiting"; backoff: Backoff; drift?: Drift }
  | {
    result: "outside";
    revision: string;
    opening: Opening;
    drift?: Drift;
  }
  | {
    result: "deployed" | "corrected" | "tested" | "test-over";
    deployment: Deployment;
    run: Run;
  }
  | {
    result: "rolled-back";
    deployment: Deployment;
    /** The revisions that are blocked now. */
    left: readonly string[];
    /** Given if the host stays there until `resume`. */
    stays?: Wish;
    run: Run;
  }
  | { result: "built"; revision: string; system: string; run: Run }
  /** It ended early without a problem: its exit code is 0. */
  | { result: "interrupted"; error: SyncError; run: Run }
  | { result: "failed"; error: SyncError; run?: Run };

/** Work left by earlier runs and reboots ends this run, or it continues. */
export type Found =
  | { outcome: Outcome }
  | { outcome?: never; state: State };

/** Returns the program's exit code for an outcome. */
export function exitOf(outcome: Outcome): ExitCode {
  switch (outcome.result) {
    case "interrupted":
    case "failed":
      return outcome.error.exit;
    case "held":
    case "waiting":
      return exitCodes.held;
    default:
      return exitCodes.ok;
  }
}
