/**
 * `gitops-sync history`: every attempt, a line each.
 *
 * @module
 */
import { formatDuration } from "../../base/duration.ts";
import { type ExitCode, exitCodes, usageError } from "../../base/errors.ts";
import { shown } from "../../base/redact.ts";
import { oneLine, short } from "../../base/text.ts";
import { entryOfSpell, readHistory } from "../../state/history.ts";
import { readState } from "../../state/state_file.ts";
import { attemptWords } from "../attempts.ts";
import { localConfigOf } from "../config.ts";
import { printHostJson } from "../output/host_json.ts";
import { inkFor } from "../output/ink.ts";
import { inks } from "../../report/row.ts";
import { print, printColoured } from "../output/print.ts";
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
    const text = fitted(table([
      ["WHEN", "REVISION", "RESULT", "TOOK", "SUBJECT", "SIGNED BY", "STAGES"],
      ...entries.map(rowOf),
    ].map(columns)));
    printColoured(coloured(text, entries));
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

/**
 * A line each with its result in colour, the heads dimmed. A colour has no
 * width, so it comes after all that is aligned and cut.
 */
function coloured(text: string, entries: readonly HistoryEntry[]): string {
  const ink = inkFor(Deno.stdout);
  const [head, ...rows] = shown(text).split("\n");
  return [
    ink(inks.dim, head!),
    ...rows.map((row, i) => {
      const colour = colourOf(entries[i]!);
      // When it was, and the revision, have the same width in each line.
      return colour === undefined
        ? row
        : row.replace(/^(\S+ \S+ +\S+ +)(\S+)/, (_, before, word) =>
          before + ink(colour, word));
    }),
  ].join("\n");
}

/** What went well has the terminal's own colour: most lines are such. */
function colourOf({ result, exit }: HistoryEntry): string | undefined {
  if (result === "unreached") return inks.warning;
  if (exit !== exitCodes.ok) return inks.bad;
  return ["rolled-back", "interrupted", "rejected"].includes(result)
    ? inks.warning
    : undefined;
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
