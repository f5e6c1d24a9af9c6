/**
 * A request of a button: one small file. The server writes it, and a unit of
 * root reads it. Neither starts the other.
 *
 * The file must be exactly what {@linkcode textOf} writes. So each request has
 * only one form, and nothing is ambiguous.
 *
 * @module
 */
import { parseDuration } from "../base/duration.ts";
import { oneLine } from "../base/text.ts";
import { type ButtonKind, isUserName } from "../config/serve_kinds.ts";

/** The actions of buttons. */
export const actions = [
  "sync",
  "retry",
  "rollback",
  "suspend",
  "resume",
  "approve",
] as const;

/** One of {@linkcode actions}. */
export type Action = (typeof actions)[number];

/** The actions of each kind. */
export const kinds: Readonly<Record<ButtonKind, readonly Action[]>> = {
  runs: ["sync", "retry", "rollback"],
  words: ["suspend", "resume", "approve"],
};

/** Returns the kind of an action. */
export function kindOf(action: Action): ButtonKind {
  return kinds.runs.includes(action) ? "runs" : "words";
}

/** A request. */
export interface Request {
  version: 1;
  /** When, ISO 8601 with milliseconds. */
  at: string;
  /** Who requested it, according to the server. */
  by: string;
  action: Action;
  /** The length of a suspension. Without it, until `resume`. */
  for?: string;
  /** The reason, for `suspend` and `rollback`. */
  reason?: string;
  /** The full hash, for `approve` and `rollback`. */
  revision?: string;
}

/** The optional and the required fields of each action. */
const fields: Readonly<
  Record<Action, { may: readonly Field[]; needs: readonly Field[] }>
> = {
  sync: { may: [], needs: [] },
  retry: { may: [], needs: [] },
  rollback: { may: ["reason"], needs: ["revision"] },
  suspend: { may: ["for", "reason"], needs: [] },
  resume: { may: [], needs: [] },
  approve: { may: [], needs: ["revision"] },
};

/** A field that only some actions have. */
export type Field = "for" | "reason" | "revision";

/** The limit of a reason, in characters. */
const longestReason = 200;

/** The longest suspension by a button, in milliseconds. */
const longestSpan = 90 * 86_400_000;

const forms: Readonly<Record<Field, (value: string) => boolean>> = {
  for: (value) => {
    const span = value.length <= 20 ? parseDuration(value) : undefined;
    return span !== undefined && span > 0 && span <= longestSpan;
  },
  reason: (value) =>
    value !== "" && value.length <= longestReason &&
    oneLine(value, longestReason) === value,
  revision: (value) => /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(value),
};

/**
 * Makes a request of untrusted input.
 *
 * @param given Any fields. Only those of this action are allowed.
 * @returns `undefined` if a field is missing, unknown or invalid.
 */
export function requestOf(
  action: string,
  by: string,
  at: string,
  given: Readonly<Record<string, unknown>>,
): Request | undefined {
  const known = actions.find((one) => one === action);
  if (known === undefined || !isUserName(by) || !isMoment(at)) return undefined;
  const { may, needs } = fields[known];
  const names = Object.keys(given);
  const isKnown = names.every((name) =>
    [...may, ...needs].includes(name as Field)
  );
  const isWhole = needs.every((name) => names.includes(name));
  const isGood = isKnown && isWhole && names.every((name) => {
    const value = given[name];
    return typeof value === "string" && forms[name as Field](value);
  });
  return isGood
    ? { version: 1, at, by, action: known, ...given as Partial<Request> }
    : undefined;
}

function isMoment(at: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(at) &&
    !Number.isNaN(Date.parse(at));
}

/** Returns the text of a request. */
export function textOf(request: Request): string {
  const { version, at, by, action, for: span, reason, revision } = request;
  const ordered = { version, at, by, action, for: span, reason, revision };
  return `${JSON.stringify(ordered)}\n`;
}

/**
 * Reads a request. Returns `undefined` if it is not exactly the text of a
 * request.
 */
export function readRequest(text: string): Request | undefined {
  try {
    const { version, at, by, action, ...given } = JSON.parse(text);
    const request = version === 1 && typeof at === "string" &&
        typeof by === "string" && typeof action === "string"
      ? requestOf(action, by, at, given)
      : undefined;
    return request && textOf(request) === text ? request : undefined;
  } catch {
    return undefined;
  }
}
