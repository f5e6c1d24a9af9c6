/**
 * The last query to the remote and its answer: `asked.json` in the state
 * folder. A run without changes only updates the file's time
 * (lib/sync/settled.ts), so the file's time is the time of the query.
 *
 * @module
 */
import type { Tip } from "../base/tip.ts";
import { writeWhole } from "../host/files.ts";
import { isText, object, optional } from "./shape.ts";

/** A query and its result. */
export interface Asked {
  repository: string;
  ref: string;
  /** The tip; missing if the remote did not answer, or has no such ref. */
  tip?: Tip;
  /** Why there is no tip. */
  reason?: string;
  message?: string;
}

/** The same with its time. */
export type AskedAt = Asked & { at: Date };

const tip = object({
  revision: isText,
  kind: isText,
  name: isText,
  servedBy: optional(isText),
});

const shape = object({
  repository: isText,
  ref: isText,
  tip: optional(tip),
  reason: optional(isText),
  message: optional(isText),
});

/** The file in a state folder. */
export const askedIn = (folder: string) => `${folder}/asked.json`;

/**
 * Stores the last query. It is only for people and decides nothing, so a disk
 * that can't be written to is no failure here.
 */
export async function writeAsked(folder: string, asked: Asked): Promise<void> {
  try {
    await writeWhole(askedIn(folder), `${JSON.stringify(asked)}\n`);
  } catch {
    // The state itself can't be written then either, which is reported.
  }
}

/** Returns the last query, or `undefined` if it is unknown. */
export function readAsked(folder: string): AskedAt | undefined {
  try {
    const path = askedIn(folder);
    const asked: Asked = JSON.parse(Deno.readTextFileSync(path));
    const at = Deno.statSync(path).mtime;
    return at && shape(asked) ? { ...asked, at } : undefined;
  } catch {
    return undefined;
  }
}
