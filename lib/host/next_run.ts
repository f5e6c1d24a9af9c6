/**
 * Queries systemd for the time of the next run.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { hasSystemd } from "./system.ts";

/** The timer that starts runs. */
const timer = "gitops-sync.timer";

/** The timeout of the query, in milliseconds. */
const patience = 5_000;

/** The time of the next run, or why it is unknown. */
export type NextRun =
  | { at: Date; why?: never }
  | { at?: never; why: string };

/**
 * Queries systemd when the timer starts the next run. systemd adds the random
 * delay, and turns times that are relative to an event into points in time.
 */
export async function nextRun(effects: Pick<Effects, "run">): Promise<NextRun> {
  if (!hasSystemd()) return { why: "systemd does not run here" };
  try {
    const { code, stdout } = await effects.run({
      program: "systemctl",
      args: ["list-timers", "--all", "--output=json", "--", timer],
      // The current folder may be closed to this user: sudo -u somebody.
      cwd: "/",
      timeout: patience,
    });
    if (code !== 0) return { why: noAnswer };
    return nextOf(new TextDecoder().decode(stdout));
  } catch {
    return { why: "systemctl cannot be run" };
  }
}

const noAnswer = "systemd gives no valid answer";

/**
 * Reads the answer of `systemctl list-timers --output=json`: a list of timers
 * with `next` in microseconds since 1970; 0 or null if there is no next time.
 */
export function nextOf(text: string): NextRun {
  let timers: unknown;
  try {
    timers = JSON.parse(text);
  } catch {
    return { why: noAnswer };
  }
  const found = Array.isArray(timers)
    ? timers.find((one) => one?.unit === timer)
    : undefined;
  if (!found) return { why: `${timer} does not exist` };
  const unscheduled = { why: `${timer} has no next run scheduled` };
  const { next } = found;
  if (typeof next !== "number" || next <= 0) return unscheduled;
  const at = new Date(next / 1000);
  // The largest number means never.
  return Number.isNaN(at.getTime()) || at.getUTCFullYear() > 9999
    ? unscheduled
    : { at };
}
