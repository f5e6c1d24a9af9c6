/**
 * Selects what a plan is about: the followed ref or the testing branch.
 *
 * @module
 */
import { oneLine, short } from "../base/text.ts";
import type { Tip } from "../base/tip.ts";
import type { Config } from "../config/schema.ts";
import { isPattern } from "../config/tag_pattern.ts";
import { type Decision, targetOf } from "../run/decide.ts";
import { testingTargetOf } from "../run/target.ts";
import type { Target } from "../state/state.ts";
import type { Would } from "./plan.ts";

/** What a sync would deploy. */
export interface Aim {
  tip: Tip;
  target: Target;
  /** Whether it is the testing branch. */
  isTest: boolean;
}

/** Selects the subject of a decision: the followed ref or the testing branch. */
export function aimOf(config: Config, tip: Tip, decision: Decision): Aim {
  const target = targetOf(config);
  const { testing, servedBy, revision: base } = tip;
  const soaked = "tip" in decision ? decision.tip : undefined;
  const isTest = testing && testing.revision !== base &&
    testing.revision === revisionOf(decision);
  if (!isTest) return { tip: soaked ?? tip, target, isTest: false };
  return {
    tip: { ...testing, base, ...servedBy ? { servedBy } : {} },
    target: testingTargetOf(target, testing.name),
    isTest,
  };
}

/** Returns the revision that a decision names, if it names one. */
function revisionOf(decision: Decision): string | undefined {
  switch (decision.kind) {
    case "test":
    case "gated":
      return decision.tip.revision;
    case "held":
      return decision.hold.revision;
    case "wait":
      return decision.backoff.revision;
    case "unapproved":
      return decision.waiting.revision;
    default:
      return undefined;
  }
}

/** Returns what a sync would do. */
export function wouldOf({ kind }: Decision, { isTest }: Aim): Would {
  if (isTest) return "test";
  return kind === "nothing" || kind === "correct" || kind === "test-over"
    ? kind
    : "deploy";
}

/**
 * Describes what a plan is about.
 *
 * @param isOther Whether the plan is about another name than the followed ref.
 */
export function aboutOf(
  { ref }: Config,
  { tip: { kind, name, revision }, isTest }: Aim,
  isOther: boolean,
): string {
  const asIf = isOther ? `, as if ${oneLine(ref, 80)} pointed to it` : "";
  if (kind === "commit") return `commit ${short(revision)}${asIf}`;
  const plain = oneLine(name.replace(/^refs\/(?:heads|tags)\//, ""), 80);
  const of = isPattern(ref) && !isOther && !isTest ? ` of ${ref}` : "";
  return `${kind} ${plain}${of}${asIf}`;
}
