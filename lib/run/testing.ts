/**
 * The testing branch: whether it runs, and whether it may still run.
 *
 * @module
 */
import { oneLine } from "../base/text.ts";
import type { Tip } from "../base/tip.ts";
import type { Systems } from "../host/system.ts";
import type { Deployment, State } from "../state/state.ts";

/**
 * Returns the running deployment of the testing branch, if there is one. A reboot
 * ends it, because it is never the boot default.
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

/** Returns the name of a branch as people write it. */
export function shortName(name: string): string {
  return oneLine(name.replace(/^refs\/heads\//, ""), 80);
}

/** The reason if the testing branch does not descend from the followed ref. */
export const asideReason = "testing-aside";

/** The state of the testing branch, compared with the answer of the remote. */
export type TestingNow =
  /** It is off, missing, the same as the followed ref, or not based on it. */
  | "over"
  /** It was deployed or tried already, or the remote did not answer. */
  | "done"
  /** It must be deployed. */
  | "new";

/** Compares the testing branch with the last try. */
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
 * Whether the host is in the same condition as before an attempt. A reboot ends
 * a test, so the boot default then runs instead of the test.
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
