/**
 * The alerts that were sent, so that nobody gets the same alert twice. They
 * have their own file, which is kept even if the state can't be read.
 *
 * @module
 */
import type { Stage } from "../base/errors.ts";
import { ensurePrivateDir, readIfThere, writeWhole } from "../host/files.ts";
import { isText, isTime, object, optional, type Shape } from "./shape.ts";

/** A problem that lasts until a run succeeds. */
export interface Fault {
  /** The revision that it belongs to, if any. */
  revision?: string;
  stage: Stage;
  reason: string;
  message: string;
  /** When it began, ISO 8601. */
  since: string;
  /** `true`: the host itself is unhealthy, whatever the next runs report. */
  isBroken?: true;
}

/** A remote that does not answer for its ref. */
export interface Silence {
  /** When it began, ISO 8601. */
  since: string;
  /** `true` after an alert was sent. */
  isTold?: true;
}

/** The content of `alerts.json`. */
export interface Alerts {
  /** The last reported fault that still lasts. */
  fault?: Fault;
  silence?: Silence;
}

const pathIn = (folder: string) => `${folder}/alerts.json`;

const shape: Shape = object({
  fault: optional(
    object({ stage: isText, reason: isText, message: isText, since: isTime }),
  ),
  silence: optional(object({ since: isTime })),
});

/**
 * Returns the alerts that were sent; none if the file can't be read, because a
 * repeated alert is better than a missing one.
 */
export function readAlerts(folder: string): Alerts {
  try {
    const alerts = JSON.parse(readIfThere(pathIn(folder)) ?? "{}");
    return shape(alerts) ? alerts : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** Stores the alerts that were sent. */
export async function writeAlerts(
  folder: string,
  alerts: Alerts,
): Promise<void> {
  await ensurePrivateDir(folder);
  await writeWhole(pathIn(folder), `${JSON.stringify(alerts)}\n`);
}
