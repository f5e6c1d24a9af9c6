/**
 * `gitops-sync fleet`: prints the state of all hosts.
 *
 * @module
 */
import { type ExitCode, exitCodes, usageError } from "../../base/errors.ts";
import { isRevision } from "../../base/names.ts";
import { oneLine } from "../../base/text.ts";
import { type Fleet, fleetOf, type FleetQuery } from "../../fleet/fleet.ts";
import { isHealthy } from "../../fleet/host.ts";
import type { Call } from "../call.ts";
import { readConfig } from "../config.ts";
import { columnsOf, ink } from "../output/ink.ts";
import { printJson } from "../output/json.ts";
import { printColoured } from "../output/print.ts";
import { fleetLines } from "./fleet_text.ts";

/** The default limit: so many hosts fit on most terminals. */
const defaultLimit = 40;

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await readConfig(call);
  const wish = wishOf(call, call.operands[0]);
  const limit = limitOf(call.texts["limit"]);
  const fleet = await fleetOf(config, wish, new Date());
  const code = call.switches.has("exit-code") ? codeOf(fleet) : exitCodes.ok;
  if (call.json) {
    const { source, at, hosts } = fleet;
    const revision = wish.revision ?? null;
    printJson("fleet", code, { source, at, revision, hosts });
  } else tellFleet(fleet, limit);
  return code;
}

/** Prints the table for people. */
export function tellFleet(fleet: Fleet, limit?: number): void {
  const room = columnsOf(Deno.stdout);
  const most = limit ?? (room === undefined ? Infinity : defaultLimit);
  printColoured(fleetLines(fleet, { ink, room, most }).join("\n"));
}

/**
 * Returns 0 if all hosts are healthy, 3 if the others are only silent or
 * unknown or if there is no host, else 12.
 */
function codeOf({ hosts }: Fleet): ExitCode {
  if (hosts.length === 0) return exitCodes.remote;
  const others = hosts.filter((host) => !isHealthy(host));
  if (others.length === 0) return exitCodes.ok;
  const isUnknown = others.every(({ state }) =>
    state === "silent" || state === "unknown"
  );
  return isUnknown ? exitCodes.remote : exitCodes.outOfSync;
}

/**
 * Returns which hosts a call selects.
 *
 * @param revision The operand.
 * @throws {SyncError} exit 2, if the revision is not a full commit hash, or a
 * name is not valid.
 */
export function wishOf(call: Call, revision: string | undefined): FleetQuery {
  if (revision !== undefined && !isRevision(revision)) {
    throw usageError(
      "not-a-revision",
      `Cannot use ${oneLine(revision, 80)}: expected a full commit hash`,
      "Run `git rev-parse HEAD` in a checkout to get the full hash.",
    );
  }
  return {
    hosts: namesOf(call.texts["hosts"]),
    ring: call.texts["ring"],
    ...revision === undefined ? {} : { revision },
  };
}

/** Returns the names and patterns of hosts in `--hosts`. */
export function namesOf(text: string | undefined): string[] {
  const names = (text ?? "").split(/[,\s]+/).filter((name) => name !== "");
  const wrong = names.find((name) => !/^[\w.*?-]{1,100}$/.test(name));
  if (wrong === undefined) return names;
  throw usageError(
    "flag-value",
    `Cannot use "${
      oneLine(wrong, 80)
    }" for --hosts: expected names or patterns of hosts, separated by commas`,
    "Type, for example, `--hosts 'web-*,db-1'`.",
  );
}

function limitOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,6}$/.test(text)) return Number(text) || Infinity;
  throw usageError(
    "flag-value",
    `Cannot use "${oneLine(text, 80)}" for --limit: expected a whole number`,
    "Type a number of hosts, or 0 for all.",
  );
}
