/**
 * Decides who reads the page, and which buttons they see.
 *
 * @module
 */
import { shown } from "../../base/redact.ts";
import { oneLine } from "../../base/text.ts";
import type { PageFacts } from "../../report/page_facts.ts";
import { rollbackTarget } from "../../state/rollback_target.ts";
import type { State } from "../../state/state.ts";
import type { Auth } from "../auth.ts";
import { type ActionFacts, actionForms, type Named } from "../actions_forms.ts";
import type { Admit } from "./page.ts";

/** Lets everybody read, and shows buttons to people who are signed in. */
export function admitWith(
  { sessionOf, hasLogin }: Pick<Auth, "sessionOf" | "hasLogin">,
): Admit {
  return async (request, seen) => {
    const session = await sessionOf(request);
    return { actions: actionForms(session, actionFacts(seen, hasLogin)) };
  };
}

/** Returns the facts that decide which buttons are shown. */
export function actionFacts(
  seen: PageFacts | undefined,
  hasLogin: boolean,
): ActionFacts {
  if (!seen) return { hasLogin, stays: false, isHeld: false };
  const { state, suspension } = seen.facts;
  const waits = state.waiting && state.waiting.approved === undefined;
  return {
    hasLogin,
    stays: suspension !== undefined || state.rolledBack !== undefined,
    isHeld: state.backoff !== undefined || isTipHeld(state),
    ...waits ? { waiting: named(state.waiting!) } : {},
    ...backTo(state),
  };
}

function isTipHeld({ holds, seen }: State): boolean {
  return holds.some(({ revision }) => revision === seen?.revision);
}

function backTo(state: State): { backTo?: Named } {
  const before = rollbackTarget(state);
  return before ? { backTo: named(before) } : {};
}

/** Formats a revision like the rest of the page, short enough for a button. */
function named({ revision, subject }: Named): Named {
  return { revision, subject: oneLine(shown(subject), 72) };
}
