/**
 * Measures how fast something grows. Pure.
 *
 * @module
 */

/** The milliseconds that a rate is measured over. */
const span = 5000;

/** Measures the rate of the last seconds. */
export class Rate {
  #seen: { at: number; bytes: number }[] = [];

  /** @param now Milliseconds of a monotonic clock. */
  constructor(private readonly now: () => number) {}

  /**
   * Records the current number of bytes.
   *
   * @returns bytes a second; 0 in the first second.
   */
  at(bytes: number): number {
    const now = this.now();
    const last = this.#seen.at(-1);
    if (!last || now - last.at >= span / 20) {
      this.#seen.push({ at: now, bytes });
    }
    while (this.#seen.length > 2 && now - this.#seen[1]!.at >= span) {
      this.#seen.shift();
    }
    const first = this.#seen[0]!;
    const ms = now - first.at;
    return ms < 1000 ? 0 : (bytes - first.bytes) / ms * 1000;
  }
}
