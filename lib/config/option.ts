/**
 * The description of one option.
 *
 * @module
 */
import type { Kind } from "./kinds.ts";

/** One option. `preset` is written as a person would write it. */
export interface Option<T> {
  kind: Kind<T>;
  /** The default or a function that computes it; none: required or no value. */
  preset?: unknown | (() => unknown);
  /** The text in the documentation if the default is computed. */
  presetText?: string;
  /** What it does, for people. Markdown. */
  text: string;
  required?: true;
  /** Whether it has no flag, because its value does not fit one argument. */
  noFlag?: true;
}
