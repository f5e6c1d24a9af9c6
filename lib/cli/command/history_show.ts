/**
 * `gitops-sync history show`: everything of one attempt.
 *
 * @module
 */
import { formatDuration } from "../../base/duration.ts";
import { type ExitCode, exitCodes } from "../../base/errors.ts";
import type { HistoryEntry } from "../../state/state.ts";
import { hasLog, readLog } from "../../state/log_reader.ts";
import { attemptNamed, attemptsIn, type KnownAttempt } from "../attempts.ts";
import { localConfigOf } from "../config.ts";
import { printHostJson } from "../output/host_json.ts";
import { print } from "../output/print.ts";
import { table } from "../output/table.ts";
import { timeOf } from "../output/times.ts";
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
  print(table(rowsOf(attempt)));
  if (!isKept) {
    print("\nIts log is not kept any more, or was never written.");
    return exitCodes.ok;
  }
  print("");
  return show(folder, attempt);
}

function rowsOf({ id, revision, entry }: KnownAttempt): string[][] {
  const rows: [string, string | undefined][] = [
    ["attempt", id],
    ["command", entry?.command],
    ["revision", entry?.revision ?? revision],
    ["subject", entry?.subject],
    ["author", entry?.author],
    [
      "signed by",
      entry?.signers?.map(({ kind, name, key }) => `${name} (${kind} ${key})`)
        .join(", "),
    ],
    ["began", entry && timeOf(entry.at)],
    ["took", entry && formatDuration(entry.ms)],
    ["result", entry ? resultOf(entry) : "under way, or cut off"],
    ["by", entry?.by],
    ["reason", entry?.why],
    ["why", entry?.message],
    ["system", entry?.system],
    ...(entry?.stages ?? []).map(({ stage, ms }, i): [string, string] => [
      i === 0 ? "stages" : " ",
      `${stage.padEnd(10)} ${formatDuration(ms)}`,
    ]),
  ];
  return rows.flatMap(([name, value]) =>
    value ? [[name, value.replaceAll("\n", "\n           ")]] : []
  );
}

function resultOf({ result, stage, reason, exit }: HistoryEntry): string {
  return stage
    ? `${result} at ${stage}: ${reason} (exit code ${exit})`
    : `${result} (exit code ${exit})`;
}
