/**
 * One deadline for all checks after an activation.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";

/** A problem of the host. */
export interface Ill {
  /** A stable name in kebab-case. */
  reason: string;
  text: string;
  /** Lines of evidence. */
  details: readonly string[];
  /** The check that found it, if it can be repeated. */
  look?: string;
}

/** Milliseconds between two checks of the same thing. */
const pause = 1000;

/** A time until which something may become healthy. */
export class Deadline {
  #end: number;
  #isCut = false;

  /** @param ms From now on. */
  constructor(readonly effects: Effects, ms: number) {
    this.#end = effects.monotonic() + ms;
  }

  /** The milliseconds left; negative after the deadline. */
  get left(): number {
    return this.#end - this.effects.monotonic();
  }

  /** Whether the deadline was moved to an earlier time. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Ends the wait now, because waiting longer cannot change the result. */
  cut(): void {
    this.#isCut = true;
    this.#end = Math.min(this.#end, this.effects.monotonic());
  }

  /**
   * Repeats a check until it finds no problem, or until the deadline.
   *
   * @param look The check; its argument is how many milliseconds it may take.
   */
  async until(
    look: (ms: number) => Promise<Ill | undefined>,
  ): Promise<Ill | undefined> {
    for (;;) {
      const ill = await look(Math.max(this.left, pause));
      if (!ill || this.left < pause) return ill;
      await this.effects.sleep(pause);
    }
  }
}
