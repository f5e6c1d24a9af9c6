/**
 * Sentences about this host that several commands and the page share.
 *
 * @module
 */
import { short } from "../base/text.ts";
import type { Opening } from "../run/decide.ts";
import { rolledBackBy } from "../run/rolled_back.ts";
import type { Gated, RolledBack, Waiting } from "../state/state.ts";
import { timeOf } from "./times.ts";

/** What ends drift that is only reported. */
export const correctHint =
  "Run `gitops-sync sync --drift correct` to activate the deployed system again.";

/** Returns when the gates are checked again. */
export function againText({ notBefore }: Pick<Gated, "notBefore">): string {
  return `The gates are checked again after ${
    timeOf(notBefore)
  }. Run \`gitops-sync sync --now\` to check them at once.`;
}

/** Returns when a window opens, as a clause. */
export function opensText(opening: Opening): string {
  return opening === null
    ? "no window opens within two weeks"
    : `the next window opens at ${timeOf(opening)}`;
}

/** Returns who rolled back, when and why. */
export function rolledBackText(rolledBack: RolledBack): string {
  return rolledBackBy(rolledBack, ` at ${timeOf(rolledBack.at)}`);
}

/** Returns what ends a wait for approval. */
export function waitText(
  { waiting, until }: { waiting: Waiting; until: string | null },
): string {
  const approve = `gitops-sync approve ${short(waiting.revision)}`;
  const reject = `gitops-sync reject ${short(waiting.revision)}`;
  return until === null
    ? `Run \`${approve}\` to deploy it, or \`${reject}\` to block it.`
    : `It is deployed at ${
      timeOf(until)
    }. Run \`${approve}\` to deploy it sooner, or \`${reject}\` to block it.`;
}
