/**
 * `gitops-sync watch`: follows the current run, whoever started it.
 *
 * @module
 */
import { formatDuration } from "../../base/duration.ts";
import { type ExitCode, exitCodes } from "../../base/errors.ts";
import { short } from "../../base/text.ts";
import { utc } from "../../base/time.ts";
import type { LocalConfig } from "../../config/config.ts";
import { nextRun } from "../../host/next_run.ts";
import { isRunning, lastRun } from "../../host/running.ts";
import { run as runProgram } from "../../process/run_command.ts";
import { readAsked } from "../../state/asked.ts";
import { readState } from "../../state/state_file.ts";
import { localConfigOf } from "../config.ts";
import { Interruption } from "../output/interruption.ts";
import { tellerFor } from "../output/effects.ts";
import { printHostJson } from "../output/host_json.ts";
import { print } from "../output/print.ts";
import type { Teller } from "../output/teller.ts";
import { timeAndAge, timeOf } from "../../report/times.ts";
import { RunWatcher, type Seen } from "../run_watcher.ts";
import type { Call } from "../call.ts";

/** Milliseconds between two reads. */
const pause = 200;

const silent: Teller = { tell() {}, close() {} };

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await localConfigOf(call);
  const folder = config.stateDirectory;
  using interrupt = new Interruption();
  const before = lastRun(folder)?.since;
  if (!await isRunning(folder)) {
    if (!call.switches.has("wait")) return await tellIdle(call, config);
    if (!await waitForRun(folder, before, interrupt)) {
      return exitCodes.interrupted;
    }
  }
  const teller = call.json ? silent : await tellerFor(call.verbose);
  const seen = await followRun(folder, teller, interrupt);
  teller.close();
  return seen ? await tellEnd(call, config, seen) : exitCodes.interrupted;
}

/**
 * Waits for a run; one with nothing to do may have ended already.
 *
 * @returns whether there was one before an interruption.
 */
async function waitForRun(
  folder: string,
  before: number | undefined,
  interrupt: Interruption,
): Promise<boolean> {
  for (;;) {
    const since = lastRun(folder)?.since;
    if (since !== undefined && since !== before) return true;
    await interrupt.pause(pause);
    if (interrupt.hasCome) return false;
  }
}

/**
 * Follows the run to its end.
 *
 * @returns what is known of it; `undefined` after an interruption.
 */
async function followRun(
  folder: string,
  teller: Teller,
  interrupt: Interruption,
): Promise<Seen | undefined> {
  using watcher = new RunWatcher(folder, teller);
  while (!await watcher.look()) {
    await interrupt.pause(pause);
    if (interrupt.hasCome) return undefined;
  }
  return watcher.seen;
}

async function tellEnd(
  call: Call,
  config: LocalConfig,
  { since, attempt, end }: Seen,
): Promise<ExitCode> {
  const { last, attempt: left } = await readState(config.stateDirectory);
  const isOfRun = last && Date.parse(last.at) >= since;
  const found = end ??
    // If the remote did not answer, there is no attempt, only a result.
    (isOfRun && !attempt ? { ...last, text: last.message } : undefined);
  const exit = found?.exit ??
    (attempt && left ? exitCodes.interrupted : exitCodes.ok);
  const result = found?.result ?? (exit === 0 ? "nothing-to-do" : "cut-off");
  if (call.json) {
    await printHostJson("watch", config, exit as ExitCode, {
      result,
      attempt: attempt ?? null,
      text: found?.text ?? "",
    });
  } else if (found) {
    print(`The run ended: ${result}${found.text ? `: ${found.text}` : ""}`);
  } else {
    print(
      exit === 0
        ? "The run ended and changed nothing. Run `gitops-sync status` to see the state of the host."
        : "The run was interrupted: the next run finishes or undoes what it began",
    );
  }
  return exit as ExitCode;
}

/** Prints when the last run was, and when the next one is. */
async function tellIdle(call: Call, config: LocalConfig): Promise<ExitCode> {
  const folder = config.stateDirectory;
  const now = new Date();
  const { last } = await readState(folder);
  // A run queries the remote right after its start.
  const begun = lastRun(folder)?.since ?? readAsked(folder)?.at.getTime();
  const next = await nextRun({ run: (command) => runProgram(command) });
  if (call.json) {
    await printHostJson("watch", config, exitCodes.ok, {
      result: "idle",
      last: begun === undefined ? null : utc(begun) ?? null,
      next: next.at ? utc(next.at) ?? null : null,
    });
    return exitCodes.ok;
  }
  const isAttempt = last?.revision !== undefined;
  print([
    "No run is in progress.",
    begun === undefined
      ? "There was no run on this host yet."
      : `The last run began ${timeAndAge(new Date(begun).toISOString(), now)}.`,
    ...isAttempt
      ? [
        `The last attempt: ${last.result} ${short(last.revision!)}, ${
          timeAndAge(last.at, now)
        }.`,
      ]
      : [],
    next.at
      ? `The next run begins ${timeOf(next.at.toISOString())} (in ${
        formatDuration(Math.max(0, next.at.getTime() - now.getTime()))
      }).`
      : `The time of the next run is unknown: ${next.why}.`,
    "Run `gitops-sync watch --wait` to wait for it.",
  ].join("\n"));
  return exitCodes.ok;
}
