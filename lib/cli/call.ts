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
  /** The words that its value can be. */
  choices?: readonly string[];
  text: string;
}

/** A flag as it is typed, with what may or must follow it. */
export function writtenOf({ name, value, optional }: Flag): string {
  if (value === undefined) return `--${name}`;
  return optional ? `--${name}[=${value}]` : `--${name} ${value}`;
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
  /** Another name of it. */
  alias?: string;
  /** Whether only programs call it, so that no list names it. */
  isHidden?: boolean;
  /** Lines to type, each with what it does. */
  examples?: readonly (readonly [line: string, does: string])[];
  /** Whether it says itself what is wrong with the configuration. */
  judges?: boolean;
  /** What it may do at most; none: all that we may, for a person's own files. */
  reach?: Reach | ((operands: readonly string[]) => Reach | undefined);
}

/** Whether what a command writes is about this host. */
export function isAboutHost({ reach, isHidden }: CommandSpec): boolean {
  const isOfHost = reach === "host" || reach === "state" ||
    reach === "looks" || reach === "notify" || reach === "locks" ||
    typeof reach === "function";
  return isOfHost && !isHidden;
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
  /** On whose behalf a program calls; none: whoever runs this. */
  by?: string;
}
