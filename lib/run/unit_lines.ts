/**
 * Reports what a unit writes, while it runs.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { allLines, newestLines } from "../host/systemd.ts";

/** Milliseconds between two reads. */
const pause = 1000;

/** Called once for each line of a program, in order. */
export type OnLine = (line: string) => void;

/** Reports each line of one unit once. */
export class UnitLines {
  #told = 0;
  #last = "";
  #isOver = false;

  /** @param unit Without its ending. */
  constructor(
    private readonly effects: Effects,
    private readonly unit: string,
    private readonly onLine: OnLine,
  ) {}

  /** Does work that starts the unit and waits for it; reports its lines. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const working = work();
    // What cannot be read now is reported at the end.
    this.#follow(working.then(() => {}, () => {})).catch(() => {});
    try {
      return await working;
    } finally {
      this.#isOver = true;
    }
  }

  /** Returns all lines; reports those that were not reported yet. */
  async all(): Promise<string[]> {
    const all = this.#own(await allLines(this.effects, this.service));
    this.#tell(all);
    return all;
  }

  private get service(): string {
    return `${this.unit}.service`;
  }

  async #follow(end: Promise<void>): Promise<void> {
    while (!this.#isOver) {
      await Promise.race([end, this.effects.sleep(pause)]);
      if (this.#isOver) return;
      const lines = await newestLines(this.effects, this.service);
      if (!this.#isOver) this.#tell(this.#own(lines));
    }
  }

  /** @param all All lines; of a long output, only the end. */
  #tell(all: readonly string[]): void {
    const isEnd = this.#told > 0 && all.length >= this.#told &&
      all[this.#told - 1] !== this.#last;
    const from = isEnd ? all.lastIndexOf(this.#last) + 1 : this.#told;
    for (const line of all.slice(from)) this.onLine(line);
    this.#told = Math.max(this.#told, all.length);
    this.#last = all.at(-1) ?? this.#last;
  }

  /** Drops the lines of systemd about the unit itself. */
  #own(lines: readonly string[]): string[] {
    return lines.filter((line) => !line.includes(this.unit));
  }
}
