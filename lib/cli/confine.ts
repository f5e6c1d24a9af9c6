/**
 * Runs a command where Deno lets it do no more than its configuration needs: in
 * a worker, because a process that may do something can't give that up in part.
 *
 * @module
 */
import {
  type ExitCode,
  exitCodes,
  SyncError,
  usageError,
} from "../base/errors.ts";
import { loadLocalConfig, type LocalConfig } from "../config/config.ts";
import { privatePlaces } from "../host/private_folder.ts";
import { hasSystemd } from "../host/system.ts";
import { readConfig } from "./config.ts";
import { namesSockets, permissionsFor, type Reach } from "./permissions.ts";
import type { Call } from "./call.ts";

/**
 * Runs a command that reaches no further than this.
 *
 * @returns its exit code; every error was told.
 * @throws {SyncError} what is wrong with the configuration, or
 * `permissions-missing`, exit 2.
 */
export async function confined(call: Call, reach: Reach): Promise<ExitCode> {
  const permissions = permissionsFor(reach, await configFor(call), {
    hasSystemd: hasSystemd(),
    privatePlaces: privatePlaces(),
    netNamesSockets: namesSockets(Deno.version.deno),
    mayRun: (command) => {
      const asked = { name: "run", ...(command && { command }) } as const;
      return Deno.permissions.querySync(asked).state === "granted";
    },
  });
  const worker = startWorker(import.meta.resolve("./worker.ts"), permissions);
  return await new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    // Deno has written what it was, and where.
    worker.onerror = (event) => {
      event.preventDefault();
      resolve(exitCodes.bug);
    };
  });
}

/** A command that judges the configuration itself gets what the defaults need. */
async function configFor(call: Call): Promise<LocalConfig> {
  try {
    return await readConfig(call);
  } catch (error) {
    if (!(error instanceof SyncError) || !call.command.judges) throw error;
    return await loadLocalConfig(undefined, []);
  }
}

/**
 * Starts a module that may do no more than this.
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
        "look at health.http, health.tcp, build.prebuilt and vault.address",
      );
    }
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    throw usageError(
      "permissions-missing",
      "Cannot start: gitops-sync was given too few permissions by Deno",
      "start it with deno run --allow-all gitops_sync.ts; each command gives up what it does not need",
    );
  }
}
