/**
 * `gates.command`: a command of the host.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import type { Config } from "../config/schema.ts";
import {
  environmentAbout,
  runHostCommand,
} from "../activation/host_command.ts";
import { type Answer, closed, type Subject } from "./answer.ts";

/** The limit of its output, in bytes. */
const mostOutput = 1024 * 1024;

/**
 * Runs the command. Exit code 0 opens the gate.
 *
 * @throws {SyncError} `interrupted`.
 */
export async function checkCommand(
  effects: Effects,
  config: Config,
  { commit, target, system }: Subject,
): Promise<Answer> {
  const env = {
    ...environmentAbout({ commit, target, candidate: system }),
    GITOPS_SYNC_GATE: "command",
  };
  const failure = await runHostCommand(
    { effects },
    config["gates.command"],
    env,
    config["timeouts.gates"],
    mostOutput,
  );
  if (!failure) return { isOpen: true, why: "exited with code 0" };
  const said = failure.details.at(-1);
  return closed(said ? `${failure.text}: ${said}` : failure.text);
}
