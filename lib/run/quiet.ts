/**
 * Servers that ask to be left alone (RFC 9110, 10.2.3, `Retry-After`).
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import type { State } from "../state/state.ts";
import { longestAsked } from "./decide.ts";

/** What is to be remembered of a failure; nothing where no server asked. */
export function quietAfter(
  repository: string,
  { reason, stage, after }: SyncError,
  now: Date,
): Pick<State, "quiet"> {
  // While it builds, it is the server of an input that asks.
  if (reason !== "slow-down" || stage === "build") return {};
  const asked = Math.min(after, longestAsked);
  const until = new Date(now.getTime() + asked).toISOString();
  return { quiet: { repository, until, asked } };
}

/** The error for a server that is not to be asked yet; `undefined` if it may. */
export function leftAlone(
  { quiet }: State,
  repository: string,
  now: Date,
): SyncError | undefined {
  if (quiet?.repository !== repository) return undefined;
  const left = Date.parse(quiet.until) - now.getTime();
  // What is left of a clock that was far ahead must not stop a host for ever.
  if (!(left > 0 && left <= quiet.asked)) return undefined;
  return new SyncError(
    `Cannot reach ${repository}: the server asks to slow down`,
    {
      stage: "decide",
      reason: "slow-down",
      next: "retry",
      exit: 3,
      hints: [`it is asked again after ${quiet.until}`],
    },
  );
}
