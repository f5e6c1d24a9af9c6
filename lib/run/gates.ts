/**
 * What gates hold back, and when they are checked again. Pure.
 *
 * @module
 */
import type { Config } from "../config/schema.ts";
import type { Gate, Gated, State, Target } from "../state/state.ts";
import { rolledBackOf } from "./rolled_back.ts";
import { isSame, type Known } from "./same.ts";
import { soakEnd } from "./soak.ts";
import { sameTarget } from "./target.ts";

/** The options of gates; a missing option means no gate. */
export type GateOptions = Partial<
  Pick<
    Config,
    "gates.soak" | "gates.checks" | "gates.prometheus" | "gates.command"
  >
>;

/** The options of a run whose gates a person skips. */
export const noGates = {
  "gates.soak": undefined,
  "gates.checks": [],
  "gates.prometheus": [],
  "gates.command": [],
} as const;

/**
 * Returns the names of all gates, in the order in which they are checked.
 *
 * @param isTest Whether it is the testing branch, which does not soak.
 */
export function gateNames(config: GateOptions, isTest = false): string[] {
  const {
    "gates.soak": soak,
    "gates.checks": checks = [],
    "gates.prometheus": queries = [],
    "gates.command": command = [],
  } = config;
  return [
    ...soak === undefined || isTest ? [] : ["soak"],
    ...checks.map((pattern) => `checks ${pattern}`),
    ...queries.map((_, i) => `prometheus ${i + 1}`),
    ...command.length === 0 ? [] : ["command"],
  ];
}

/** Returns what is known of a built revision that gates hold back. */
export function gatedFor(
  config: GateOptions,
  { gated }: Pick<State, "gated">,
  commit: Known,
  target: Target,
  isTest = false,
): Gated | undefined {
  const hasNone = gateNames(config, isTest).length === 0;
  if (!gated || hasNone || target.operation === "build") return undefined;
  return isSame(gated, commit) && sameTarget(gated.target, target)
    ? gated
    : undefined;
}

/**
 * Returns what gates hold back now. A host that was rolled back, or that blocks
 * the revision, waits for no gate.
 */
export function gatedNow(
  state: Pick<State, "gated" | "holds" | "rolledBack" | "lastGood">,
): Gated | undefined {
  const { gated, holds, lastGood } = state;
  if (!gated || rolledBackOf(state)) return undefined;
  const isDone = lastGood !== undefined && isSame(lastGood, gated) &&
    sameTarget(lastGood.target, gated.target);
  const isHeld = holds.some((one) =>
    isSame(one, gated) && sameTarget(one.target, gated.target)
  );
  return isDone || isHeld ? undefined : gated;
}

/** Returns the closed gates. */
export const closedOf = ({ gates }: Pick<Gated, "gates">): Gate[] =>
  gates.filter(({ isOpen }) => !isOpen);

/** Returns the closed gates that were checked. */
export const askedClosed = (gated: Pick<Gated, "gates">): Gate[] =>
  closedOf(gated).filter(({ why }) => why !== unasked);

/** Returns the names of the checked, closed gates, in words. */
export function closedNames(gated: Pick<Gated, "gates">): string {
  const names = askedClosed(gated).map(({ name }) => name);
  return `${names.length === 1 ? "the gate" : "the gates"} ${names.join(", ")}`;
}

/** The reason of a gate that comes after a closed one. */
export const unasked = "not asked yet";

/** Whether it is time to check the gates again. */
export function isDue(
  { gates, at, notBefore }: Gated,
  config: GateOptions,
  isTest: boolean,
  now: Date,
): boolean {
  const names = gates.map(({ name }) => name);
  const isOther = names.join("\n") !== gateNames(config, isTest).join("\n");
  // A clock that was set back must not make a host wait for ever.
  return isOther || now >= new Date(notBefore) || now < new Date(at);
}

/** The longest pause of our own, in milliseconds. */
const longestPause = 15 * 60_000;

/**
 * Returns when gates that were just checked are checked again. A gate that has
 * been closed for long is checked more rarely, after a tenth of that time. A
 * server may ask for a longer pause. While a revision soaks, no other gate is
 * checked.
 *
 * @param after Milliseconds of pause that a server asked for.
 */
export function nextLook(
  gates: readonly Gate[],
  config: GateOptions,
  { sightings = [] }: Pick<State, "sightings">,
  now: Date,
  after = 0,
): Date {
  const soak = config["gates.soak"];
  const ends = soak === undefined
    ? []
    : sightings.map((one) => soakEnd(one, soak))
      .filter((end) => end > now.getTime());
  const closed = gates.find(({ isOpen }) => !isOpen);
  const until = closed?.name === "soak" ? closed.until : undefined;
  const lasted = closed ? now.getTime() - Date.parse(closed.since) : 0;
  const pause = Math.max(after, Math.min(longestPause, lasted / 10));
  const own = until === undefined ? now.getTime() + pause : Date.parse(until);
  return new Date(Math.min(own, ...ends));
}
