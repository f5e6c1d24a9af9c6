/**
 * `gitops-sync history`: every attempt, a line each.
 *
 * @module
 */
import { formatDuration } from "../../base/duration.ts";
import { type ExitCode, exitCodes, usageError } from "../../base/errors.ts";
import { oneLine, short } from "../../base/text.ts";
import { entryOfSpell, readHistory } from "../../state/history.ts";
import { readState } from "../../state/state_file.ts";
import { attemptWords } from "../attempts.ts";
import { localConfigOf } from "../config.ts";
import { printHostJson } from "../output/host_json.ts";
import { print } from "../output/print.ts";
import { table } from "../output/table.ts";
import { fit } from "../output/width.ts";
import { resultText, spellText } from "../../report/history_words.ts";
import { timeOf } from "../../report/times.ts";
import type { Call } from "../call.ts";
import type { HistoryEntry } from "../../state/state.ts";

const usualLimit = 20;

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await localConfigOf(call);
  if (call.switches.has("ids") && !call.json) {
    const ids = await attemptWords(config.stateDirectory);
    if (ids.length > 0) print(ids.join("\n"));
    return exitCodes.ok;
  }
  const limit = limitOf(call.texts["limit"]);
  const all = await attemptsOf(config.stateDirectory);
  const entries = limit === 0 ? all : all.slice(-limit);
  if (call.json) {
    const result = { attempts: entries };
    await printHostJson("history", config, exitCodes.ok, result);
  } else if (entries.length === 0) {
    print("Nothing was attempted here yet: gitops-sync sync is the beginning");
  } else {
    // A column for signers where signatures are checked.
    const isSigned = entries.some(({ signers }) => signers?.length);
    const columns = (row: string[]) => isSigned ? row : row.toSpliced(5, 1);
    print(fitted(table([
      ["WHEN", "REVISION", "RESULT", "TOOK", "SUBJECT", "SIGNED BY", "STAGES"],
      ...entries.map(rowOf),
    ].map(columns))));
  }
  return exitCodes.ok;
}

/** Every attempt, and at the end a spell without an answer that goes on. */
async function attemptsOf(folder: string): Promise<HistoryEntry[]> {
  const { unreached } = await readState(folder);
  const entries = readHistory(folder);
  return unreached ? [...entries, entryOfSpell(unreached)] : entries;
}

function rowOf(entry: HistoryEntry): string[] {
  if (entry.result === "unreached") return spellRow(entry);
  return [
    timeOf(entry.at),
    short(entry.revision ?? "-"),
    resultText(entry),
    formatDuration(entry.ms),
    oneLine(entry.subject ?? "", 40) || "-",
    entry.signers?.map(({ name }) => oneLine(name, 60)).join(", ") || "-",
    entry.stages.map(({ stage, ms }) => `${stage} ${formatDuration(ms)}`)
      .join(" ") || "-",
  ];
}

function spellRow(entry: HistoryEntry): string[] {
  return [
    timeOf(entry.at),
    "-",
    spellText(entry),
    formatDuration(entry.ms),
    oneLine(entry.message ?? "", 40) || "-",
    "-",
    "-",
  ];
}

/** On a terminal a line each, however narrow it is. */
function fitted(text: string): string {
  const columns = Deno.stdout.isTerminal() ? Deno.consoleSize().columns : 0;
  if (columns === 0) return text;
  return text.split("\n").map((line) => fit(line, columns)).join("\n");
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return usualLimit;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw usageError(
    "flag-value",
    `Cannot use "${oneLine(text, 80)}" for --limit: expected a whole number`,
    "0 shows all",
  );
}
