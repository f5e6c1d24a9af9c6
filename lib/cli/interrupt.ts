/**
 * Ctrl-C for a command that only looks: it ends the looking.
 *
 * @module
 */

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Whether somebody wants the command to end. */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #stop = () => this.#controller.abort();

  constructor() {
    for (const signal of signals) Deno.addSignalListener(signal, this.#stop);
  }

  get isInterrupted(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Waits for so many milliseconds, or until somebody wants it to end. */
  async sleep(ms: number): Promise<void> {
    const { signal } = this.#controller;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
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
    for (const signal of signals) {
      Deno.removeSignalListener(signal, this.#stop);
    }
  }
}
