/**
 * Collects what the shells complete from the lists of commands and options.
 *
 * @module
 */
import { flagOf, flagOptions, options } from "../../config/schema.ts";
import type { CommandSpec, Flag } from "../call.ts";
import { globalFlags, listed } from "../commands.ts";
import { completesIn, completesOption, type Known } from "./kinds.ts";

/** A flag, and what completes its value. */
export interface Completed extends Flag {
  completes: readonly Known[];
}

const completed = (flag: Flag): Completed => ({
  ...flag,
  completes: completesIn(flag.value),
});

/** Flags of every command. */
export const everywhere: readonly Completed[] = globalFlags.map(completed);

/** Options of the configuration as flags. */
export const optionFlags: readonly Completed[] = flagOptions.flatMap(
  (option): Completed[] => {
    const { kind, text } = options[option];
    const name = flagOf(option);
    const summary = text.replaceAll("`", "").split(/[.:;] |\.$/)[0]!;
    const alone = { name, text: summary, completes: [] };
    if (kind.isFlag) return [alone, { ...alone, name: `no-${name}` }];
    return [{
      ...alone,
      value: kind.name === "path" ? "FILE" : "VALUE",
      completes: completesOption(option, kind.name),
      ...(kind.choices ? { choices: kind.choices } : {}),
    }];
  },
);

/** Every command that a shell completes, under each of its names. */
export const offered: readonly CommandSpec[] = listed.flatMap((command) => {
  const { alias } = command;
  return alias === undefined ? [command] : [command, {
    ...command,
    name: alias,
  }];
});

/** Returns all flags of one command. */
export function flagsOf(command: CommandSpec): Completed[] {
  return [...everywhere, ...command.flags.map(completed), ...optionFlags];
}

/** Returns all flags of the commands that begin with a word, each once. */
export function flagsBehind(first: string): Completed[] {
  const own = offered.filter(({ name }) => name.split(" ")[0] === first);
  return [
    ...new Map(own.flatMap(flagsOf).map((one) => [one.name, one])).values(),
  ];
}

/** Every flag whose value is the next word, each name once. */
export const valueFlags: readonly Completed[] = [
  ...new Map(
    listed.flatMap(flagsOf)
      .filter(({ value, optional }) => value !== undefined && !optional)
      .map((one) => [one.name, one]),
  ).values(),
];

/** Returns the first words, each once, and the words that may follow them. */
export function firstWords(): Map<string, string[]> {
  const words = new Map<string, string[]>();
  for (const { name, choices = [] } of offered) {
    const [first, second] = name.split(" ");
    const follow = second ? [second] : choices;
    words.set(first!, [...words.get(first!) ?? [], ...follow]);
  }
  return words;
}

/** The commands with operands that can be completed. */
export const withOperands: readonly (readonly [CommandSpec, Known[]])[] =
  offered
    .map((command) => [command, completesIn(command.operand)] as const)
    .filter(([, completes]) => completes.length > 0);

/** Returns text that is safe in single quotes in zsh and fish. */
export const quoted = (text: string) => text.replaceAll("'", "’");
