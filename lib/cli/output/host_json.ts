/**
 * Prints the JSON of the commands that are about this host.
 *
 * @module
 */
import type { ExitCode } from "../../base/errors.ts";
import type { LocalConfig } from "../../config/config.ts";
import type { HostState } from "../../run/host_state.ts";
import { hostPart } from "../../report/host_facts.ts";
import { printJson } from "./json.ts";

/**
 * Prints the result of a command about this host as one JSON document: `host`,
 * `target` and `state` come first. Call it after the command's work, without
 * the lock.
 *
 * @param state The state of the host, if the command knows it.
 */
export async function printHostJson(
  command: string,
  config: LocalConfig,
  exit: ExitCode,
  result: Readonly<Record<string, unknown>>,
  state?: HostState,
): Promise<void> {
  printJson(command, exit, { ...await hostPart(config, state), ...result });
}
