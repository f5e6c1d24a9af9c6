/**
 * `gitops-sync history`: prints every attempt, one on a line.
 *
 * @module
 */
import { type ExitCode, exitCodes, usageError } from "../../base/errors.ts";
import { oneLine } from "../../base/text.ts";
import { entryOfSpell, readHistory } from "../../state/history.ts";
import { readState } from "../../state/state_file.ts";
import { attemptWords } from "../attempts.ts";
import { localConfigOf } from "../config.ts";
import { historyTable } from "../output/history_table.ts";
import { printHostJson } from "../output/host_json.ts";
import { columnsOf, inkFor } from "../output/ink.ts";
import { print, printColoured, printRaw } from "../output/print.ts";
import type { Call } from "../call.ts";
import type { HistoryEntry } from "../../state/state.ts";

const defaultLimit = 20;

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await localConfigOf(call);
  if (call.switches.has("ids") && !call.json) {
    const ids = await attemptWords(config.stateDirectory);
    if (ids.length > 0) printRaw(ids.join("\n"));
    return exitCodes.ok;
  }
  const limit = limitOf(call.texts["limit"]);
  const all = await attemptsOf(config.stateDirectory);
  const entries = limit === 0 ? all : all.slice(-limit);
  if (call.json) {
    const result = { attempts: entries };
    await printHostJson("history", config, exitCodes.ok, result);
  } else if (entries.length === 0) {
    print("There is no attempt on this host yet. Run `gitops-sync sync`.");
  } else {
    const columns = columnsOf(Deno.stdout);
    printColoured(historyTable(entries, columns, inkFor(Deno.stdout)));
  }
  return exitCodes.ok;
}

/** Returns every attempt. The last entry may be an outage that continues. */
async function attemptsOf(folder: string): Promise<HistoryEntry[]> {
  const { unreached } = await readState(folder);
  const entries = readHistory(folder);
  return unreached ? [...entries, entryOfSpell(unreached)] : entries;
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return defaultLimit;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw usageError(
    "flag-value",
    `Cannot use "${oneLine(text, 80)}" for --limit: expected a whole number`,
    "Type a number of attempts, or 0 for all.",
  );
}
