/**
 * The common parts of all forms: the token, and the answer to a refused form.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { isGone } from "./body.ts";
import { FormRefusal } from "./form.ts";
import type { Session } from "./session.ts";
import { isSameText } from "./signature.ts";
import { refusalPage } from "./small_page.ts";

/**
 * Refuses a form without the token of the session.
 *
 * @throws {FormRefusal} 403.
 */
export async function requireToken(
  { csrf }: Session,
  given: string | undefined,
): Promise<void> {
  if (given !== undefined && await isSameText(csrf, given)) return;
  throw new FormRefusal(403, "the page is too old: reload it and press again");
}

/** Answers a form. A refusal becomes a page that gives the reason. */
export async function answerForm(
  effects: Pick<Effects, "tell">,
  request: Request,
  answer: () => Promise<Response>,
): Promise<Response> {
  try {
    return await answer();
  } catch (error) {
    await request.body?.cancel().catch(() => {});
    if (error instanceof FormRefusal) {
      const { status, message } = error;
      return await refusalPage(status, message, {
        ...status === 405 ? { allow: "POST" } : {},
        ...status === 503 ? { "retry-after": "5" } : {},
      });
    }
    if (isGone(error)) {
      return await refusalPage(400, "the form did not arrive completely");
    }
    const { stack, message } = error as Error;
    say(effects, "error", `A bug: ${stack ?? message}`);
    return await refusalPage(
      500,
      "a bug in gitops-sync serve: see journalctl -u gitops-sync-serve",
    );
  }
}
