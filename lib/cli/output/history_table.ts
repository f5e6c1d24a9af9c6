/**
 * Formats the history as a table: each attempt is one line, however narrow the
 * terminal is.
 *
 * @module
 */
import { formatDuration } from "../../base/duration.ts";
import { exitCodes } from "../../base/errors.ts";
import { shown } from "../../base/redact.ts";
import { oneLine, short } from "../../base/text.ts";
import { resultText, spellText } from "../../report/history_words.ts";
import { inks } from "../../report/row.ts";
import { timeOf } from "../../report/times.ts";
import type { HistoryEntry } from "../../state/state.ts";
import type { Ink } from "./ink.ts";
import { table } from "./table.ts";
import { fit, widthOf } from "./width.ts";

interface Column {
  head: string;
  cell: (entry: HistoryEntry) => string;
}

const when: Column = { head: "WHEN", cell: ({ at }) => timeOf(at) };
/** The time without seconds. */
const shortWhen: Column = {
  head: "WHEN",
  cell: ({ at }) => timeOf(at).slice(0, 16),
};
const revision: Column = {
  head: "REVISION",
  cell: ({ revision }) => short(revision ?? "-"),
};
const result: Column = {
  head: "RESULT",
  cell: (entry) =>
    entry.result === "unreached" ? spellText(entry) : resultText(entry),
};
/** The result without the stage and the exit code. */
const shortResult: Column = {
  head: "RESULT",
  cell: (entry) => entry.reason ?? entry.result,
};
const took: Column = { head: "TOOK", cell: ({ ms }) => formatDuration(ms) };
const subject: Column = {
  head: "SUBJECT",
  cell: ({ result, subject, message }) =>
    oneLine((result === "unreached" ? message : subject) ?? "", 40) || "-",
};
const signers: Column = {
  head: "SIGNED BY",
  cell: ({ signers }) =>
    signers?.map(({ name }) => oneLine(name, 60)).join(", ") || "-",
};
const stages: Column = {
  head: "STAGES",
  cell: ({ stages }) =>
    stages.map(({ stage, ms }) => `${stage} ${formatDuration(ms)}`)
      .join(" ") || "-",
};

/** From all columns to the most important ones; even these may be cut. */
const layouts: readonly (readonly Column[])[] = [
  [when, revision, result, took, subject, signers, stages],
  [when, revision, result, took, subject, signers],
  [when, revision, result, took, subject],
  [shortWhen, revision, shortResult, took, subject],
  [shortWhen, revision, shortResult, subject],
];

/**
 * Returns a line for each attempt, with a coloured result and dim titles.
 *
 * @param columns The width of the terminal; `undefined` if there is none.
 */
export function historyTable(
  entries: readonly HistoryEntry[],
  columns: number | undefined,
  ink: Ink,
): string {
  const [head, ...rows] = linesFor(entries, columns);
  return [
    ink(inks.dim, head!),
    ...rows.map((row, i) => coloured(row, entries[i]!, ink)),
  ].join("\n");
}

function linesFor(
  entries: readonly HistoryEntry[],
  columns = Infinity,
): string[] {
  // Show signers only if signatures are checked.
  const isSigned = entries.some(({ signers }) => signers?.length);
  const all = layouts.map((layout) =>
    drawn(layout.filter((one) => one !== signers || isSigned), entries)
  );
  const fitting = all.find((lines) =>
    lines.every((line) => widthOf(line) <= columns)
  );
  return fitting ?? all.at(-1)!.map((line) => fit(line, columns));
}

function drawn(
  layout: readonly Column[],
  entries: readonly HistoryEntry[],
): string[] {
  const rows = entries.map((entry) => layout.map(({ cell }) => cell(entry)));
  return shown(table([layout.map(({ head }) => head), ...rows])).split("\n");
}

/**
 * Adds the colour of the result. A colour has no width, so it is added after
 * the text is aligned and cut.
 */
function coloured(row: string, entry: HistoryEntry, ink: Ink): string {
  const colour = colourOf(entry);
  if (colour === undefined) return row;
  // The time and the revision have the same width in each line.
  return row.replace(
    /^(\S+ \S+ +\S+ +)(\S+)/,
    (_, before, word) => before + ink(colour, word),
  );
}

/**
 * Returns the colour of a result. A success has the default colour, because
 * most lines are successes.
 */
function colourOf({ result, exit }: HistoryEntry): string | undefined {
  if (result === "unreached") return inks.warning;
  if (exit !== exitCodes.ok) return inks.bad;
  return ["rolled-back", "interrupted", "rejected"].includes(result)
    ? inks.warning
    : undefined;
}
