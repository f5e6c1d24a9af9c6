/**
 * The shapes of the parts of `state.json`.
 *
 * @module
 */
import {
  areSigners,
  isFlag,
  isNumber,
  isText,
  isTime,
  listOf,
  object,
  optional,
  type Shape,
} from "./shape.ts";
import { slotShape, slotWaitShape } from "./slot.ts";
import type { State } from "./state.ts";

const target = object({
  repository: isText,
  ref: isText,
  directory: isText,
  host: isText,
  operation: isText,
});

const commit = {
  revision: isText,
  subject: isText,
  author: isText,
  signers: areSigners,
  digest: optional(isText),
};

const deployment = object({
  ...commit,
  target,
  system: isText,
  failing: optional(listOf(isText)),
  loaders: optional(listOf(isText)),
});

const hold = object({
  revision: isText,
  digest: optional(isText),
  target,
  stage: isText,
  reason: isText,
  message: isText,
  hints: listOf(isText),
});

const accepted = object({
  revision: isText,
  digest: optional(isText),
  repository: optional(isText),
  ref: optional(isText),
  until: optional(isText),
});

const maybe = optional(isText);

const waiting = object({
  ...commit,
  target,
  system: isText,
  since: isTime,
  clock: optional(object({ boot: isText, uptime: isNumber })),
  approved: optional(object({ by: isText, at: isText })),
});

const gated = object({
  ...commit,
  target,
  system: isText,
  since: isTime,
  at: isTime,
  notBefore: isTime,
  gates: listOf(object({
    name: isText,
    isOpen: isFlag,
    since: isTime,
    why: isText,
    until: optional(isTime),
  })),
});

/** The fields that an attempt needs; a line without them is ignored. */
export const historyEntry = object({
  id: isText,
  at: isTime,
  ms: isNumber,
  result: isText,
  exit: isNumber,
  revision: maybe,
  subject: maybe,
  author: maybe,
  signers: areSigners,
  stages: listOf(object({ stage: isText, ms: isNumber })),
  stage: maybe,
  reason: maybe,
  message: maybe,
  by: maybe,
  why: maybe,
});

/**
 * The parts that a run relies on: it can't continue if one of them is wrong.
 */
const requiredParts: Partial<Record<keyof State, Shape>> = {
  holds: listOf(hold),
  earlier: listOf(deployment),
  lastGood: optional(deployment),
  followed: optional(listOf(object({
    repository: isText,
    ref: isText,
    revision: isText,
    digest: optional(isText),
    kind: isText,
    name: optional(isText),
  }))),
  attempt: optional(object({
    id: isText,
    commit: object(commit),
    target,
    startedAt: isTime,
    stage: isText,
    by: maybe,
    failedBefore: optional(listOf(isText)),
    ranBefore: optional(listOf(isText)),
  })),
  rolledBack: optional(object({
    by: isText,
    at: isText,
    system: isText,
    reason: maybe,
  })),
  waiting: optional(waiting),
  gated: optional(gated),
  sightings: optional(listOf(object({
    repository: isText,
    ref: isText,
    revision: isText,
    name: maybe,
    since: isTime,
    clock: optional(object({ boot: isText, uptime: isNumber })),
  }))),
  testing: optional(object({
    revision: isText,
    ref: isText,
    base: isText,
    deployment: optional(deployment),
  })),
  accepted: optional(listOf(accepted)),
  unfollow: optional(accepted),
  heeded: optional(listOf(isText)),
  firstTrusted: optional(object({ repository: isText, revision: isText })),
  // Without it a slot of the fleet would never be given back.
  slot: optional(slotShape),
  reboot: optional(object({
    at: isText,
    bootId: isText,
    revision: isText,
    system: isText,
    why: listOf(isText),
    backTo: maybe,
    before: object({
      failed: listOf(isText),
      starting: listOf(isText),
      routes: listOf(isText),
    }),
  })),
};

/**
 * The parts that are only shown or save work: a wrong one does not stop a run.
 */
const optionalParts: Partial<Record<keyof State, Shape>> = {
  last: object({ message: isText, hints: listOf(isText) }),
  seen: object({ ref: isText, revision: isText, at: isText }),
  built: deployment,
  unfit: isText,
  backoff: object({ revision: isText, failures: isNumber, notBefore: isText }),
  unwritten: listOf(historyEntry),
  untold: listOf(object({ id: isText, waiting: object({ channel: isText }) })),
  cutOff: object({
    revision: isText,
    digest: optional(isText),
    times: isNumber,
  }),
  quiet: listOf(
    object({ repository: isText, until: isText, asked: isNumber }),
  ),
  isolation: isText,
  slotWait: slotWaitShape,
  unreached: object({
    id: isText,
    since: isTime,
    at: isTime,
    tries: isNumber,
    exit: isNumber,
    reason: isText,
    message: isText,
  }),
};

/** Returns the name of a required part with a wrong shape. */
export function wrongPart(state: State): string | undefined {
  return Object.entries(requiredParts)
    .find(([name, shape]) => !shape(state[name as keyof State]))?.[0];
}

/** Returns the state without wrong parts that no run needs. */
export function withoutWrongParts(state: State): State {
  const parts = Object.entries(state).filter(([name, value]) =>
    optionalParts[name as keyof State]?.(value) ?? true
  );
  return Object.fromEntries(parts) as unknown as State;
}
