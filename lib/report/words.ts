/**
 * Sentences that several commands and the page say about this host.
 *
 * @module
 */
import { short } from "../base/text.ts";
import type { Opening } from "../run/decide.ts";
import { rolledBackBy } from "../run/rolled_back.ts";
import type { Gated, RolledBack, Waiting } from "../state/state.ts";
import { timeOf } from "./times.ts";

/** Reasons of a revision that stays as it is however often it is tried. */
const forGood = [
  "unsigned",
  "weak-hash",
  "tampered",
  "held-twin",
  "not-forward",
  "repository-replaced",
  "tag-moved",
];

/** What ends a hold. */
export function holdHints({ reason }: { reason: string }): string[] {
  const next = "a new commit is picked up by itself";
  return [
    forGood.includes(reason)
      ? next
      : `${next}; gitops-sync retry tries the same one again`,
  ];
}

/** What ends drift that is only told. */
export const correctHint =
  "gitops-sync sync --drift correct activates what was deployed again";

/** When gates are asked again. */
export function againText({ notBefore }: Pick<Gated, "notBefore">): string {
  return `asked again from ${
    timeOf(notBefore)
  } on, gitops-sync sync --now asks at once`;
}

/** When a window opens. */
export function opensText(opening: Opening): string {
  return opening === null
    ? "no window opens within two weeks"
    : `the next window opens at ${timeOf(opening)}`;
}

/** Who rolled back, when and why. */
export function rolledBackText(rolledBack: RolledBack): string {
  return rolledBackBy(rolledBack, ` at ${timeOf(rolledBack.at)}`);
}

/** What ends a wait. */
export function waitText(
  { waiting, until }: { waiting: Waiting; until: string | null },
): string {
  const approve = `gitops-sync approve ${short(waiting.revision)}`;
  const reject = `gitops-sync reject ${short(waiting.revision)}`;
  return until === null
    ? `(${approve}, or ${reject})`
    : `until ${
      timeOf(until)
    }, and is deployed then (${approve} does not wait, ${reject} holds it)`;
}
