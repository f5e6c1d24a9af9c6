/**
 * Defines a command, and a call of it.
 *
 * @module
 */
import type { Reach } from "./permissions.ts";
import type { Given } from "../config/given.ts";

/** A flag of one command, or of all. */
export interface Flag {
  name: string;
  /** The name of its value in the help; without it, the flag takes no value. */
  value?: string;
  /** Whether the value is optional. If so, it must follow a `=`. */
  optional?: true;
  /** The allowed values. */
  choices?: readonly string[];
  text: string;
}

/** Returns a flag as it is typed, with its value. */
export function writtenOf({ name, value, optional }: Flag): string {
  if (value === undefined) return `--${name}`;
  return optional ? `--${name}[=${value}]` : `--${name} ${value}`;
}

/** One command. */
export interface CommandSpec {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** The longer text for its own help. */
  text: string;
  /** The operand as the help shows it, for example `bash|zsh|fish`. */
  operand?: string;
  /**
   * The maximum number of operands; the default is 1 if there is an operand.
   */
  most?: number;
  /** The allowed values of `operand`. */
  choices?: readonly string[];
  flags: readonly Flag[];
  /** Another name for the command. */
  alias?: string;
  /** Whether only programs call it. No list names it then. */
  isHidden?: boolean;
  /** Example command lines, each with what it does. */
  examples?: readonly (readonly [line: string, does: string])[];
  /**
   * Whether the command itself reports what is wrong with the configuration.
   */
  judges?: boolean;
  /**
   * How far it may reach on the host. Without a value it keeps all our
   * permissions, because it works on a person's own files.
   */
  reach?: Reach | ((operands: readonly string[]) => Reach | undefined);
}

/** Returns whether the output of a command is about this host. */
export function isAboutHost({ reach, isHidden }: CommandSpec): boolean {
  const isOfHost = reach === "host" || reach === "state" ||
    reach === "looks" || reach === "notify" || reach === "locks" ||
    typeof reach === "function";
  return isOfHost && !isHidden;
}

/** A parsed command line. */
export interface Call {
  /** All words, as typed. */
  words: readonly string[];
  command: CommandSpec;
  /** The words after the command's name. */
  operands: readonly string[];
  /** `--config`, if given. */
  configPath: string | undefined;
  /** Options of the configuration that were given as flags. */
  given: readonly Given[];
  json: boolean;
  verbose: boolean;
  help: boolean;
  version: boolean;
  /** The command's own flags with a value. */
  texts: Readonly<Record<string, string>>;
  /** The command's own flags without a value. */
  switches: ReadonlySet<string>;
  /** For whom a program made the call; the default is the user who runs it. */
  by?: string;
}
