/**
 * Checks that this host can evaluate a revision, without having one.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import { useUnit } from "./evaluation_unit.ts";
import { type Route, routeHere } from "./isolation.ts";

/** Seconds that a derivation of one line may take. */
const patience = 60;

/** The daemon adds it to the store; nothing builds it. */
const expression =
  'derivation { name = "gitops-sync-probe"; system = "none"; builder = "/none"; }';

/**
 * Returns why the unit cannot run an evaluation; `undefined` if it can. It runs
 * our own code, so its answer can be trusted.
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
 * Returns what isolates revisions on this host, tested if the kernel may refuse
 * it; or in words why nothing does.
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
 * Checks whether the next revision can be evaluated as configured. This takes a
 * few tenths of a second with isolation, and almost no time without.
 *
 * @throws {SyncError} `not-isolated`, stage `build`, if `build.isolate` is
 * `true` and isolation is impossible, or if it should work and does not.
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

/** Why there is no isolation if the configuration turns it off. */
export const turnedOff = "build.isolate is false";

/**
 * Returns the error for a file instead of a flake, which could read everything
 * that it sees.
 */
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

/** Returns the error for a host that must isolate and cannot. */
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
