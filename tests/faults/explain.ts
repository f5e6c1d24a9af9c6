/**
 * Whether `status` tells how the host stands, and why.
 *
 * @module
 */
import type { Facts } from "./facts.ts";

/** What is read of `status --json`. */
export interface Status {
  running: { system: string | null };
  bootDefault: { system: string | null };
  agrees: boolean | null;
  why: string;
  next: string[];
  last: { message: string; hints: string[]; exit: number } | null;
  attempt: { stage: string } | null;
}

/** Reads it; `undefined` where it is not what it should be. */
export function statusIn(stdout: string): Status | undefined {
  try {
    const status = JSON.parse(stdout);
    return Array.isArray(status.next) ? status : undefined;
  } catch {
    return undefined;
  }
}

/** What has happened. */
export interface Story {
  /** What the branch names. */
  revision: string;
  /** How the program ended; a signal's is over 128. */
  exit: number;
  /** What it wrote. */
  said: string;
  /** What makes the revision unfit, where it is. */
  own?: RegExp;
  /** What this fault, and those before it, are told by. */
  faults: readonly RegExp[];
}

/** What is told of a revision that no run came to its end with. */
const toCome =
  /is not deployed yet|nothing is deployed on this host yet|blocked|interrupted|Interrupted|failed (?:once|twice|\d+ times)/;

/**
 * What is wrong with the status, or `undefined`.
 *
 * The fault is told where the run came to its end; otherwise the journal is,
 * with the very stage at which it stands.
 */
export function wrongOf(
  status: Status | undefined,
  facts: Facts,
  { revision, exit, said, own, faults }: Story,
): string | undefined {
  if (!status) return "there is no status";
  const { running, profile, attempt } = facts;
  if (status.running.system !== (running?.path ?? null)) {
    return "another system runs";
  }
  if (status.bootDefault.system !== (profile?.path ?? null)) {
    return "another system is the boot default";
  }
  const { why, next, last } = status;
  const text = [why, ...next, last?.message, ...last?.hints ?? []].join("\n");
  if ((status.attempt?.stage ?? null) !== (attempt?.stage ?? null)) {
    return "another attempt is told";
  }
  if (attempt) {
    const isTold = last?.exit === 8
      ? /Manual action is needed/.test(text)
      : text.includes(`interrupted at the ${attempt.stage} stage`);
    return isTold ? undefined : "the attempt is not told";
  }
  const agrees = running?.revision === revision &&
    profile?.revision === revision;
  if (status.agrees !== null && status.agrees !== agrees) {
    return `it says ${status.agrees ? "in sync" : "not in sync"}`;
  }
  if (agrees) return undefined;
  // A signal comes before there is an attempt, or after its end.
  if (exit > 128) {
    return toCome.test(text) ? undefined : "the revision is not told";
  }
  const isKnown = (text: string) =>
    [...faults, ...own ? [own] : []].some((one) => one.test(text));
  // What could not be written down was told by the run alone.
  const isWritten = last?.exit === exit;
  if (!isWritten && isKnown(said) && toCome.test(text)) {
    return undefined;
  }
  if (exit === 8 && last?.exit !== 8) return "that a person is needed";
  return isKnown(text) ? undefined : "why it is so";
}
