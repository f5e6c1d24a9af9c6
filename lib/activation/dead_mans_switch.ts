/**
 * The dead-man's switch: a timer of systemd's own that puts the previous system
 * back unless a run disarms it. It needs nothing of ours, so that it works
 * where this program, its service or its state is gone.
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
 * How long an attempt may take from its activation to its confirmation. The
 * way back arms the switch anew.
 *
 * @returns milliseconds
 */
function patienceOf(
  config: Pick<
    Config,
    "timeouts.activate" | "timeouts.health" | "health.steady"
  >,
): number {
  // Activations for `test` and `boot` and one health check; the rest is for a
  // profile to be set, and a busy machine.
  return 3 * config["timeouts.activate"] + 2 * config["timeouts.health"] +
    config["health.steady"];
}

/**
 * Arms the switch, anew where it is armed: systemd then runs the previous
 * system's own activation in {@linkcode patienceOf} from now.
 *
 * @throws {SyncError} `not-armed`: nothing may be activated then.
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
  // A timer that can't be let go of keeps its name, and this one fails.
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
 * Gives the way back a switch of its own, with all of its time. What is armed
 * is never let go of meanwhile: systemd may be unable to arm another.
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
 * Disarms the switch. Where it is at work already, this waits for its end,
 * since two switches at once would be worse than either.
 *
 * @returns whether it is disarmed for sure: systemd says so itself.
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

/** The same, where there is nothing that could be done about it but to tell. */
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
 * @returns whether it is at its end; not where nothing can end it, or where
 * systemd does not say.
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

/** How often systemd may give no answer. */
const mostSilent = 5;

async function isAtWork({ effects }: Run): Promise<boolean> {
  const activity = await activityOf(effects, service);
  return /^(activating|deactivating|active)$/.test(activity);
}

/** Whether systemd says of a unit that it does nothing. */
function isAtRest(activity: string): boolean {
  return /^(inactive|failed|unknown)$/.test(activity);
}

/**
 * Whether the switch has put the previous system back, told by facts: it was
 * armed in this boot, nobody disarmed it, it is gone, and that system runs.
 * To be asked before it is disarmed.
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

/** What a run has to say that the switch was faster than. */
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
