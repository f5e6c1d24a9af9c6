/**
 * Looks whether the host is well with the candidate running.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { count } from "../base/text.ts";
import type { Before } from "../state/state.ts";
import { hasSystemd } from "../host/system.ts";
import { defaultRoutes } from "../host/routes.ts";
import { Deadline, type Ill } from "../run/deadline.ts";
import {
  commandIsWell,
  httpIsWell,
  portIsWell,
  remoteIsWell,
  routeIsWell,
} from "./probes.ts";
import type { Run } from "../run/run.ts";
import { unitsAreWell, unitsBefore } from "./units.ts";
import { type Activated, Healthy } from "../run/stages.ts";

/** How the host is before anything is changed. */
export async function healthBefore(effects: Effects): Promise<Before> {
  const [units, routes] = await Promise.all([
    unitsBefore(effects),
    defaultRoutes(effects),
  ]);
  return { ...units, routes };
}

/** Where nothing is compared. */
export const nothingBefore: Before = { failed: [], starting: [], routes: [] };

/**
 * Checks that no unit failed that had not failed before, that the remote can
 * still be reached, and whatever the configuration names; all at once, with
 * one deadline.
 *
 * @throws {SyncError} exit 7, with everything that is not well; the caller
 * puts the previous system back.
 */
export async function checkHealth(
  run: Run,
  activated: Activated,
): Promise<Healthy> {
  const { system, commit, target } = activated;
  const candidate = { system, commit, target, done: "healthy" as const };
  if (activated.how === "later") {
    return { ...candidate, checked: "at the next boot" };
  }
  const ills = await illsOf(run, activated.before);
  if (ills.length > 0) throw unwell(ills);
  return { ...candidate, checked: checkedText(run) };
}

/** Everything that is not well when the deadline has come. */
export async function illsOf(run: Run, before: Before): Promise<Ill[]> {
  const { config } = run;
  const deadline = new Deadline(run.effects, config["timeouts.health"]);
  const looks: Promise<Ill | undefined>[] = [
    unitsAreWell(run, before, deadline),
    deadline.until(() => remoteIsWell(run)),
    ...config["health.route"]
      ? [deadline.until(() => routeIsWell(run, before.routes))]
      : [],
    ...config["health.http"].map((check) =>
      deadline.until((ms) => httpIsWell(check, ms))
    ),
    ...config["health.tcp"].map((address) =>
      deadline.until((ms) => portIsWell(address, ms))
    ),
    ...config["health.commands"].map((argv) =>
      deadline.until((ms) => commandIsWell(run, argv, ms))
    ),
  ];
  // Once something is ill for good, nothing is worth waiting for; and none of
  // them may go on after this has returned.
  const ended = await Promise.allSettled(looks.map(async (look) => {
    try {
      const ill = await look;
      if (ill) deadline.cut();
      return ill;
    } catch (error) {
      deadline.cut();
      throw error;
    }
  }));
  const failed = ended.find((one) => one.status === "rejected");
  if (failed) throw failed.reason;
  return ended.flatMap((one) =>
    one.status === "fulfilled" && one.value ? [one.value] : []
  );
}

/** What was looked at, in a few words. */
function checkedText({ config }: Run): string {
  const own = [
    ...config["health.http"],
    ...config["health.tcp"],
    ...config["health.commands"],
  ].length;
  const also = own === 0 ? "" : `, ${count(own, "check")} passed`;
  return hasSystemd()
    ? `no unit failed, the remote answers${also}`
    : `the remote answers${also} (units: systemd does not run here)`;
}

/**
 * Whether nothing is wrong but that the remote does not answer. After a boot,
 * unlike after a fetch, it may be the one that is down.
 */
export function isRemoteAlone(ills: readonly Ill[]): boolean {
  return ills.length > 0 &&
    ills.every(({ reason }) => reason === "remote-lost");
}

/** All that is not well, in one line. */
export function textOf(ills: readonly Ill[]): string {
  return ills.map(({ text }) => text).join("; ");
}

/** The evidence of all that is not well. */
export function detailsOf(ills: readonly Ill[]): string[] {
  return ills.flatMap(({ details }) => details);
}

function unwell(ills: readonly Ill[]): SyncError {
  return new SyncError(
    `The host is not well: ${textOf(ills)}`,
    {
      stage: "health",
      reason: ills[0]!.reason,
      next: "hold",
      details: detailsOf(ills),
    },
  );
}
