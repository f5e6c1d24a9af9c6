/**
 * Reads files of a repository within a time limit, in a worker that is ended if
 * it takes longer. So no content can keep a run busy.
 *
 * @module
 */
import { type SopsFormat, sopsFormat } from "../sops/formats.ts";
import type { SopsRules } from "../sops/rules.ts";
import type { Asked, Facts } from "./facts.ts";
import type { RulesFile, TreeRules } from "./rules_for.ts";
import type { Job } from "./worker.ts";

/** Reads one file. */
export type ReadFacts = (asked: Asked) => Promise<Facts>;

/** Milliseconds that reading a file may take; most take less than one. */
const longest = 10_000;

const tooLong = "reading it takes too long";

/** Reads files in a worker, one after the other. */
export class Reader implements Disposable {
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param left The remaining milliseconds for all work.
   * @param module The module of the worker, for tests.
   */
  constructor(
    readonly left: () => number = () => longest,
    readonly module: string = import.meta.resolve("./worker.ts"),
  ) {}

  /** Reads what a sops file shows. */
  readonly facts: ReadFacts = async (asked) => {
    const answer = await this.#ask<Facts>({ kind: "facts", asked });
    const format: SopsFormat = asked.format ?? sopsFormat(asked.name);
    return answer ?? { kind: "unread", format, why: tooLong };
  };

  /** Reads one `.sops.yaml`. */
  async rulesIn(text: string): Promise<SopsRules> {
    const answer = await this.#ask<SopsRules>({ kind: "text", text });
    return answer ?? { rules: [], why: tooLong };
  }

  /**
   * Finds the creation rule of each path; returns `undefined` if it takes too
   * long.
   */
  async rules(
    files: readonly RulesFile[],
    paths: readonly string[],
  ): Promise<TreeRules | undefined> {
    return await this.#ask<TreeRules>({ kind: "rules", files, paths });
  }

  #ask<T>(job: Job): Promise<T | undefined> {
    const answer = this.#last.then(() => this.#answer<T>(job));
    this.#last = answer.catch(() => {});
    return answer;
  }

  /** @returns `undefined` if the worker was ended. */
  async #answer<T>(job: Job): Promise<T | undefined> {
    const worker = this.#worker ??= new Worker(this.module, {
      type: "module",
      deno: { permissions: "none" },
    });
    const { promise, resolve } = Promise.withResolvers<T | undefined>();
    worker.onmessage = ({ data }) => resolve(data);
    // The text needs more stack or memory than there is.
    worker.onerror = (event) => {
      event.preventDefault();
      resolve(undefined);
    };
    const timer = setTimeout(
      () => resolve(undefined),
      Math.max(1, Math.min(longest, this.left())),
    );
    worker.postMessage(job);
    const answer = await promise;
    clearTimeout(timer);
    if (answer === undefined) this[Symbol.dispose]();
    return answer;
  }

  /** Ends the worker; a later request starts another one. */
  [Symbol.dispose](): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}
