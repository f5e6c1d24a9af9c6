/**
 * What stops a sync from changing the host, by name: for whoever tells it
 * before a run does.
 *
 * @module
 */
import { short } from "../base/text.ts";
import type { Suspension } from "../state/suspension.ts";
import type { Decision } from "./decide.ts";

/** One thing that stops a sync. */
export interface Stop {
  kind:
    | "suspended"
    | "rolled-back"
    | "held"
    | "unapproved"
    | "paused"
    | "outside-window";
  /** Why, in one line. */
  why: string;
  /** When it ends by itself, ISO 8601; `null`: it does not, or nobody knows. */
  until: string | null;
  /** What a person types to end it, without the name of the program. */
  command: string;
}

/**
 * What stops a sync, the first one first: a suspension, and what was decided.
 *
 * @returns none where a sync would do what was decided.
 */
export function stopsOf(
  decision: Decision,
  suspension: Suspension | undefined,
): Stop[] {
  const stop = stopOf(decision);
  return [
    ...suspension ? [suspended(suspension)] : [],
    ...stop ? [stop] : [],
  ];
}

function suspended({ reason, until }: Suspension): Stop {
  const why = `this host is suspended${reason ? `: ${reason}` : ""}`;
  return { kind: "suspended", why, until, command: "resume" };
}

function stopOf(decision: Decision): Stop | undefined {
  switch (decision.kind) {
    case "rolled-back": {
      const { by, at, reason } = decision.rolledBack;
      return {
        kind: "rolled-back",
        why: `${by} rolled this host back at ${at}${
          reason ? `: ${reason}` : ""
        }`,
        until: null,
        command: "resume",
      };
    }
    case "held": {
      const { revision, message } = decision.hold;
      const why = `${short(revision)} is held: ${message}`;
      return { kind: "held", why, until: null, command: "retry" };
    }
    case "unapproved": {
      const revision = short(decision.waiting.revision);
      return {
        kind: "unapproved",
        why: `${revision} waits for approval`,
        until: decision.until,
        command: `approve ${revision}`,
      };
    }
    case "wait": {
      const { revision, notBefore } = decision.backoff;
      const why = `${short(revision)} failed for what may pass`;
      return { kind: "paused", why, until: notBefore, command: "sync --now" };
    }
    case "outside":
      return {
        kind: "outside-window",
        why: "no window of windows.deploy is open",
        until: decision.opening,
        command: "sync --now",
      };
    default:
      return undefined;
  }
}
