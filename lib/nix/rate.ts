/**
 * How fast something grows. Pure.
 *
 * @module
 */

/** Milliseconds that a rate is taken over. */
const span = 5000;

/** The rate of the last seconds. */
export class Rate {
  #seen: { at: number; bytes: number }[] = [];

  /** @param now Milliseconds, by a clock that does not jump. */
  constructor(private readonly now: () => number) {}

  /**
   * Takes how many bytes there are now.
   *
   * @returns bytes a second; 0 before a second is over.
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
