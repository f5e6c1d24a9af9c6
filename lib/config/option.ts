/**
 * What there is to say of one option.
 *
 * @module
 */
import type { Kind } from "./kinds.ts";

/** One option. `preset` is written as a person would write it. */
export interface Option<T> {
  kind: Kind<T>;
  /** The default, or what works it out; none: needed, or without a value. */
  preset?: unknown | (() => unknown);
  /** What stands in the documentation where the default is worked out. */
  presetText?: string;
  /** What it does, for people. Markdown. */
  text: string;
  required?: true;
  /** Whether it has no flag, because no word of a command line could hold it. */
  noFlag?: true;
}
