/**
 * Runs the stage `build` alone for many revisions of a mirror, in the host under
 * test, and writes how each ended: a line of JSON for each. Much faster than a
 * run of the whole program for each of them.
 *
 *     build_each.ts REVISION…
 *
 * The configuration is the host's. With the variable REDIRECT_PORT a web server
 * listens there meanwhile that redirects each path to that file of the host
 * (`file://`), as a hostile one would. What is below `/served/` it has itself,
 * in `/srv`.
 *
 * @module
 */
import type { Effects, Event } from "../../lib/base/effects.ts";
import { SyncError } from "../../lib/base/errors.ts";
import { defaultConfigPath, loadConfig } from "../../lib/config/config.ts";
import { build } from "../../lib/nix/build.ts";
import { run } from "../../lib/process/run_command.ts";
import { targetOf } from "../../lib/run/decide.ts";
import { Run } from "../../lib/run/run.ts";
import type { Readable } from "../../lib/run/stages.ts";
import { readState } from "../../lib/state/state_file.ts";

/** How a revision ended. */
export interface Built {
  revision: string;
  /** The system, where there is one. */
  system?: string;
  /** Why there is none: a reason of the program. */
  reason?: string;
  /** What a later run does. */
  next?: string;
  /** All that was told. */
  said: string;
  /** How long it took. */
  ms: number;
}

async function main(revisions: readonly string[]) {
  const config = await loadConfig(defaultConfigPath, []);
  const server = redirecting();
  for (const revision of revisions) {
    const said: string[] = [];
    const effects: Effects = {
      run: (command) => run(command),
      now: () => new Date(),
      monotonic: () => performance.now(),
      sleep: () => Promise.resolve(),
      tell: (event: Event) => {
        if (event.kind === "message") said.push(event.text);
      },
    };
    const state = await readState(config.stateDirectory);
    const target = targetOf(config);
    const readable = {
      done: "readable",
      commit: { revision, subject: "", author: "", committedAt: "" },
      tip: { revision, kind: "branch", name: "refs/heads/main" },
      target,
      mirror: `${config.stateDirectory}/repo`,
      forward: "unknown",
      opened: 0,
      foreign: 0,
    } as unknown as Readable;
    const built: Built = { revision, said: "", ms: 0 };
    const start = performance.now();
    try {
      built.system =
        (await build(new Run(effects, config, state), readable)).system;
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      const { reason, next, message, details, hints } = error;
      Object.assign(built, { reason, next });
      said.push(message, ...details ?? [], ...hints ?? []);
    }
    built.ms = performance.now() - start;
    built.said = said.join("\n");
    console.log(JSON.stringify(built));
  }
  await server?.shutdown();
}

function redirecting(): Deno.HttpServer | undefined {
  const port = Deno.env.get("REDIRECT_PORT");
  if (!port) return undefined;
  return Deno.serve({
    hostname: "127.0.0.1",
    port: Number(port),
    onListen: () => {},
  }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/served/")) return await served(pathname);
    const location = `file://${pathname}`;
    return new Response(null, { status: 302, headers: { location } });
  });
}

async function served(path: string): Promise<Response> {
  try {
    return new Response(await Deno.readFile(`/srv${path}`));
  } catch {
    return new Response(null, { status: 404 });
  }
}

if (import.meta.main) await main(Deno.args);
