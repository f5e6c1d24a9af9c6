/**
 * Runs what changes the host outside of our own sandbox: in a systemd unit of
 * its own where there is systemd.
 *
 * @module
 */
import { Run } from "./run.ts";
import { hasSystemd, startTimeOf } from "../host/system.ts";
import { UnseenError } from "../process/kernel.ts";
import {
  askUnitEnd,
  hasStarted,
  isStopping,
  resetFailed,
  runInUnit,
  stopUnits,
  type UnitEnd,
  unitEnd,
  type Variables,
} from "../host/systemd.ts";
import type { Effects } from "../base/effects.ts";
import { journalFields } from "../host/journal_fields.ts";
import { safeLines } from "../base/text.ts";
import { SyncError } from "../base/errors.ts";
import { type OnLine, UnitLines } from "./unit_lines.ts";

/** How a call of `switch-to-configuration`, or of what goes with it, ended. */
export interface Switched {
  code: number;
  timedOut: boolean;
  /** The end of what it wrote. */
  lines: readonly string[];
  /** All that it wrote, as far as it matters. */
  said: readonly string[];
  /** `true`: systemd did not run it at all. */
  isUnstarted?: true;
}

/** What a call has beside its words. */
export interface More {
  /** Variables that it has beside the usual ones. */
  env?: Variables;
  /** Told each line that it writes, as it comes. */
  onLine?: OnLine;
}

const silent: OnLine = () => {};

/** How a program ended, for a message. */
export function endOf({ code, timedOut, isUnstarted }: Switched): string {
  if (isUnstarted) return "systemd could not start it";
  if (timedOut) return "it took too long and was ended";
  return code > 128
    ? `it was ended by signal ${code - 128}`
    : `it ended with code ${code}`;
}

/**
 * Runs what changes the host: our own unit may not write to it, so systemd,
 * where it is there, does that in a unit of its own.
 *
 * @param timeout Milliseconds.
 */
export async function runOutside(
  run: Run,
  argv: readonly string[],
  timeout: number,
  more: More = {},
): Promise<Switched> {
  return hasSystemd()
    ? await inUnit(run, argv, timeout, more)
    : await directly(run, argv, timeout, more);
}

/** systemd starts nothing while it starts itself anew: it is asked again. */
export async function inUnit(
  run: Run,
  argv: readonly string[],
  timeout: number,
  more: More = {},
): Promise<Switched> {
  for (let tries = 1;; tries++) {
    const switched = await inUnitOnce(run, argv, timeout, more);
    if (switched.isUnstarted !== true || tries === mostTries) return switched;
    await run.effects.sleep(1000);
  }
}

export const mostTries = 3;

/** The exit code of a program that SIGTERM ended. */
const terminated = 128 + 15;

export async function inUnitOnce(
  run: Run,
  argv: readonly string[],
  timeout: number,
  { env = {}, onLine = silent }: More,
): Promise<Switched> {
  const { effects } = run;
  const unit = unitFor(run.attempt.id, effects.now());
  const { id, stage, commit: { revision } } = run.attempt;
  const written = new UnitLines(effects, unit, onLine);
  const command = runInUnit(
    unit,
    argv,
    Math.ceil(timeout / 1000),
    journalFields(id, revision, stage),
    env,
  );
  const finished = await written.during(() => effects.run(command));
  let end = unitEnd(finished.stderr);
  if (end?.result === "success" && end.code === 0) {
    return await ended(written);
  }
  // systemd ends each of our processes so, when our service is stopped. One
  // that is killed in another way says nothing about the service.
  const isOurEnd = !end && !finished.timedOut &&
    (finished.code === terminated || await isStopping(effects));
  if (isOurEnd) throw stopped(run);
  if (!end && !finished.timedOut && hasStarted(finished.stderr)) {
    end = await waitForUnit(effects, `${unit}.service`, timeout);
    if (end?.code === 0) return await ended(written);
  }
  // Whatever of it still runs, nothing else may be switched beside it.
  await effects.run(stopUnits(`${unit}.service`));
  const said = await written.all();
  const lines = said.slice(-15);
  // A unit that stays failed would be taken for a fault of the host.
  await effects.run(resetFailed(`${unit}.service`));
  return {
    // Where nobody can tell how it ended, it did not end well.
    code: end ? end.code : finished.code || 1,
    timedOut: finished.timedOut || end?.result === "timeout",
    lines: lines.length > 0 ? lines : safeLines(finished.stderr),
    said,
    ...(end || finished.timedOut || hasStarted(finished.stderr)
      ? {}
      : { isUnstarted: true }),
  };
}

async function ended(written: UnitLines): Promise<Switched> {
  const said = await written.all();
  return { code: 0, timedOut: false, lines: [], said };
}

/**
 * Waits for a unit that nobody waits for any more: a switch that restarts D-Bus
 * goes on when `systemd-run` has ended.
 *
 * @returns `undefined` where that can't be told, or takes too long.
 */
async function waitForUnit(
  effects: Effects,
  unit: string,
  timeout: number,
): Promise<UnitEnd | undefined> {
  const end = effects.monotonic() + timeout;
  for (;;) {
    const found = await askUnitEnd(effects, unit);
    if (found !== "active" && found !== undefined) return found;
    if (effects.monotonic() > end) return undefined;
    await effects.sleep(500);
  }
}

/**
 * Our own service is being stopped, perhaps by the very switch that we wait
 * for and that would wait for us: so we leave it to the next run, and to the
 * dead-man's switch where there is none.
 */
export function stopped(run: Run): SyncError {
  return new SyncError(
    "This run was stopped during an activation, which continues by itself",
    {
      stage: run.attempt.stage,
      reason: stoppedReason,
      next: "retry",
      exit: 3,
      hints: [
        "Wait for the next run, or run `gitops-sync sync`: it finishes or undoes the activation.",
      ],
    },
  );
}

export const stoppedReason = "stopped";

/** Whether an error means that the journal must stay for the next run. */
export function isStopped(error: unknown): boolean {
  return error instanceof SyncError && error.reason === stoppedReason;
}

/** Every call has its own name: a failed unit would keep a fixed one. */
export function unitFor(id: string, now: Date): string {
  return `gitops-sync-activate-${id}-${now.getTime().toString(36)}`;
}

/** The switch has begun, and goes on where nobody can look at it. */
function startOf(pid: number): string | undefined {
  try {
    return startTimeOf(pid);
  } catch (error) {
    if (error instanceof UnseenError) return undefined;
    throw error;
  }
}

export async function directly(
  run: Run,
  argv: readonly string[],
  timeout: number,
  { env = {}, onLine = silent }: More,
): Promise<Switched> {
  const [program, ...args] = argv;
  const finished = await run.effects.run({
    program: program!,
    args,
    env,
    timeout,
    shielded: true,
    onStart: async (pid) => {
      const startTime = startOf(pid);
      if (startTime) await run.noteIfPossible({ process: { pid, startTime } });
    },
    onLine,
  });
  const stdout = new TextDecoder().decode(finished.stdout);
  for (const line of safeLines(stdout)) onLine(line);
  const lines = safeLines(`${stdout}\n${finished.stderr}`);
  return {
    code: finished.code,
    timedOut: finished.timedOut,
    lines: lines.slice(-15),
    said: lines,
  };
}
