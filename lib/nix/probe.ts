/**
 * Proves that this host can still evaluate a revision, without one.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import { useUnit } from "./evaluation_unit.ts";
import { type Route, routeHere } from "./isolation.ts";

/** Seconds in which a derivation of one line is in the store. */
const patience = 60;

/** It goes through the daemon to the store, and is built by nobody. */
const expression =
  'derivation { name = "gitops-sync-probe"; system = "none"; builder = "/none"; }';

/**
 * Why the unit does not do what an evaluation needs of it; nothing where it
 * does. What it runs is ours, so its answer can be believed.
 *
 * @param state The state folder.
 */
export async function whyUnitFails(
  effects: Effects,
  config: Config,
  route: Route,
  state: string,
): Promise<string | undefined> {
  const used = await useUnit(effects, config, route, [
    "nix-instantiate",
    "--expr",
    expression,
  ], { state, seconds: patience });
  const said = new TextDecoder().decode(used.stdout);
  if (used.end?.code === 0 && /^\/nix\/store\/\S+\.drv$/m.test(said)) {
    return undefined;
  }
  const words = used.stderr.trimEnd().split("\n")
    .filter((line) => /error|[Ff]ailed|status=/.test(line)).at(0);
  return oneLine(words ?? "it ended without an answer", 200);
}

/**
 * What isolates revisions here, and was seen to do so where the kernel may
 * refuse it; or why nothing does, in words.
 *
 * @param state The state folder.
 */
export async function provenRoute(
  effects: Effects,
  config: Config,
  state: string,
): Promise<Route | string> {
  const route = await routeHere(effects, config);
  if (typeof route === "string" || route.how === "unit") return route;
  const why = await whyUnitFails(effects, config, route, state);
  return why === undefined
    ? route
    : `systemd does not run here, and namespaces do not work: ${why}`;
}

/**
 * Looks whether the next revision can be evaluated here as the configuration
 * asks. It takes a few tenths of a second where evaluations are isolated, and
 * nearly nothing elsewhere.
 *
 * @throws {SyncError} `not-isolated`, stage `build`, where `build.isolate` is
 * `true` and the host can't, or where it seems to be able to and is not.
 */
export async function refuseUnlessEvaluates(
  effects: Effects,
  config: Config,
): Promise<void> {
  const { "build.isolate": isolate, "build.from": from } = config;
  if (from === "cache") return;
  if (isolate === "false") {
    if (config["build.file"] !== "") throw fileNotIsolated(turnedOff);
    return;
  }
  const { stateDirectory: state } = config;
  const route = await provenRoute(effects, config, state);
  const must = isolate === "true" || config["build.file"] !== "";
  if (typeof route === "string" && !must) return;
  const trouble = typeof route === "string"
    ? route
    : await whyUnitFails(effects, config, route, state);
  if (trouble !== undefined) throw notIsolated(trouble);
}

/** Why there is no isolation where the configuration says so. */
export const turnedOff = "build.isolate is false";

/** For a file in place of a flake, which may ask for whatever it can see. */
export function fileNotIsolated(why: string): SyncError {
  return new SyncError(
    `Cannot evaluate build.file without isolation: ${why}`,
    {
      stage: "build",
      reason: "not-isolated",
      next: "retry",
      hints: [
        "Fix that, or use a flake.nix: without isolation, build.file could read every file of this host.",
      ],
    },
  );
}

/** For a host that must isolate and can't. */
export function notIsolated(why: string): SyncError {
  return new SyncError(
    `Cannot isolate the evaluation from this host: ${why}`,
    {
      stage: "build",
      reason: "not-isolated",
      next: "retry",
      hints: [
        "Fix that, or set build.isolate to auto, which evaluates as root if it cannot isolate.",
      ],
    },
  );
}
