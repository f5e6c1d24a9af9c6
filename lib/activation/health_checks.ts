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
  checkCommand,
  checkHttp,
  checkPort,
  checkRemote,
  checkRoute,
} from "./probes.ts";

/** A health check that can be repeated on any system. */
export interface HealthCheck {
  name: string;
  /** @param ms The timeout. */
  at: (ms: number) => Promise<Ill | undefined>;
}

/** Returns all configured health checks other than units. */
export function healthChecksOf(run: Run, before: Standing): HealthCheck[] {
  const { config } = run;
  return [
    { name: "remote", at: () => checkRemote(run) },
    ...config["health.route"]
      ? [{ name: "route", at: () => checkRoute(run, before.routes) }]
      : [],
    ...config["health.http"].map((check, i) => ({
      name: `http ${i}`,
      at: (ms: number) => checkHttp(check, ms),
    })),
    ...config["health.tcp"].map((address) => ({
      name: `tcp ${address}`,
      at: (ms: number) => checkPort(address, ms),
    })),
    ...config["health.commands"].map((argv, i) => ({
      name: `command ${i}`,
      at: (ms: number) => checkCommand(run, argv, ms),
    })),
  ];
}

/**
 * Repeats a health check until it passes or the deadline comes; adds its name
 * to a problem.
 */
export async function checkUntil(
  deadline: Deadline,
  { name, at }: HealthCheck,
): Promise<Ill | undefined> {
  const ill = await deadline.until(at);
  return ill && { ...ill, look: name };
}
