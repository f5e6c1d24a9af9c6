/**
 * A person's wish that a command which shows or waits comes to its end.
 *
 * @module
 */

/** Notices Ctrl-C, and that the terminal has gone, until it is disposed of. */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly #stop = () => this.#controller.abort();

  constructor() {
    for (const name of signals) Deno.addSignalListener(name, this.#stop);
  }

  /** Whether it has come. */
  get hasCome(): boolean {
    return this.#controller.signal.aborted;
  }

  /**
   * Waits for a time, or until it comes.
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
    for (const name of signals) Deno.removeSignalListener(name, this.#stop);
  }
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
