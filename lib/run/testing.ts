/**
 * The testing branch: what of it runs, and whether it may still run.
 *
 * @module
 */
import { oneLine } from "../base/text.ts";
import type { Tip } from "../base/tip.ts";
import type { Systems } from "../host/system.ts";
import type { Deployment, State } from "../state/state.ts";

/**
 * The deployment of the testing branch that runs now, if one does. A reboot
 * ends it, because it never is the boot default.
 */
export function runningTest(
  { testing, lastGood }: Pick<State, "testing" | "lastGood">,
  { running }: Systems,
): Deployment | undefined {
  const test = testing?.deployment;
  const isIt = test !== undefined && running === test.system &&
    running !== lastGood?.system;
  return isIt ? test : undefined;
}

/** A branch as people write it. */
export function shortName(name: string): string {
  return oneLine(name.replace(/^refs\/heads\//, ""), 80);
}

/** The reason of an attempt at a revision that is not on top of the followed. */
export const asideReason = "testing-aside";

/** What is known of the testing branch in front of what the remote names now. */
export type TestingNow =
  /** It is off, gone, or the same as the followed ref; or it is beside that. */
  | "over"
  /** It was deployed or tried already, or nobody could be asked. */
  | "done"
  /** It is to be deployed. */
  | "new";

/** Compares the testing branch with what was tried of it last. */
export function testingNow(
  { testing }: Pick<State, "testing">,
  tip: Tip,
): TestingNow {
  const test = tip.testing;
  // A mirror that is behind says nothing about it.
  if (test === undefined) return "done";
  if (test === null || test.revision === tip.revision) return "over";
  const isKnown = testing?.revision === test.revision &&
    testing.base === tip.revision && testing.ref === test.name;
  if (!isKnown) return "new";
  return testing.isAside ? "over" : "done";
}

/**
 * Whether the host stands as it did before an attempt. A reboot ends a test,
 * so that its boot default runs then in place of the test.
 */
export function standsAs(
  previous: Systems,
  state: Pick<State, "testing">,
  now: Systems,
): boolean {
  if (now.bootDefault !== previous.bootDefault) return false;
  if (now.running === previous.running) return true;
  return previous.running !== null &&
    previous.running === state.testing?.deployment?.system &&
    now.running === previous.bootDefault;
}
