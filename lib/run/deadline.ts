/**
 * One deadline for everything that is looked at after an activation.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";

/** Something that is not well. */
export interface Ill {
  /** A stable name in kebab-case. */
  reason: string;
  text: string;
  /** Lines of evidence. */
  details: readonly string[];
  /** The look that found it, where it can be taken again. */
  look?: string;
}

/** Milliseconds between two looks at the same thing. */
const pause = 1000;

/** A time until which something may become well. */
export class Deadline {
  #end: number;
  #isCut = false;

  /** @param ms From now on. */
  constructor(readonly effects: Effects, ms: number) {
    this.#end = effects.monotonic() + ms;
  }

  /** The milliseconds left; less than none afterwards. */
  get left(): number {
    return this.#end - this.effects.monotonic();
  }

  /** Whether it was made to come early. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Makes it now: waiting longer can't change the verdict any more. */
  cut(): void {
    this.#isCut = true;
    this.#end = Math.min(this.#end, this.effects.monotonic());
  }

  /**
   * Looks again and again until all is well, or another look would be too late.
   *
   * @param look Given the milliseconds it may take.
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
