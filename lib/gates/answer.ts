/**
 * The answer of a gate, and its subject.
 *
 * @module
 */
import type { Commit, Target } from "../state/state.ts";

/** Whether a gate is open for a revision. */
export interface Answer {
  isOpen: boolean;
  /** The reason, in a few words. */
  why: string;
  /** When it opens by itself, if that is known. ISO 8601. */
  until?: string;
  /** The pause that a server requests, in milliseconds. */
  after?: number;
}

/** The built system that gates decide about. */
export interface Subject {
  commit: Commit;
  target: Target;
  system: string;
  /** Whether it comes from the testing branch. */
  isTest: boolean;
}

/** Returns a closed answer: a gate that can't be checked is closed. */
export function closed(why: string, after?: number): Answer {
  return { isOpen: false, why, ...after === undefined ? {} : { after } };
}
