/**
 * `gitops-sync serve`: a small server that receives pushes, and shows the state
 * of this host.
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
import type { Config } from "../../config/schema.ts";
import { nextRun } from "../../host/next_run.ts";
import { run as runProgram } from "../../process/run_command.ts";
import { pressPath } from "../../serve/actions_forms.ts";
import { type Auth, makeAuth } from "../../serve/auth.ts";
import { admitWith } from "../../serve/page/admit.ts";
import { Bodies } from "../../serve/body.ts";
import {
  listen,
  makeAnswer,
  type Route,
  stopListening,
} from "../../serve/server.ts";
import { Page } from "../../serve/page/page.ts";
import { Wanted } from "../../serve/wanted.ts";
import { answerHook, type Hooks } from "../../serve/webhook.ts";
import { answerMetrics } from "../../serve/metrics.ts";
import { readSecrets } from "../../serve/secrets.ts";
import { readConfig } from "../config.ts";
import type { Call } from "../call.ts";
import { makeTeller } from "../output/teller.ts";
import { Interruption } from "../output/interruption.ts";

/** Runs the command until a signal ends it. */
export async function run(call: Call): Promise<ExitCode> {
  const name = call.texts["hash-password"];
  if (name !== undefined) {
    const { printHash } = await import("./serve_password.ts");
    return await printHash(name);
  }
  const config = await readConfig(call);
  const { tell } = makeTeller(call.verbose);
  const hooks = await hooksOf(config, { tell });
  const auth = await makeAuth(config, {
    bodies: hooks?.bodies ?? new Bodies(),
    monotonic: () => performance.now(),
    now: () => new Date(),
    effects: { tell },
  });
  using page = pageOf(config, auth, { tell });
  const routes = routesOf(config, hooks, auth, page);
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
  page?.[Symbol.dispose]();
  await stopListening(server, place);
  say({ tell }, "info", "Stopped");
  return exitCodes.ok;
}

/**
 * Throws when the server ends by itself, for example because clients hold all
 * connections that this process may have. The service manager then starts it
 * again, which closes them.
 */
async function endOf({ finished }: Deno.HttpServer): Promise<never> {
  const why = await finished.then(
    () => "it ended",
    (error: Error) => oneLine(error.message.replace(/^Error: /, ""), 200),
  );
  throw new SyncError(`The server cannot continue: ${why}`, {
    stage: "decide",
    reason: "serve-ended",
    next: "retry",
    hints: [
      "Start it again. If clients hold too many connections, put a reverse proxy in front of it.",
    ],
  });
}

/** Returns what answers webhooks; `undefined` if none are accepted. */
async function hooksOf(
  config: LocalConfig,
  effects: Pick<Effects, "tell">,
): Promise<Hooks | undefined> {
  const { repository, "serve.webhookSecretFile": secretFile } = config;
  if (secretFile === undefined) return undefined;
  if (repository === undefined) {
    throw usageError(
      "serve-repository",
      "Cannot accept webhooks: expected the option repository, which tells which pushes matter",
      "Set `repository` in the configuration, or add `--repository URL`.",
    );
  }
  // An error is reported at the start, not only at the first push.
  await readSecrets(secretFile);
  return {
    followed: config,
    secrets: () => readSecrets(secretFile),
    wanted: new Wanted(config["serve.wanted"], () => performance.now()),
    bodies: new Bodies(),
    effects,
  };
}

/** Returns the status page; `undefined` if it is switched off. */
function pageOf(
  config: LocalConfig,
  auth: Auth | undefined,
  effects: Pick<Effects, "tell">,
): Page | undefined {
  if (!config["serve.page"]) return undefined;
  return new Page(config as Config, {
    ...auth ? { admit: admitWith(auth) } : {},
    now: () => new Date(),
    nextRun: () => nextRun({ run: (command) => runProgram(command) }),
    onFault: (error) => {
      const { stack, message } = error as Error;
      say(effects, "error", `A bug: ${stack ?? message}`);
    },
  });
}

function routesOf(
  config: LocalConfig,
  hooks: Hooks | undefined,
  auth: Auth | undefined,
  page: Page | undefined,
): Route[] {
  if (!hooks && !page && !auth) {
    throw usageError(
      "serve-nothing",
      "Cannot start: there is nothing to serve; expected serve.webhookSecretFile or serve.page",
      "Write the secret of the webhook to a file, and name it: `--serve-webhook-secret-file FILE`.",
      "Or show the status page: `--serve-page`.",
    );
  }
  const textfile = config["metrics.textfile"];
  return [
    ...hooks
      ? [{
        path: "/webhook",
        answer: (request: Request) => answerHook(hooks, request),
      }]
      : [],
    ...auth?.routes ?? [],
    ...textfile === undefined ? [] : [{
      path: "/metrics",
      answer: (request: Request) => answerMetrics(textfile, request),
    }],
    ...page?.routes ?? [],
    // Signing in and pressing a button lead to `/`. Without a page, it leads on
    // to the buttons.
    ...auth && !page ? [{ path: "/", answer: toButtons }] : [],
  ];
}

async function toButtons(request: Request): Promise<Response> {
  await request.body?.cancel();
  return new Response(null, {
    status: 303,
    headers: { location: pressPath, "cache-control": "no-store" },
  });
}

async function listenOn(
  place: string,
  answer: (request: Request) => Promise<Response>,
  ready: () => void,
): Promise<Deno.HttpServer> {
  try {
    return await listen(place, answer, ready);
  } catch (error) {
    const isDenied = error instanceof Deno.errors.PermissionDenied;
    const isTaken = error instanceof Deno.errors.AddrInUse ||
      error instanceof Deno.errors.AddrNotAvailable;
    if (!isTaken && !isDenied) throw error;
    throw usageError(
      "serve-address",
      `Cannot listen on ${place}: ${error.message}`,
      isDenied
        ? "Only root may use a port below 1024. Name a higher port with `--serve-listen`."
        : "Stop the program that listens there (`ss -lptn` lists them), or name another address with `--serve-listen`.",
    );
  }
}
