/**
 * Buttons: a form of the status page requests an action from root's unit.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { oneLine } from "../base/text.ts";
import { ask, TooManyRequests } from "./actions_ask.ts";
import { type Request as Asked, requestOf } from "./actions_request.ts";
import { plainForms } from "./actions_forms.ts";
import type { Bodies } from "./body.ts";
import { FormRefusal, readForm, requireOrigin } from "./form.ts";
import { answerForm, requireToken } from "./form_answer.ts";
import type { SessionOf } from "./session.ts";
import { smallPage } from "./small_page.ts";

/** The dependencies of the buttons. */
export interface ButtonContext {
  origin: string;
  sessionOf: SessionOf;
  /** Whether people sign in here, not at a proxy. */
  hasLogin: boolean;
  /** The file of `serve.wanted`. */
  wanted: string;
  bodies: Bodies;
  now: () => Date;
  effects: Pick<Effects, "tell">;
}

/** Answers a press, or shows the buttons. Never throws. */
export async function answerPress(
  context: ButtonContext,
  request: Request,
): Promise<Response> {
  const isLook = request.method === "GET" || request.method === "HEAD";
  return await answerForm(
    context.effects,
    request,
    () => isLook ? look(context, request) : press(context, request),
  );
}

async function look(
  { sessionOf, hasLogin }: ButtonContext,
  request: Request,
): Promise<Response> {
  await request.body?.cancel();
  const session = await sessionOf(request);
  if (session) {
    return await smallPage(200, "Buttons", plainForms(session, hasLogin));
  }
  if (!hasLogin) {
    throw new FormRefusal(401, "the proxy names no user who may press buttons");
  }
  return new Response(null, {
    status: 303,
    headers: { location: "/login", "cache-control": "no-store" },
  });
}

async function press(
  context: ButtonContext,
  request: Request,
): Promise<Response> {
  requireOrigin(context.origin, request);
  const session = await context.sessionOf(request);
  if (!session) throw new FormRefusal(401, "sign in first");
  const { csrf, action = "", ...given } = await readForm(
    context.bodies,
    request,
    ["csrf", "action", "for", "reason", "revision"],
  );
  await requireToken(session, csrf);
  const at = context.now().toISOString();
  const asked = requestOf(action, session.name, at, tidy(given));
  if (!asked) throw new FormRefusal(400, "this button does not exist");
  await submit(context, asked);
  return new Response(null, {
    status: 303,
    headers: { location: "/", "cache-control": "no-store" },
  });
}

/** Removes spaces around what people type. */
function tidy(given: Readonly<Record<string, string>>): Record<string, string> {
  const { reason, ...rest } = given;
  const text = oneLine(reason ?? "", 200);
  return text === "" ? rest : { ...rest, reason: text };
}

async function submit(
  { wanted, effects }: ButtonContext,
  asked: Asked,
): Promise<void> {
  try {
    await ask(wanted, asked);
  } catch (error) {
    if (error instanceof TooManyRequests) {
      throw new FormRefusal(
        503,
        "too many requests are waiting: press again later",
      );
    }
    const { message } = error as Error;
    say(effects, "error", `Cannot request ${asked.action}: ${message}`);
    throw new FormRefusal(
      503,
      "the request could not be saved: see journalctl -u gitops-sync-serve",
    );
  }
  say(effects, "info", `${asked.by} requested ${asked.action}`);
}
