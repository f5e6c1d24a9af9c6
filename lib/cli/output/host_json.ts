/**
 * The JSON of the commands that deal with this host.
 *
 * @module
 */
import type { ExitCode } from "../../base/errors.ts";
import type { LocalConfig } from "../../config/config.ts";
import type { HostState } from "../../run/host_state.ts";
import { hostPart } from "../../report/host_facts.ts";
import { printJson } from "./json.ts";

/**
 * Writes the result of a command that deals with this host as one JSON
 * document: `host`, `target` and `state` come first. To be called after the
 * command's work, without the lock.
 *
 * @param state Where the command knows it already.
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
