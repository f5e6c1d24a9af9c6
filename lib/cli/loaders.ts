/**
 * Where the code of each command is. It is loaded when it is called.
 *
 * @module
 */
import { type ExitCode, usageError } from "../base/errors.ts";
import type { Call } from "./call.ts";

/** The code of one command. */
interface Runnable {
  run: (call: Call) => Promise<ExitCode>;
}

const loaders: Readonly<Record<string, () => Promise<Runnable>>> = {
  sync: () => import("./sync.ts"),
  status: () => import("./status.ts"),
  history: () => import("./history.ts"),
  rollback: () => import("./rollback.ts"),
  retry: () => import("./retry.ts"),
  accept: () => import("./accept.ts"),
  suspend: () => import("./suspend.ts"),
  resume: () => import("./resume.ts"),
  "vault-agent": () => import("./vault_agent.ts"),
  "secrets keygen": () => import("./secrets_keygen.ts"),
  "secrets recipients": () => import("./secrets_recipients.ts"),
  "secrets check": () => import("./secrets_check.ts"),
  "secrets encrypt": () => import("./secrets_encrypt.ts"),
  "secrets edit": () => import("./secrets_edit.ts"),
  "secrets rotate": () => import("./secrets_rotate.ts"),
  "secrets updatekeys": () => import("./secrets_updatekeys.ts"),
  "secrets add-host": () => import("./secrets_add_host.ts"),
  "config check": () => import("./config_check.ts"),
  completions: () => import("./completions.ts"),
};

/**
 * Loads the code of a command.
 *
 * @param name As in the list of commands, for example `secrets edit`.
 * @throws {SyncError} `command-missing`, exit 2, for a word that several
 * commands begin with.
 */
export async function load(name: string): Promise<Runnable> {
  const loader = Object.hasOwn(loaders, name) ? loaders[name] : undefined;
  if (loader) return await loader();
  throw usageError(
    "command-missing",
    `Cannot run ${name} alone: expected one of its commands`,
    `see gitops-sync ${name} --help`,
  );
}

/** The commands that have code: a test compares them with the list. */
export const loadable: readonly string[] = Object.keys(loaders);
