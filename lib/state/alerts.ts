/**
 * What somebody was told of, so that nobody is told of the same twice. A file
 * of its own: it is also kept where the state can't be read.
 *
 * @module
 */
import type { Stage } from "../base/errors.ts";
import { ensurePrivateDir, readIfThere, writeWhole } from "../host/files.ts";
import { isText, isTime, object, optional, type Shape } from "./shape.ts";

/** Something that is wrong until a run ends well. */
export interface Fault {
  /** The revision that it is about, if it is about one. */
  revision?: string;
  stage: Stage;
  reason: string;
  message: string;
  /** When it began, ISO 8601. */
  since: string;
  /** `true`: the host itself is not well, whatever the next runs say. */
  isBroken?: true;
}

/** A remote that does not say where its ref is. */
export interface Silence {
  /** When it began, ISO 8601. */
  since: string;
  /** `true` once somebody was told. */
  isTold?: true;
}

/** The content of `alerts.json`. */
export interface Alerts {
  /** The fault that was told last, and is not over. */
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
 * What was told. Where the file can't be read, nothing was: to be told twice is
 * better than not at all.
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

/** Remembers what was told. */
export async function writeAlerts(
  folder: string,
  alerts: Alerts,
): Promise<void> {
  await ensurePrivateDir(folder);
  await writeWhole(pathIn(folder), `${JSON.stringify(alerts)}\n`);
}
