/**
 * Answers webhooks: a signed push to the followed ref requests a run.
 *
 * @module
 */
import { jsonMessage } from "./answer.ts";
import { type Effects, say } from "../base/effects.ts";
import { oneLine } from "../base/text.ts";
import { Bodies, BodyRefusal, isGone } from "./body.ts";
import { type Followed, whyNotFollowed } from "./followed.ts";
import { readEvent } from "./push_event.ts";
import { isSigned } from "./signature.ts";
import type { Wanted } from "./wanted.ts";

/** The dependencies of the endpoint for webhooks. */
export interface Hooks {
  followed: Followed;
  /** Read again for each delivery, so a new secret needs no restart. */
  secrets: () => Promise<readonly string[]>;
  wanted: Wanted;
  bodies: Bodies;
  effects: Pick<Effects, "tell">;
}

/** Answers one delivery. Never throws. */
export async function answerHook(
  hooks: Hooks,
  request: Request,
): Promise<Response> {
  if (request.method !== "POST") {
    await request.body?.cancel();
    return jsonMessage(405, "expected POST", { allow: "POST" });
  }
  try {
    return await hooks.bodies.with(
      request,
      (body) => judge(hooks, request.headers, body),
    );
  } catch (error) {
    if (error instanceof BodyRefusal) {
      const later = error.status === 503 ? { "retry-after": "5" } : undefined;
      return jsonMessage(error.status, error.message, later);
    }
    // A client that disconnected is no fault of the server.
    if (isGone(error)) {
      return jsonMessage(400, "the request did not arrive completely");
    }
    const { stack, message } = error as Error;
    say(hooks.effects, "error", `A bug: ${stack ?? message}`);
    return jsonMessage(
      500,
      "a bug in gitops-sync serve: see journalctl -u gitops-sync-serve",
    );
  }
}

async function judge(
  hooks: Hooks,
  headers: Headers,
  body: Uint8Array<ArrayBuffer>,
): Promise<Response> {
  if (!await isSigned(headers, body, await secretsOf(hooks))) {
    say(hooks.effects, "warning", "Refused a webhook: its signature is wrong", [
      "compare the secret of the webhook with serve.webhookSecretFile",
    ]);
    return jsonMessage(401, "the signature is missing or wrong");
  }
  const event = readEvent(headers, new TextDecoder().decode(body));
  if (!event) return jsonMessage(400, "expected a push event of a known forge");
  if (event.kind === "other") {
    return jsonMessage(
      200,
      `nothing to do for the event ${oneLine(event.name, 60)}`,
    );
  }
  const why = event.kind === "push"
    ? whyNotFollowed(event.push, hooks.followed)
    : undefined;
  if (why !== undefined) {
    say(hooks.effects, "info", `Ignored a webhook: ${why}`);
    return jsonMessage(200, `nothing to do: ${why}`);
  }
  return await want(hooks, body);
}

async function want(
  { wanted, effects }: Hooks,
  body: Uint8Array<ArrayBuffer>,
): Promise<Response> {
  try {
    if (!await wanted.want(body)) {
      return jsonMessage(
        200,
        "nothing to do: the same delivery came less than a minute ago",
      );
    }
  } catch (error) {
    const { message } = error as Error;
    say(effects, "error", `Cannot request a run: ${message}`);
    return jsonMessage(
      503,
      "the run could not be requested: see journalctl -u gitops-sync-serve",
    );
  }
  say(effects, "info", "A push arrived: requested a run");
  return jsonMessage(202, "requested a run");
}

/** Returns the secrets. If the file can't be read, no delivery is accepted. */
async function secretsOf(
  { secrets, effects }: Hooks,
): Promise<readonly string[]> {
  try {
    return await secrets();
  } catch (error) {
    say(effects, "error", (error as Error).message);
    return [];
  }
}
