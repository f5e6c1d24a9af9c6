/**
 * How a command that runs until it is stopped learns that.
 *
 * @module
 */

/** Aborted by Ctrl-C, a hang-up, or whoever ends the process. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => stop.abort());
  }
  return stop.signal;
}
