/**
 * `gitops-sync status`: prints what runs, what Git has, and what comes next.
 *
 * @module
 */
import { type ExitCode, SyncError, usageError } from "../../base/errors.ts";
import { foreseen } from "../../base/os_error.ts";
import { configOf } from "../config.ts";
import { statusFacts } from "./status_facts.ts";
import { tellStatus } from "./status_tell.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  refuseConflicts(call);
  try {
    return await showStatus(call);
  } catch (thrown) {
    if (Deno.uid() === 0 || !isDenied(thrown)) throw thrown;
    const { tellPublished } = await import("./status_published.ts");
    const told = await tellPublished(call);
    // Nothing was published, so the original error applies.
    if (told === undefined) throw thrown;
    return told;
  }
}

async function showStatus(call: Call): Promise<ExitCode> {
  const config = await configOf(call);
  if (call.switches.has("watch")) {
    const { watch } = await import("./status_watch.ts");
    return await watch(call, config);
  }
  if (isWaiting(call)) {
    const { wait } = await import("./status_wait.ts");
    return await wait(call, config);
  }
  return await tellStatus(call, await statusFacts(call, config));
}

const isWaiting = ({ switches, texts }: Call) =>
  switches.has("wait") || texts["wait"] !== undefined;

/**
 * Refuses flags that exclude each other: each prints the status in its own way.
 */
function refuseConflicts(call: Call): void {
  const { switches, json } = call;
  if (!switches.has("watch")) return;
  const other = json ? "--json" : isWaiting(call) ? "--wait" : undefined;
  if (other !== undefined) {
    throw usageError(
      "flags-together",
      `Cannot use --watch with ${other}: expected one of them`,
    );
  }
  if (!Deno.stdout.isTerminal()) {
    throw usageError(
      "no-terminal",
      "Cannot use --watch here: standard output is not a terminal",
      "Use `gitops-sync status --wait`, which needs no terminal.",
    );
  }
}

/** Returns whether this user may not read the state or the configuration. */
function isDenied(thrown: unknown): boolean {
  const error = foreseen(thrown);
  return error instanceof SyncError && error.reason === "permission-denied";
}
