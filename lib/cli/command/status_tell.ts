/**
 * Prints the status in the requested format.
 *
 * @module
 */
import { type ExitCode, exitCodes } from "../../base/errors.ts";
import { type HostState, hostStateOf } from "../../run/host_state.ts";
import type { Call } from "../call.ts";
import { printHostJson } from "../output/host_json.ts";
import { columnsOf, inkFor } from "../output/ink.ts";
import { printColoured, printRaw } from "../output/print.ts";
import { rowLines } from "../output/rows.ts";
import { agreement, type Facts } from "../../report/agreement.ts";
import { statusJson } from "./status_json.ts";
import { statusRows } from "../../report/status_text.ts";
import { statusLine } from "../output/status_line.ts";

/**
 * Prints the status in the requested format.
 *
 * @returns the exit code: 0, or that of the state with `--exit-code` or
 * `--wait`.
 */
export async function tellStatus(
  { json, switches, texts }: Call,
  facts: Facts,
): Promise<ExitCode> {
  const { config } = facts;
  const state = hostStateOf(facts);
  const isAsked = switches.has("exit-code") || switches.has("wait") ||
    texts["wait"] !== undefined;
  const exit = isAsked ? exitOfState(state) : exitCodes.ok;
  const verdict = agreement(facts);
  if (json) {
    const result = statusJson(facts, verdict);
    await printHostJson("status", config, exit, result, state);
  } else if (switches.has("oneline")) {
    printRaw(statusLine(facts, columnsOf(Deno.stdout)));
  } else {
    const paper = {
      ink: inkFor(Deno.stdout),
      columns: columnsOf(Deno.stdout),
    };
    printColoured(rowLines(statusRows(facts, verdict), paper).join("\n"));
  }
  return exit;
}

const exitOf: Readonly<Record<HostState, ExitCode>> = {
  "in-sync": exitCodes.ok,
  "out-of-sync": exitCodes.outOfSync,
  deploying: exitCodes.locked,
  held: exitCodes.held,
  waiting: exitCodes.waiting,
  suspended: exitCodes.suspended,
  "rolled-back": exitCodes.rolledBackByPerson,
  unknown: exitCodes.remote,
};

/** Returns the exit code of a state for `--exit-code` and `--wait`. */
export function exitOfState(state: HostState): ExitCode {
  return exitOf[state];
}
