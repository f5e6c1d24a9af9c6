/**
 * Chooses how a revision is evaluated: isolated from this host, or as root if
 * isolation is impossible and not required.
 *
 * @module
 */
import { type Command, type Finished, say } from "../base/effects.ts";
import { short } from "../base/text.ts";
import type { Run } from "../run/run.ts";
import type { Readable } from "../run/stages.ts";
import type { Route } from "./isolation.ts";
import { runWithin } from "./memory.ts";
import { inputsOf, refuseOutside } from "./lock_file.ts";
import { buildCommand, type BuildRequest } from "./nixos_rebuild.ts";
import {
  fileNotIsolated,
  notIsolated,
  provenRoute,
  turnedOff,
} from "./probe.ts";

/** How a revision is evaluated. */
export interface Evaluation {
  /** Evaluates and builds the request; creates `result` in its folder. */
  build(): Promise<Finished>;
  /** Runs a program that evaluates the revision, with the same isolation. */
  run(command: Command): Promise<Finished>;
  /** The request, once it is known. */
  request: BuildRequest;
}

/**
 * Checks what a revision may do on this host before it is evaluated.
 *
 * @throws {SyncError} stage `build`: `not-isolated`, `input-outside`,
 * `lock-outside`, `lock-unreadable`, `out-of-memory`, and those of an isolated
 * build.
 */
export async function evaluation(
  run: Run,
  readable: Readable,
  request: BuildRequest,
): Promise<Evaluation> {
  const { config, effects } = run;
  const isolate = config["build.isolate"];
  const route = isolate === "false"
    ? isolate
    : await provenRoute(effects, config, run.folder);
  if (isolate === "true" && typeof route === "string") throw notIsolated(route);
  const isFile = config["build.file"] !== "";
  if (isFile && typeof route === "string") {
    throw fileNotIsolated(route === "false" ? turnedOff : route);
  }
  await remember(run, route);
  // Without a flake, there is no lock file.
  const inputs = isFile ? [] : await inputsOf(run, readable);
  if (typeof route !== "string") {
    const { buildIsolated, evaluatorFor } = await import("./isolated.ts");
    const evaluator = await evaluatorFor(run, route, inputs, request);
    const { sourceOf } = await import("./source.ts");
    const found = isFile
      ? await sourceOf(run, evaluator, request)
      : { request };
    return {
      build: async () =>
        "failed" in found
          ? found.failed
          : await buildIsolated(run, evaluator, found.request),
      run: evaluator.run,
      request: "failed" in found ? request : found.request,
    };
  }
  refuseOutside(readable.commit.revision, inputs, run.remote);
  const revision = short(request.revision);
  const within = (command: Command) =>
    runWithin(effects, config, revision, command);
  return { build: () => within(buildCommand(request)), run: within, request };
}

/** Reports once what is missing for the isolation, until that changes. */
async function remember(run: Run, route: Route | string): Promise<void> {
  const missing = missingOf(route);
  const { isolation: known, ...rest } = run.state;
  if (known === missing) return;
  await run.replace(
    missing === undefined ? rest : {
      ...rest,
      isolation: missing,
    },
  );
  if (missing !== undefined) say(run.effects, "notice", missing);
}

/**
 * Returns what is missing for the isolation; `undefined` if it is complete or
 * not wanted.
 */
function missingOf(route: Route | string): string | undefined {
  if (route === "false") return undefined;
  if (typeof route === "string") {
    return `The evaluation is not isolated from this host: ${route}`;
  }
  const missing = [
    ...route.how === "unit" ? [] : [
      "The evaluation is isolated only by namespaces of the kernel, because systemd does not run here",
    ],
    ...route.netrc === undefined ? [] : [
      `A revision can read ${route.netrc}, because the Nix daemon uses it for the downloads of its users. Move the credentials that only inputs need to inputs.netrcFile`,
    ],
  ];
  return missing.length === 0 ? undefined : missing.join("; ");
}
