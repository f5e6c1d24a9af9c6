/**
 * `gitops-sync pressed`: does what people requested with the buttons of the
 * status page. Units of root call it; no person does.
 *
 * @module
 */
import { dirname } from "@std/path";
import { say } from "../../base/effects.ts";
import { type ExitCode, exitCodes, usageError } from "../../base/errors.ts";
import { foreseen } from "../../base/os_error.ts";
import type { LocalConfig } from "../../config/config.ts";
import {
  type Action,
  kinds,
  type Request,
} from "../../serve/actions_request.ts";
import { readRequests } from "../../serve/actions_read.ts";
import { type ButtonKind, hasButtons } from "../../config/serve_kinds.ts";
import { mayPress } from "../../serve/session.ts";
import { parse } from "../arguments.ts";
import { localConfigOf } from "../config.ts";
import { errorEvent } from "../output/print.ts";
import { makeTeller, type Teller } from "../output/teller.ts";
import type { Call } from "../call.ts";

/** The code behind each button. */
const commandsOf: Readonly<
  Record<Action, () => Promise<{ run: (call: Call) => Promise<ExitCode> }>>
> = {
  sync: () => import("./sync.ts"),
  retry: () => import("./retry.ts"),
  rollback: () => import("./rollback.ts"),
  suspend: () => import("./suspend.ts"),
  resume: () => import("./resume.ts"),
  approve: () => import("./approve.ts"),
};

/**
 * Runs the command. An error in a request, or of what it does, is reported and
 * does not fail the unit: health checks look at failed units, and a request
 * must not affect their result.
 */
export async function run(call: Call): Promise<ExitCode> {
  const [kind, folder] = operandsOf(call);
  const config = await localConfigOf(call);
  if (!hasButtons(config)) {
    throw usageError(
      "no-buttons",
      "Cannot act for the status page: its buttons are switched off",
      "Set serve.auth.passwordFile or serve.auth.header.",
    );
  }
  const teller = makeTeller(call.verbose);
  const rules = { kind, owner: ownerOf(config), now: new Date() };
  for await (const found of readRequests(folder, rules)) {
    if ("request" in found && mayPress(config, found.request.by)) {
      await act(call, found.request, teller);
    } else {
      const why = "refused" in found
        ? found.refused
        : "the user is not in serve.auth.users";
      say(teller, "warning", `Refused a request of the server: ${why}`);
    }
  }
  await teller.told?.();
  return exitCodes.ok;
}

function operandsOf({ operands }: Call): [ButtonKind, string] {
  const [kind, folder] = operands;
  const isKind = kind !== undefined && Object.hasOwn(kinds, kind);
  if (isKind && folder?.startsWith("/")) return [kind as ButtonKind, folder];
  throw usageError(
    "operand-missing",
    `Cannot read requests: expected gitops-sync pressed ${
      Object.keys(kinds).join("|")
    } FOLDER`,
  );
}

/** Returns the server's user: the owner of its folder, which systemd makes. */
function ownerOf(config: LocalConfig): number {
  return Deno.statSync(dirname(config["serve.wanted"])).uid!;
}

/** Does the same as the command that a person would type. */
async function act(call: Call, request: Request, teller: Teller) {
  const { by, action } = request;
  say(teller, "notice", `${by} requested ${action} on the status page`);
  try {
    const meant = await parse(wordsOf(request));
    const { run } = await commandsOf[action]();
    await run({
      ...meant,
      configPath: call.configPath,
      given: call.given,
      verbose: call.verbose,
      // The suffix shows that this is not a user of this host.
      by: `${by} (page)`,
    });
  } catch (error) {
    teller.tell(errorEvent(foreseen(error)));
  }
}

/** Returns the words of the command. Each value was validated before. */
function wordsOf(request: Request): string[] {
  const { action, revision, reason } = request;
  const why = reason === undefined ? [] : [`--reason=${reason}`];
  switch (action) {
    case "sync":
      return ["sync", "--wait"];
    case "approve":
      return ["approve", revision!];
    case "rollback":
      return ["rollback", `--to=${revision!}`, ...why];
    case "suspend": {
      const span = request.for === undefined ? [] : [`--for=${request.for}`];
      return ["suspend", ...span, ...why];
    }
    default:
      return [action];
  }
}
