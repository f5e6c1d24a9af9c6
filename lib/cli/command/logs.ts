/**
 * `gitops-sync logs`: prints the log of one attempt, with the output of its
 * build and its switches.
 *
 * @module
 */
import { type ExitCode, exitCodes, usageError } from "../../base/errors.ts";
import { short } from "../../base/text.ts";
import { utc } from "../../base/time.ts";
import { isRunning } from "../../host/running.ts";
import type { LogEntry } from "../../state/log_entries.ts";
import { hasLog, LogReader } from "../../state/log_reader.ts";
import { attemptNamed, attemptsIn, isOfRun } from "../attempts.ts";
import type { NamedAttempt } from "../../report/history_words.ts";
import { localConfigOf } from "../config.ts";
import { Interruption } from "../output/interruption.ts";
import { printHostJson } from "../output/host_json.ts";
import { logLines } from "../../report/log_lines.ts";
import { printRaw } from "../output/print.ts";
import type { Call } from "../call.ts";

/** Milliseconds between two reads of a growing log. */
const pause = 200;

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await localConfigOf(call);
  const folder = config.stateDirectory;
  const attempt = attemptNamed(
    await attemptsIn(folder),
    call.operands[0],
    isOfRun,
  );
  refuseMissing(folder, attempt);
  if (call.json) {
    const { id, revision } = attempt;
    using reader = new LogReader(folder, id);
    const entries = [...reader.read()].flat();
    await printHostJson("logs", config, exitCodes.ok, {
      attempt: { id, revision: revision ?? null },
      lines: entries.map(entryJson),
    });
    return exitCodes.ok;
  }
  return call.switches.has("follow")
    ? await follow(folder, attempt)
    : show(folder, attempt);
}

/**
 * Refuses an attempt without a log.
 *
 * @throws {SyncError} `log-missing`, exit 2.
 */
export function refuseMissing(folder: string, { id, revision }: NamedAttempt) {
  if (hasLog(folder, id)) return;
  throw usageError(
    "log-missing",
    `Cannot show the log of ${id}${
      revision ? ` (${short(revision)})` : ""
    }: it was removed, or was never written`,
    `Run \`gitops-sync history show ${id}\` to see what is known of this attempt.`,
  );
}

/** Returns a line of the log with its time as text. */
export function entryJson({ at, ...entry }: LogEntry): Record<string, unknown> {
  return { at: utc(at) ?? null, ...entry };
}

/** Prints the log as far as it is written. */
export function show(folder: string, { id }: NamedAttempt): ExitCode {
  using reader = new LogReader(folder, id);
  for (const entries of reader.read()) printAll(entries);
  return exitCodes.ok;
}

function printAll(entries: readonly LogEntry[]): void {
  printRaw(entries.flatMap(logLines).join("\n"));
}

/** Prints a log, and new lines until its attempt ends. */
async function follow(
  folder: string,
  { id, entry }: NamedAttempt,
): Promise<ExitCode> {
  using reader = new LogReader(folder, id);
  using interrupt = new Interruption();
  for (let isOver = entry !== undefined;;) {
    for (const entries of reader.read()) {
      printAll(entries);
      isOver = entries.at(-1)?.kind === "end";
    }
    if (isOver) return exitCodes.ok;
    if (interrupt.hasCome) return exitCodes.interrupted;
    // An interrupted run wrote no end.
    isOver = !await isRunning(folder);
    if (!isOver) await interrupt.pause(pause);
  }
}
