/**
 * What is looked at beside the units, with the candidate, and once more with the
 * system before it.
 *
 * @module
 */
import type { Deadline, Ill } from "../run/deadline.ts";
import type { Run } from "../run/run.ts";
import type { Standing } from "../run/standing.ts";
import {
  commandIsWell,
  httpIsWell,
  portIsWell,
  remoteIsWell,
  routeIsWell,
} from "./probes.ts";

/** Something that can be looked at again and again, whatever system runs. */
export interface Look {
  name: string;
  /** @param ms The longest that it may take. */
  at: (ms: number) => Promise<Ill | undefined>;
}

/** All that the configuration wants to be looked at, beside the units. */
export function looksOf(run: Run, before: Standing): Look[] {
  const { config } = run;
  return [
    { name: "remote", at: () => remoteIsWell(run) },
    ...config["health.route"]
      ? [{ name: "route", at: () => routeIsWell(run, before.routes) }]
      : [],
    ...config["health.http"].map((check, i) => ({
      name: `http ${i}`,
      at: (ms: number) => httpIsWell(check, ms),
    })),
    ...config["health.tcp"].map((address) => ({
      name: `tcp ${address}`,
      at: (ms: number) => portIsWell(address, ms),
    })),
    ...config["health.commands"].map((argv, i) => ({
      name: `command ${i}`,
      at: (ms: number) => commandIsWell(run, argv, ms),
    })),
  ];
}

/** The same until the deadline, with its name where it is not well. */
export async function lookUntil(
  deadline: Deadline,
  { name, at }: Look,
): Promise<Ill | undefined> {
  const ill = await deadline.until(at);
  return ill && { ...ill, look: name };
}
