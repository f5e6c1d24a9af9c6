/**
 * A command, and what a person asks of it.
 *
 * @module
 */
import type { Reach } from "./permissions.ts";
import type { Given } from "../config/given.ts";

/** A flag of one command, or of all. */
export interface Flag {
  name: string;
  /** What stands for its value in the help; none: it stands alone. */
  value?: string;
  /** Whether it may also stand alone; its value then follows a `=`. */
  optional?: true;
  text: string;
}

/** One command. */
export interface CommandSpec {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** More for its own help. */
  text: string;
  /** What may follow its name, e.g. `bash|zsh|fish`. */
  operand?: string;
  /** How many operands there may be, where it is not one. */
  most?: number;
  /** The words that `operand` can be. */
  choices?: readonly string[];
  flags: readonly Flag[];
  /** What it may do at most; none: all that we may, for a person's own files. */
  reach?: Reach;
}

/** What a person asked for. */
export interface Call {
  /** All of it, as it was typed. */
  words: readonly string[];
  command: CommandSpec;
  /** What follows the command's name. */
  operands: readonly string[];
  /** `--config`, if given. */
  configPath: string | undefined;
  /** Options of the configuration that were given as flags. */
  given: readonly Given[];
  json: boolean;
  verbose: boolean;
  help: boolean;
  version: boolean;
  /** The command's own flags that take a value. */
  texts: Readonly<Record<string, string>>;
  /** The command's own flags that stand alone. */
  switches: ReadonlySet<string>;
}
