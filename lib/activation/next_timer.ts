/**
 * Checks whether the candidate's timer starts its service repeatedly.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { propertiesOf } from "../host/systemd.ts";
import type { Deadline } from "../run/deadline.ts";
import type { Run } from "../run/run.ts";
import { type Copies, timerCopy } from "./next_copies.ts";
import { type Lack, nextReasons } from "./next_reasons.ts";
import { service, timer, unitText } from "./next_units.ts";

type Properties = Readonly<Record<string, string>>;

/**
 * Checks the timer and the service that it starts.
 *
 * @param isLater Whether the candidate waits for the next boot, so that its
 * units are not loaded yet.
 */
export async function timerProblem(
  run: Run,
  copies: Copies,
  system: string,
  isLater: boolean,
  deadline: Deadline,
): Promise<Lack | undefined> {
  const text = unitText(system, timer);
  if (text === undefined) return lack(`it has no ${timer}`);
  if (isLater) {
    if (!isWanted(system)) return lack(`nothing starts its ${timer} at boot`);
    await copies.give(timerCopy, text);
    return repeatProblem(await readTimer(run.effects, timerCopy));
  }
  // A switch starts the timer, which starts the service at once.
  for (;;) {
    const problem = await liveProblem(run.effects);
    if (!problem || deadline.left <= 0) return problem;
    await run.effects.sleep(Math.max(1, Math.min(500, deadline.left)));
  }
}

/** Returns whether a boot starts the timer (systemd.unit(5), `.wants`). */
function isWanted(system: string): boolean {
  const folder = `${system}/etc/systemd/system/timers.target.wants`;
  try {
    Deno.lstatSync(`${folder}/${timer}`);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Returns a problem of the running system's timer or service, if any. */
export async function liveProblem(effects: Effects): Promise<Lack | undefined> {
  const found = await readTimer(effects, timer);
  const started = await propertiesOf(effects, service, [
    "LoadState",
    "ActiveState",
  ]);
  if (started.LoadState !== "loaded") {
    return {
      ...lack(`its ${service} is ${started.LoadState || "unknown"}`),
      reason: nextReasons.service,
    };
  }
  return repeatProblem(found) ??
    activeProblem(found, started.ActiveState ?? "");
}

function readTimer(effects: Effects, unit: string): Promise<Properties> {
  return propertiesOf(effects, unit, [
    "LoadState",
    "ActiveState",
    "SubState",
    "TimersMonotonic",
    "TimersCalendar",
    "NextElapseUSecRealtime",
    "NextElapseUSecMonotonic",
  ]);
}

/**
 * Returns a problem of a timer that should be waiting, if any. While its
 * service runs, a timer that counts from the service's end has no next time
 * yet.
 *
 * @param serviceState The `ActiveState` of its service.
 */
export function activeProblem(
  found: Properties,
  serviceState: string,
): Lack | undefined {
  const { ActiveState, SubState } = found;
  if (ActiveState !== "active") {
    return lack(`its ${timer} is ${ActiveState || "unknown"}`);
  }
  const works = /^(active|activating|deactivating|reloading)$/;
  if (SubState === "running" && works.test(serviceState)) return undefined;
  if (SubState === "waiting" && hasNext(found)) return undefined;
  return lack(`its ${timer} is ${SubState} and has no next run`);
}

function hasNext(found: Properties): boolean {
  return [found.NextElapseUSecRealtime, found.NextElapseUSecMonotonic]
    .some((text) => text !== undefined && !/^(|0|infinity|n\/a)$/.test(text));
}

/**
 * Returns a problem if a timer does not repeat: one that only counts from the
 * boot runs once.
 */
export function repeatProblem(found: Properties): Lack | undefined {
  if (found.LoadState !== "loaded") {
    return lack(`systemd cannot load its ${timer}: it is ${found.LoadState}`);
  }
  const repeats = /OnUnit(?:Inactive|Active)USec=(?!0 |0s? |infinity)/.test(
    found.TimersMonotonic ?? "",
  ) || /OnCalendar=/.test(found.TimersCalendar ?? "");
  return repeats ? undefined : lack(
    `its ${timer} does not repeat: it has no valid OnUnitInactiveSec, OnUnitActiveSec or OnCalendar`,
  );
}

function lack(text: string): Lack {
  return {
    reason: nextReasons.timer,
    text,
    details: [],
    hints: [
      `Check services.gitops.frequency in the repository, and the timer: \`systemctl status ${timer}\`.`,
    ],
  };
}
