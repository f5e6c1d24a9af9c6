/**
 * What a gate says, and of what.
 *
 * @module
 */
import type { Commit, Target } from "../state/state.ts";

/** Whether a gate lets a revision through. */
export interface Answer {
  isOpen: boolean;
  /** What was found, in a few words. */
  why: string;
  /** When it opens by itself, where that is known. ISO 8601. */
  until?: string;
  /** Milliseconds for which a server asks to be left alone. */
  after?: number;
}

/** The built system that gates are asked about. */
export interface Subject {
  commit: Commit;
  target: Target;
  system: string;
  /** Whether it is of the testing branch. */
  isTest: boolean;
}

/** A gate that could not be looked at is closed. */
export function closed(why: string, after?: number): Answer {
  return { isOpen: false, why, ...after === undefined ? {} : { after } };
}
