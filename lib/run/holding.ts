/**
 * What blocks a revision from another try, and why.
 *
 * @module
 */
import type { Config } from "../config/schema.ts";
import type { Hold, State, Target } from "../state/state.ts";
import { isSame, type Known } from "./same.ts";
import { sameTarget } from "./target.ts";

/** Returns the hold on a commit, unless the configuration lifts its reason. */
export function holdOf(
  state: Pick<State, "holds">,
  commit: Known,
  target: Target,
  config: Pick<Config, "allowForcePush">,
): Hold | undefined {
  const hold = state.holds.find((one) =>
    isSame(one, commit) && sameTarget(one.target, target)
  );
  const lifted = hold && isMove(hold) && config.allowForcePush;
  return lifted ? undefined : hold;
}

const moves = ["not-forward", "repository-replaced", "tag-moved"];

/** Whether a hold is only about a move of the ref. */
export function isMove({ reason }: Pick<Hold, "reason">): boolean {
  return moves.includes(reason);
}

/** Whether a hold is only about whether the next commit can arrive. */
export function isNext({ reason }: Pick<Hold, "reason">): boolean {
  return reason.startsWith("next-");
}

/** Reasons that another try of the same commit cannot change. */
const forGood = [
  "unsigned",
  "weak-hash",
  "tampered",
  "held-twin",
  ...moves,
];

/** Returns what ends a hold. */
export function holdHints({ reason }: { reason: string }): string[] {
  return [
    forGood.includes(reason)
      ? "Push a new commit: trying this one again gives the same result."
      : "Push a fix, or run `gitops-sync retry` to try this commit again.",
  ];
}
