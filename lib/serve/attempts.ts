/**
 * How often somebody may try a password.
 *
 * @module
 */

/** Attempts that may follow one another at once. */
const burst = 10;

/** Milliseconds until one more is allowed. */
const pause = 6_000;

/** Counts attempts of everybody together: behind a proxy all look the same. */
export class Attempts {
  #left = burst;
  #since: number;

  /** @param monotonic A clock in milliseconds that never jumps. */
  constructor(private readonly monotonic: () => number) {
    this.#since = monotonic();
  }

  /**
   * Takes one attempt.
   *
   * @returns nothing where it is allowed; otherwise the seconds until one is.
   */
  take(): number | undefined {
    const now = this.monotonic();
    const gained = Math.floor((now - this.#since) / pause);
    this.#left = Math.min(burst, this.#left + gained);
    this.#since = this.#left === burst ? now : this.#since + gained * pause;
    if (this.#left === 0) return Math.ceil((this.#since + pause - now) / 1000);
    this.#left--;
    return undefined;
  }

  /** Gives back the attempt of somebody who knew the password. */
  giveBack(): void {
    this.#left = Math.min(burst, this.#left + 1);
  }
}
