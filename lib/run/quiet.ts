/**
 * Servers that ask for a pause (RFC 9110, 10.2.3, `Retry-After`).
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import type { Quiet, State } from "../state/state.ts";
import { longestAsked } from "./decide.ts";

/** Returns the error for a server in a pause; `undefined` without a pause. */
export function leftAlone(
  { quiet = [] }: Pick<State, "quiet">,
  repository: string,
  now: Date,
): SyncError | undefined {
  const found = quiet.find((one) => one.repository === repository);
  if (!found || !isQuiet(found, now)) return undefined;
  return new SyncError(
    `Cannot query ${repository}: the server asks to slow down`,
    {
      stage: "decide",
      reason: "slow-down",
      next: "retry",
      exit: 3,
      hints: [`Wait: the first run after ${found.until} queries it again.`],
    },
  );
}

/** Whether a pause lasts. A clock that was far ahead must not stop a host. */
function isQuiet({ until, asked }: Quiet, now: Date): boolean {
  const left = Date.parse(until) - now.getTime();
  return left > 0 && left <= asked;
}

/** The servers in a pause, as one run learns of them. */
export class QuietServers {
  constructor(private quiet: readonly Quiet[] = []) {}

  /** As {@linkcode leftAlone}. */
  leftAlone(repository: string, now: Date): SyncError | undefined {
    return leftAlone({ quiet: this.quiet }, repository, now);
  }

  /** Notes the answer of a server, if it asked for a pause. */
  note(
    repository: string,
    { reason, stage, after }: SyncError,
    now: Date,
  ): void {
    // During a build, it is the server of an input that asks. Without a time,
    // it is the pause that was noted before.
    if (reason !== "slow-down" || stage === "build" || after === 0) return;
    const asked = Math.min(after, longestAsked);
    const until = new Date(now.getTime() + asked).toISOString();
    this.answered(repository);
    this.quiet = [...this.quiet, { repository, until, asked }];
  }

  /** Ends the pause of a server that answers. */
  answered(repository: string): void {
    this.quiet = this.quiet.filter((one) => one.repository !== repository);
  }

  /** Returns what a later run must know. */
  after(now: Date): Pick<State, "quiet"> {
    const quiet = this.quiet.filter((one) => isQuiet(one, now));
    return quiet.length > 0 ? { quiet } : {};
  }
}
