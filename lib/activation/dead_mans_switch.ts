/**
 * The dead-man's switch: a timer of systemd that rolls the host back to the
 * previous system unless a run disarms it. It needs nothing of ours. So it
 * works even if this program, its service or its state is missing.
 *
 * @module
 */
import { say } from "../base/effects.ts";
import { exitCodes, SyncError } from "../base/errors.ts";
import type { Config } from "../config/schema.ts";
import { bootId, hasSystemd, runningSystem } from "../host/system.ts";
import {
  activityOf,
  armTimer,
  deadMansSwitch,
  resetFailed,
  restartUnits,
  stopUnits,
} from "../host/systemd.ts";
import type { Run } from "../run/run.ts";
import { unchecked } from "./switching.ts";

const timer = `${deadMansSwitch}.timer`;
const service = `${deadMansSwitch}.service`;

/**
 * Returns how long an attempt may take from its activation to its confirmation.
 * A rollback arms the switch again.
 *
 * @returns milliseconds
 */
function patienceOf(
  config: Pick<
    Config,
    "timeouts.activate" | "timeouts.health" | "health.steady"
  >,
): number {
  // Activations for `test` and `boot` and one health check. The rest is for
  // setting a profile, and for a busy machine.
  return 3 * config["timeouts.activate"] + 2 * config["timeouts.health"] +
    config["health.steady"];
}

/**
 * Arms the switch, again if it is armed: systemd then runs the previous
 * system's own activation in {@linkcode patienceOf} from now.
 *
 * @throws {SyncError} `not-armed`: then nothing may be activated.
 */
export async function arm(run: Run, previous: string | null): Promise<void> {
  if (!hasSystemd()) {
    return say(
      run.effects,
      "notice",
      "systemd does not run here: there is no dead-man's switch, and the activation runs directly",
    );
  }
  if (previous === null) return;
  await disarm(run);
  // If the old timer could not be removed, it keeps its name, and this one
  // fails.
  const finished = await run.effects.run(armTimer(
    deadMansSwitch,
    [`${previous}/bin/switch-to-configuration`, "test"],
    Math.ceil(patienceOf(run.config) / 1000),
    unchecked,
  ));
  if (finished.code === 0) return;
  throw new SyncError("Cannot arm the dead-man's switch", {
    stage: "activate",
    reason: "not-armed",
    next: "retry",
    exit: exitCodes.build,
    details: [finished.stderr.trim()],
    hints: ["Check systemd: `systemctl status`. The host was not changed."],
  });
}

/**
 * Gives the rollback a switch of its own, with its full time. The armed switch
 * is never removed meanwhile, because systemd may be unable to arm another one.
 *
 * @throws {SyncError} `not-armed`.
 */
export async function rearm(run: Run, previous: string | null): Promise<void> {
  if (!hasSystemd()) return;
  const restarted = await run.effects.run(restartUnits(timer));
  await waitForEnd(run);
  if (restarted.code !== 0) await arm(run, previous);
}

/**
 * Disarms the switch. If it has already fired, this waits for its end, because
 * two switches at once would be worse than either.
 *
 * @returns whether systemd confirms that it is disarmed.
 */
export async function disarm(run: Run): Promise<boolean> {
  if (!hasSystemd()) return true;
  for (let tries = 1;; tries++) {
    await run.effects.run(stopUnits(timer));
    const isOver = await waitForEnd(run);
    await run.effects.run(resetFailed(service));
    const activity = await activityOf(run.effects, timer);
    if (isOver && isAtRest(activity)) return true;
    if (tries === 3) return false;
    await run.effects.sleep(1000);
  }
}

/** Disarms the switch, and only reports a failure. */
export async function disarmOrTell(run: Run): Promise<void> {
  if (await disarm(run)) return;
  say(
    run.effects,
    "warning",
    "Cannot disarm the dead-man's switch: it rolls the host back to the previous system",
    [`Check its timer: \`systemctl status ${timer}\`.`],
  );
}

/**
 * @returns whether it has ended; `false` if nothing can stop it or systemd does
 * not answer.
 */
async function waitForEnd(run: Run): Promise<boolean> {
  const { effects, config } = run;
  const end = effects.monotonic() + config["timeouts.activate"];
  for (let stops = 0, silent = 0;;) {
    const activity = await activityOf(effects, service);
    if (isAtRest(activity)) return true;
    if (activity === "") silent++;
    if (stops === mostStops || silent === mostSilent) return false;
    if (effects.monotonic() > end) {
      await effects.run(stopUnits(service));
      stops++;
    }
    await effects.sleep(200);
  }
}

/** How often a switch that takes too long is stopped. */
const mostStops = 3;

/** How often systemd may fail to answer. */
const mostSilent = 5;

async function isAtWork({ effects }: Run): Promise<boolean> {
  const activity = await activityOf(effects, service);
  return /^(activating|deactivating|active)$/.test(activity);
}

/** Returns whether systemd reports a unit as idle. */
function isAtRest(activity: string): boolean {
  return /^(inactive|failed|unknown)$/.test(activity);
}

/**
 * Returns whether the switch has rolled the host back, judged by facts: it was
 * armed in this boot, nobody disarmed it, it no longer exists, and the previous
 * system runs. Call it before the switch is disarmed.
 */
export async function hasFired(run: Run): Promise<boolean> {
  const { previous, candidate, target, bootId: boot, ...rest } = run.attempt;
  if (!hasSystemd() || !rest.touched || rest.undoing) return false;
  if (target.operation === "boot" || boot !== bootId()) return false;
  if (!previous?.running || previous.running === candidate) return false;
  if (await isAtWork(run)) return true;
  const isArmed = await activityOf(run.effects, timer) === "active";
  return !isArmed && runningSystem() === previous.running;
}

/** Returns the error for a run that was slower than the switch. */
export function firedError(run: Run): SyncError {
  const { stage } = run.attempt;
  return new SyncError(
    `The ${stage} stage did not end in time, so the dead-man's switch rolled the host back`,
    {
      stage,
      reason: "dead-mans-switch",
      next: "hold",
      hints: [
        "Find out what took so long: `journalctl -u gitops-sync -u 'gitops-sync-*'`. Then run `gitops-sync retry`.",
      ],
    },
  );
}
