/**
 * Limits how often passwords may be tried.
 *
 * @module
 */

/** How many attempts are allowed at once. */
const burst = 10;

/** The time until one more is allowed, in milliseconds. */
const pause = 6_000;

/**
 * Counts the attempts of everybody together: behind a proxy all clients look
 * the same.
 */
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
   * @returns `undefined` if it is allowed, or else the seconds until one is.
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

  /** Gives back the attempt of a person who knew the password. */
  giveBack(): void {
    this.#left = Math.min(burst, this.#left + 1);
  }
}
