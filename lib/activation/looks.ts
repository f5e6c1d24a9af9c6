/**
 * Defines the health checks other than units, for the candidate, and again for
 * the previous system.
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

/** A health check that can be repeated on any system. */
export interface Look {
  name: string;
  /** @param ms The timeout. */
  at: (ms: number) => Promise<Ill | undefined>;
}

/** Returns all configured health checks other than units. */
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

/**
 * Repeats a health check until it passes or the deadline comes; adds its name
 * to a problem.
 */
export async function lookUntil(
  deadline: Deadline,
  { name, at }: Look,
): Promise<Ill | undefined> {
  const ill = await deadline.until(at);
  return ill && { ...ill, look: name };
}
