/**
 * Runs a command with no more permissions than its configuration needs. It runs
 * in a worker, because a process cannot give up a part of a Deno permission.
 *
 * @module
 */
import { say } from "../base/effects.ts";
import {
  type ExitCode,
  exitCodes,
  SyncError,
  usageError,
} from "../base/errors.ts";
import { loadLocalConfig, type LocalConfig } from "../config/config.ts";
import { tellsAny } from "../config/told.ts";
import { privatePlaces } from "../host/private_folder.ts";
import { hasSystemd } from "../host/system.ts";
import { readConfig } from "./config.ts";
import { resultOf } from "./life.ts";
import { namesSockets, permissionsFor, type Reach } from "./permissions.ts";
import type { Call } from "./call.ts";

/**
 * Runs a command in a worker with the permissions of its reach.
 *
 * @returns its exit code; every error was reported.
 * @throws {SyncError} if the configuration is wrong, or `permissions-missing`,
 * exit 2.
 */
export async function confined(call: Call, reach: Reach): Promise<ExitCode> {
  const config = await configFor(call);
  const code = await inWorker("./worker.ts", reach, config);
  if (reach === "host") await deliverAfter(config);
  return code;
}

/**
 * Delivers the messages of the run if no unit does. It uses another worker: the
 * one that changes the host cannot connect to receivers, and this one cannot
 * change the host.
 */
async function deliverAfter(config: LocalConfig): Promise<void> {
  if (config["notify.by"] !== "run" || !tellsAny(config)) return;
  try {
    await inWorker("./deliver_worker.ts", "notify", config);
  } catch (error) {
    // The exit code is that of the run, even if the delivery failed.
    const { makeTeller } = await import("./output/teller.ts");
    const { message } = error as Error;
    say(makeTeller(false), "warning", `Cannot deliver messages: ${message}`);
  }
}

async function inWorker(
  module: string,
  reach: Reach,
  config: LocalConfig,
): Promise<ExitCode> {
  const permissions = permissionsFor(reach, config, {
    hasSystemd: hasSystemd(),
    privatePlaces: privatePlaces(),
    netNamesSockets: namesSockets(Deno.version.deno),
    mayRun: (command) => {
      const asked = { name: "run", ...(command && { command }) } as const;
      return Deno.permissions.querySync(asked).state === "granted";
    },
  });
  const worker = startWorker(import.meta.resolve(module), permissions);
  return await resultOf<ExitCode>(worker, exitCodes.bug);
}

/**
 * Returns the configuration. If it is wrong and the command reports that
 * itself, returns the defaults, which give the permissions.
 */
async function configFor(call: Call): Promise<LocalConfig> {
  try {
    return await readConfig(call);
  } catch (error) {
    if (!(error instanceof SyncError) || !call.command.judges) throw error;
    return await loadLocalConfig(undefined, []);
  }
}

/**
 * Starts a module in a worker with these permissions.
 *
 * @throws {SyncError} exit 2: `host-name`, `permissions-missing`.
 */
export function startWorker(
  module: string,
  permissions: Deno.PermissionOptionsObject,
): Worker {
  try {
    return new Worker(module, { type: "module", deno: { permissions } });
  } catch (error) {
    if (error instanceof URIError) {
      throw usageError(
        "host-name",
        `Cannot use a host of the configuration: ${error.message}`,
        "Check the host names in health.http, health.tcp, build.prebuilt, vault.address, gates, lock, notify and commitStatus.",
      );
    }
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    throw usageError(
      "permissions-missing",
      "Cannot start: Deno gave gitops-sync too few permissions",
      "Start it with `deno run --allow-all gitops_sync.ts`: each command gives up the permissions that it does not need.",
    );
  }
}
