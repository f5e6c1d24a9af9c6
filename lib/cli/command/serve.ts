/**
 * `gitops-sync serve`: a small server that hears of pushes.
 *
 * @module
 */
import { type Effects, say } from "../../base/effects.ts";
import {
  type ExitCode,
  exitCodes,
  SyncError,
  usageError,
} from "../../base/errors.ts";
import { oneLine } from "../../base/text.ts";
import type { LocalConfig } from "../../config/config.ts";
import { makeAuth } from "../../serve/auth.ts";
import { Bodies } from "../../serve/body.ts";
import {
  listen,
  makeAnswer,
  type Route,
  stopListening,
} from "../../serve/server.ts";
import { Wanted } from "../../serve/wanted.ts";
import { answerHook, type Hooks } from "../../serve/webhook.ts";
import { answerMetrics } from "../../serve/metrics.ts";
import { readSecrets } from "../../serve/secrets.ts";
import { readConfig } from "../config.ts";
import type { Call } from "../call.ts";
import { makeTeller } from "../output/teller.ts";
import { Interruption } from "../output/interruption.ts";

/** Runs the command, until a signal ends it. */
export async function run(call: Call): Promise<ExitCode> {
  const name = call.texts["hash-password"];
  if (name !== undefined) {
    const { printHash } = await import("./serve_password.ts");
    return await printHash(name);
  }
  const config = await readConfig(call);
  const { tell } = makeTeller(call.verbose);
  const routes = await routesOf(config, { tell });
  const place = config["serve.listen"];
  using interruption = new Interruption();
  const server = await listenOn(
    place,
    makeAnswer(routes),
    () => say({ tell }, "info", `Listening on ${place}`),
  );
  const stopped = new Promise<void>((resolve) =>
    interruption.signal.addEventListener("abort", () => resolve())
  );
  await Promise.race([stopped, endOf(server)]);
  await stopListening(server, place);
  say({ tell }, "info", "Stopped");
  return exitCodes.ok;
}

/**
 * A server that ended by itself, for example because clients hold all
 * connections that this process may have. Whoever started it starts it again,
 * which lets go of them.
 */
async function endOf({ finished }: Deno.HttpServer): Promise<never> {
  const why = await finished.then(
    () => "it ended",
    (error: Error) => oneLine(error.message.replace(/^Error: /, ""), 200),
  );
  throw new SyncError(`The server can't go on: ${why}`, {
    stage: "decide",
    reason: "serve-ended",
    next: "retry",
    hints: [
      "start it again; if clients hold too many connections, put a reverse proxy in front of it",
    ],
  });
}

async function routesOf(
  config: LocalConfig,
  effects: Pick<Effects, "tell">,
): Promise<Route[]> {
  const { repository, "serve.webhookSecretFile": secretFile } = config;
  if (secretFile === undefined) {
    throw usageError(
      "serve-nothing",
      "Cannot go on without serve.webhookSecretFile: there is nothing to serve",
      "put the secret of the webhook into a file, and name it: --serve-webhook-secret-file FILE",
    );
  }
  if (repository === undefined) {
    throw usageError(
      "serve-repository",
      "Cannot go on without repository: no push would concern this host",
      "name it: --repository URL",
    );
  }
  // A mistake is told at the start, and not with the first push.
  await readSecrets(secretFile);
  const hooks: Hooks = {
    followed: config,
    secrets: () => readSecrets(secretFile),
    wanted: new Wanted(config["serve.wanted"], () => performance.now()),
    bodies: new Bodies(),
    effects,
  };
  const auth = await makeAuth(config, {
    bodies: hooks.bodies,
    monotonic: () => performance.now(),
    now: () => new Date(),
    effects,
  });
  const textfile = config["metrics.textfile"];
  return [
    { path: "/webhook", answer: (request) => answerHook(hooks, request) },
    ...auth?.routes ?? [],
    ...textfile === undefined ? [] : [{
      path: "/metrics",
      answer: (request: Request) => answerMetrics(textfile, request),
    }],
  ];
}

async function listenOn(
  place: string,
  answer: (request: Request) => Promise<Response>,
  ready: () => void,
): Promise<Deno.HttpServer> {
  try {
    return await listen(place, answer, ready);
  } catch (error) {
    const isTaken = error instanceof Deno.errors.AddrInUse ||
      error instanceof Deno.errors.AddrNotAvailable;
    if (!isTaken) throw error;
    throw usageError(
      "serve-address",
      `Cannot listen on ${place}: ${error.message}`,
      "end what listens there, or name another place with --serve-listen",
    );
  }
}
