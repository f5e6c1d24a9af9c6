/**
 * Loads the code of a command when it is called.
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
  sync: () => import("./command/sync.ts"),
  plan: () => import("./command/plan.ts"),
  status: () => import("./command/status.ts"),
  history: () => import("./command/history.ts"),
  "history show": () => import("./command/history_show.ts"),
  logs: () => import("./command/logs.ts"),
  watch: () => import("./command/watch.ts"),
  rollback: () => import("./command/rollback.ts"),
  retry: () => import("./command/retry.ts"),
  accept: () => import("./command/accept.ts"),
  approve: () => import("./command/approve.ts"),
  reject: () => import("./command/reject.ts"),
  suspend: () => import("./command/suspend.ts"),
  resume: () => import("./command/resume.ts"),
  notify: () => import("./command/notify.ts"),
  "vault-agent": () => import("./command/vault_agent.ts"),
  serve: () => import("./command/serve.ts"),
  "secrets keygen": () => import("./secrets/keygen.ts"),
  "secrets recipients": () => import("./secrets/recipients.ts"),
  "secrets check": () => import("./secrets/check.ts"),
  "secrets encrypt": () => import("./secrets/encrypt.ts"),
  "secrets edit": () => import("./secrets/edit.ts"),
  "secrets rotate": () => import("./secrets/rotate.ts"),
  "secrets updatekeys": () => import("./secrets/updatekeys.ts"),
  "secrets add-host": () => import("./secrets/add_host.ts"),
  fleet: () => import("./command/fleet.ts"),
  "fleet wait": () => import("./command/fleet_wait.ts"),
  "fleet approve": () => import("./command/fleet_approve.ts"),
  "fleet accept": () => import("./command/fleet_accept.ts"),
  "fleet locks": () => import("./command/fleet_locks.ts"),
  "fleet unlock": () => import("./command/fleet_unlock.ts"),
  "config check": () => import("./command/config_check.ts"),
  init: () => import("./command/init.ts"),
  publish: () => import("./command/publish.ts"),
  doctor: () => import("./command/doctor.ts"),
  ready: () => import("./command/ready.ts"),
  completions: () => import("./command/completions.ts"),
  complete: () => import("./command/complete.ts"),
  pressed: () => import("./command/pressed.ts"),
};

/**
 * Loads the code of a command.
 *
 * @param name The name in the list of commands, for example `secrets edit`.
 * @throws {SyncError} `command-missing`, exit 2, for a word that only begins
 * the names of commands.
 */
export async function load(name: string): Promise<Runnable> {
  const loader = Object.hasOwn(loaders, name) ? loaders[name] : undefined;
  if (loader) return await loader();
  throw usageError(
    "command-missing",
    `Cannot run ${name}: expected one of its subcommands`,
    `Run \`gitops-sync ${name} --help\` for the list.`,
  );
}

/** The commands that have code; a test compares them with the list. */
export const loadable: readonly string[] = Object.keys(loaders);
