/**
 * Whether a built revision may be deployed, or waits for approval.
 *
 * @module
 */
import type { Config } from "../config/schema.ts";
import type { State, Target, Waiting } from "../state/state.ts";
import { rolledBackOf } from "./rolled_back.ts";
import { isSame, type Known } from "./same.ts";
import { sameTarget } from "./target.ts";

/** What a revision waits for. */
export interface Wait {
  /** The built revision; missing before the build. */
  waiting?: Waiting;
  /** When it is deployed without approval, ISO 8601; `null`: never. */
  until: string | null;
}

/**
 * Returns what a revision waits for before it may be deployed.
 *
 * @param system Its store path, if known. Another store path than the waiting
 * one needs another approval.
 * @returns `undefined` if it may be deployed.
 */
export function waitFor(
  { approval }: Pick<Config, "approval">,
  { waiting }: Pick<State, "waiting">,
  commit: Known,
  target: Target,
  now: Date,
  system?: string,
): Wait | undefined {
  if (approval === "none" || target.operation === "build") return undefined;
  const isIt = waiting !== undefined && isSame(waiting, commit) &&
    sameTarget(waiting.target, target) &&
    (system === undefined || waiting.system === system);
  if (!isIt) {
    return {
      until: approval === "manual" ? null : after(now, approval),
    };
  }
  if (waiting.approved) return undefined;
  if (approval === "manual") return { waiting, until: null };
  const until = after(new Date(waiting.since), approval);
  return now < new Date(until) ? { waiting, until } : undefined;
}

function after(time: Date, ms: number): string {
  return new Date(time.getTime() + ms).toISOString();
}

/**
 * Returns the revision that waits for approval. A host that was rolled back, or
 * that blocks the revision, waits for none.
 *
 * @returns `undefined` if an approval would change nothing.
 */
export function wantedOf(
  state: Pick<State, "waiting" | "holds" | "rolledBack" | "lastGood">,
): Waiting | undefined {
  const { waiting, holds } = state;
  if (!waiting || waiting.approved || rolledBackOf(state)) return undefined;
  const isHeld = holds.some((one) =>
    isSame(one, waiting) && sameTarget(one.target, waiting.target)
  );
  return isHeld ? undefined : waiting;
}

/** The monotonic clock of the machine: it counts from the boot on. */
export interface BootClock {
  /** Which boot of the kernel it is. */
  boot: string;
  /** Seconds since that boot. */
  uptime: number;
}

/** Clocks differ a little by how they are read. Milliseconds. */
const slack = 5000;

/**
 * Returns the same wait by the current clock. Within a boot, the monotonic clock
 * measures the wait, even if somebody sets the wall clock. After a reboot, the
 * wall clock counts, and a wait that would begin in the future begins now.
 */
export function anchored<T extends Pick<Waiting, "since" | "clock">>(
  waiting: T,
  now: Date,
  clock: BootClock,
): T {
  const byWall = now.getTime() - Date.parse(waiting.since);
  const known = waiting.clock;
  if (known?.boot === clock.boot) {
    const lasted = (clock.uptime - known.uptime) * 1000;
    if (Math.abs(lasted - byWall) <= slack) return waiting;
    const since = new Date(now.getTime() - lasted).toISOString();
    return { ...waiting, since };
  }
  const lasted = Math.max(0, byWall);
  const since = new Date(now.getTime() - lasted).toISOString();
  const uptime = clock.uptime - lasted / 1000;
  return { ...waiting, since, clock: { boot: clock.boot, uptime } };
}
