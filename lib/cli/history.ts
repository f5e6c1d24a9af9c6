/**
 * `gitops-sync history`: every attempt, a line each.
 *
 * @module
 */
import { formatDuration } from "../base/duration.ts";
import { type ExitCode, exitCodes, usageError } from "../base/errors.ts";
import { oneLine, short } from "../base/text.ts";
import { type HistoryEntry, readHistory } from "../host/history.ts";
import type { Call } from "./arguments.ts";
import { localConfigOf } from "./config.ts";
import { printJson } from "./json.ts";
import { print } from "./output.ts";
import { table } from "./table.ts";
import { timeOf } from "./times.ts";

const usualLimit = 20;

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const { stateDirectory } = await localConfigOf(call);
  const limit = limitOf(call.texts["limit"]);
  const all = readHistory(stateDirectory);
  const entries = limit === 0 ? all : all.slice(-limit);
  if (call.json) {
    printJson("history", exitCodes.ok, { attempts: entries });
  } else if (entries.length === 0) {
    print("Nothing was attempted here yet: gitops-sync sync is the beginning");
  } else {
    // A column for signers where signatures are checked.
    const isSigned = entries.some(({ signers }) => signers?.length);
    const columns = (row: string[]) => isSigned ? row : row.toSpliced(5, 1);
    print(table([
      ["WHEN", "REVISION", "RESULT", "TOOK", "STAGES", "SIGNED BY", "SUBJECT"],
      ...entries.map(rowOf),
    ].map(columns)));
  }
  return exitCodes.ok;
}

function rowOf(entry: HistoryEntry): string[] {
  return [
    timeOf(entry.at),
    short(entry.revision ?? "-"),
    resultOf(entry),
    formatDuration(entry.ms),
    entry.stages.map(({ stage, ms }) => `${stage} ${formatDuration(ms)}`)
      .join(" ") || "-",
    entry.signers?.map(({ name }) => oneLine(name, 60)).join(", ") || "-",
    oneLine(entry.subject ?? "", 60),
  ];
}

/** `deployed`, or `failed at build: builder-failed (6)`. */
function resultOf(entry: HistoryEntry): string {
  if (entry.exit === exitCodes.ok || !entry.stage) return entry.result;
  return `${entry.result} at ${entry.stage}: ${entry.reason} (${entry.exit})`;
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
