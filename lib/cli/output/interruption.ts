/**
 * Handles the signals that end a command which shows, waits or serves.
 *
 * @module
 */

/** Catches signals that end the program, until it is disposed of. */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly #stop = () => this.#controller.abort();

  /**
   * @param signals By default Ctrl-C, the end by systemd, and a closed
   * terminal.
   */
  constructor(
    private readonly signals: readonly Deno.Signal[] = [
      "SIGINT",
      "SIGTERM",
      "SIGHUP",
    ],
  ) {
    for (const name of signals) Deno.addSignalListener(name, this.#stop);
  }

  /** Aborted after a signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether a signal has come. */
  get hasCome(): boolean {
    return this.#controller.signal.aborted;
  }

  /**
   * Waits for a time, or until a signal comes.
   *
   * @param ms Milliseconds.
   */
  pause(ms: number): Promise<void> {
    const { signal } = this.#controller;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const timer = setTimeout(done, ms);
      signal.addEventListener("abort", done);
      function done() {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      }
    });
  }

  [Symbol.dispose](): void {
    for (const name of this.signals) {
      Deno.removeSignalListener(name, this.#stop);
    }
  }
}
