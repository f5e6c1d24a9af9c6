/**
 * The real effects, with a teller that fits whoever reads standard error.
 *
 * @module
 */
import type { Command, Effects } from "../../base/effects.ts";
import { formatDuration } from "../../base/duration.ts";
import { oneLine } from "../../base/text.ts";
import { run } from "../../process/run_command.ts";
import { makeTeller, type Teller } from "./teller.ts";

/** The effects of a command that changes or asks something. */
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
    run: (command) => told(tell, command, interrupt.signal, verbose),
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

/** A teller for whoever reads standard error. */
export async function tellerFor(verbose: boolean): Promise<Teller> {
  if (!Deno.stderr.isTerminal()) return makeTeller(verbose);
  const { isDumb, terminalTeller } = await import("./terminal.ts");
  return isDumb() ? makeTeller(verbose) : terminalTeller(verbose);
}

async function told(
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

/** A pause that an interruption ends; the next program then says so. */
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
