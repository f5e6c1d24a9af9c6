/**
 * Makes the real effects, with a teller for the kind of standard error.
 *
 * @module
 */
import type { Command, Effects } from "../../base/effects.ts";
import { formatDuration } from "../../base/duration.ts";
import { oneLine } from "../../base/text.ts";
import { run } from "../../process/run_command.ts";
import { makeTeller, type Teller } from "./teller.ts";

/** Returns the effects of a command that changes or queries something. */
export async function realEffects(
  verbose: boolean,
): Promise<Effects & Disposable & AsyncDisposable> {
  const teller = await tellerFor(verbose);
  const interrupt = new AbortController();
  const stop = () => interrupt.abort();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, stop);
  const { tell } = teller;
  const close = () => {
    teller.close();
    for (const signal of signals) Deno.removeSignalListener(signal, stop);
  };
  return {
    run: (command) => runAndTell(tell, command, interrupt.signal, verbose),
    now: () => new Date(),
    monotonic: () => performance.now(),
    sleep: (ms) => sleep(ms, interrupt.signal),
    tell,
    [Symbol.dispose]: close,
    async [Symbol.asyncDispose]() {
      await teller.told?.();
      close();
    },
  };
}

/** Returns a teller that fits standard error. */
export async function tellerFor(verbose: boolean): Promise<Teller> {
  if (!Deno.stderr.isTerminal()) return makeTeller(verbose);
  const { isDumb, terminalTeller } = await import("./terminal.ts");
  return isDumb() ? makeTeller(verbose) : terminalTeller(verbose);
}

async function runAndTell(
  tell: Teller["tell"],
  command: Command,
  interrupt: AbortSignal,
  verbose: boolean,
) {
  if (!verbose) return await run(command, interrupt);
  const start = performance.now();
  const finished = await run(command, interrupt);
  const took = formatDuration(performance.now() - start);
  const line = oneLine([command.program, ...command.args].join(" "), 2000);
  const text = `${line} (exit ${finished.code}, ${took})`;
  tell({ kind: "message", level: "debug", text });
  return finished;
}

/**
 * Waits, or returns early after an interruption; the next program then reports
 * it.
 */
function sleep(ms: number, interrupt: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    interrupt.addEventListener("abort", done);
    function done() {
      clearTimeout(timer);
      interrupt.removeEventListener("abort", done);
      resolve();
    }
  });
}
