/**
 * `gitops-sync history show`: prints everything about one attempt.
 *
 * @module
 */
import { formatDuration } from "../../base/duration.ts";
import { type ExitCode, exitCodes } from "../../base/errors.ts";
import { hasLog, readLog } from "../../state/log_reader.ts";
import { attemptNamed, attemptsIn } from "../attempts.ts";
import type { NamedAttempt } from "../../report/history_words.ts";
import { localConfigOf } from "../config.ts";
import { printHostJson } from "../output/host_json.ts";
import { print, printRaw } from "../output/print.ts";
import { table } from "../output/table.ts";
import { attemptRows } from "../../report/history_words.ts";
import { entryJson, show } from "./logs.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await localConfigOf(call);
  const folder = config.stateDirectory;
  const attempt = attemptNamed(await attemptsIn(folder), call.operands[0]);
  const { id, revision, entry } = attempt;
  const isKept = hasLog(folder, id);
  if (call.json) {
    await printHostJson("history show", config, exitCodes.ok, {
      attempt: entry ?? { id, revision: revision ?? null },
      log: isKept ? [...readLog(folder, id)].flat().map(entryJson) : null,
    });
    return exitCodes.ok;
  }
  printRaw(table(rowsOf(attempt)));
  if (!isKept) {
    print("\nIts log was removed, or was never written.");
    return exitCodes.ok;
  }
  print("");
  return show(folder, attempt);
}

function rowsOf(attempt: NamedAttempt): string[][] {
  const stages = attempt.entry?.stages ?? [];
  return [
    ...attemptRows(attempt),
    ...stages.map(({ stage, ms }, i) => [
      i === 0 ? "stages" : " ",
      `${stage.padEnd(10)} ${formatDuration(ms)}`,
    ]),
  ].map(([name = "", text = ""]) => [
    name,
    text.replaceAll("\n", "\n           "),
  ]);
}
