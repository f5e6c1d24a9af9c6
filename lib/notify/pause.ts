/**
 * The pause of a receiver, or of one message, after a failure.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { formatDuration } from "../base/duration.ts";
import type { Sent } from "../base/post.ts";
import type { Pause } from "./spool.ts";

/** The first pause after a failure, in milliseconds; each next one is twice it. */
const firstPause = 60_000;

/** The longest pause if the server requests none, in milliseconds. */
const longestPause = 3_600_000;

/** Reports whether a pause is still in effect. */
export function isPaused(pause: Pause | undefined, now: Date): pause is Pause {
  if (!pause) return false;
  const rest = Date.parse(pause.notBefore) - now.getTime();
  // If the clock was set back, the pause must not last forever.
  return rest > 0 && rest <= 24 * 3_600_000;
}

/**
 * Returns the next pause. It grows with each failure, and is never shorter than
 * the server requested.
 */
export function pauseAfter(
  before: Pause | undefined,
  { why, after = 0 }: Extract<Sent, { result: "later" }>,
  now: Date,
): Pause {
  const failures = (before?.failures ?? 0) + 1;
  const own = Math.min(longestPause, firstPause * 2 ** (failures - 1));
  const notBefore = new Date(now.getTime() + Math.max(own, after));
  return { failures, notBefore: notBefore.toISOString(), why };
}

/** Reports a pause. */
export function tellPause(
  effects: Pick<Effects, "tell">,
  to: string,
  { why, notBefore }: Pause,
  now: Date,
): void {
  const wait = formatDuration(Date.parse(notBefore) - now.getTime());
  say(
    effects,
    "warning",
    `Cannot deliver to ${to}: ${why}; next attempt in ${wait}`,
  );
}
