/**
 * When the remote was asked last, and what it answered: `asked.json` in the
 * state folder. A run that finds everything as it was only sets the file's
 * time anew (lib/sync/settled.ts), so the time is that of the file.
 *
 * @module
 */
import type { Tip } from "../base/tip.ts";
import { writeWhole } from "../host/files.ts";
import { isText, object, optional } from "./shape.ts";

/** What was asked, and what came of it. */
export interface Asked {
  repository: string;
  ref: string;
  /** What the remote named; none: it did not answer, or has no such name. */
  tip?: Tip;
  /** Why there is no answer. */
  reason?: string;
  message?: string;
}

/** The same with when that was. */
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
 * Writes down what the remote was asked last. It is told to people and decides
 * nothing, so a disk that can't be written to is no failure here.
 */
export async function writeAsked(folder: string, asked: Asked): Promise<void> {
  try {
    await writeWhole(askedIn(folder), `${JSON.stringify(asked)}\n`);
  } catch {
    // The state itself can't be written then either, which is told.
  }
}

/** What the remote was asked last; nothing where that is not known. */
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
