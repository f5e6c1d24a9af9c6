/**
 * Turns the words of the command line into a call of one command.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { type SyncError, usageError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import { flagOf, flagOptions, options } from "../config/schema.ts";
import { commands, globalFlags, listed } from "./commands.ts";
import { Call, type CommandSpec, type Flag } from "./call.ts";
import type { Given } from "../config/given.ts";

/**
 * Reads the arguments of the program.
 *
 * @throws {SyncError} exit 2, if the command does not take a word or flag.
 */
export async function parse(args: readonly string[]): Promise<Call> {
  if (args[0] === "help") return await parse([...args.slice(1), "--help"]);
  const unknown: string[] = [];
  const parsed = parseArgs(
    withoutValue(withEmptyValues(withoutNumbers(args))),
    {
      string: ["_", ...valueFlags],
      boolean: aloneFlags,
      negatable: negatableFlags,
      collect: listFlags,
      alias: { h: "help", V: "version", f: "follow" },
      unknown: (argument, key) => {
        if (key === undefined) return true;
        unknown.push(argument);
        return false;
      },
    },
  );
  const { command, operands } = await find(
    parsed._.map((word) => String(word).replace(escapedNumber, "-$1")),
    args,
  );
  if (unknown.length > 0) throw await unknownFlag(unknown[0]!, command);
  const own = {
    texts: {} as Record<string, string>,
    switches: new Set<string>(),
  };
  for (const name of new Set(namesOf(ownFlags))) {
    if (!isGiven(args, name)) continue;
    const flag = command.flags.find((flag) => flag.name === name);
    if (!flag) throw await unknownFlag(`--${name}`, command);
    const { value, optional } = flag;
    // A flag of the same name may take a value in another command.
    const isAlone = parsed[name] === true || parsed[name] === "";
    if (value === undefined && !isAlone) throw needsNoValue(name);
    if (value === undefined || (optional && isAlone)) own.switches.add(name);
    else own.texts[name] = choiceOf(flag, textOf(name, value, parsed[name]));
  }
  return {
    words: args,
    command,
    operands,
    configPath: isGiven(args, "config")
      ? textOf("config", "FILE", parsed["config"])
      : undefined,
    given: givenOptions(args, parsed),
    json: parsed["json"] === true,
    verbose: parsed["verbose"] === true,
    help: parsed["help"] === true,
    version: parsed["version"] === true,
    ...own,
  };
}

/**
 * Adds `=` to each flag with an optional value, so that the parser does not
 * take the next word as its value.
 */
function withoutValue(args: readonly string[]): string[] {
  const alone = ownFlags.filter(({ optional }) => optional)
    .map(({ name }) => `--${name}`);
  return args.map((word) => alone.includes(word) ? `${word}=` : word);
}

/**
 * Joins an empty value with its flag; otherwise the parser would find no value.
 */
function withEmptyValues(args: readonly string[]): string[] {
  const isFlag = (word: string | undefined) =>
    valueFlags.some((name) => `--${name}` === word);
  return args.flatMap((word, i) => {
    if (word === "" && isFlag(args[i - 1])) return [];
    return isFlag(word) && args[i + 1] === "" ? [`${word}=`] : [word];
  });
}

/** Matches what replaces `-1` while flags are parsed. */
const escapedNumber = /^\0(\d+)$/;

/**
 * Hides `-1`, which names an attempt, from the parser, unless it is the value
 * of a flag.
 */
function withoutNumbers(args: readonly string[]): string[] {
  return args.map((word, i) => {
    const isValue = valueFlags.some((name) => `--${name}` === args[i - 1]);
    return isValue ? word : word.replace(/^-(\d+)$/, "\0$1");
  });
}

const ownFlags = commands.flatMap(({ flags }) => flags);
const everyFlag = [...globalFlags, ...ownFlags];
const namesOf = (flags: typeof everyFlag) => flags.map(({ name }) => name);
const negatableFlags = flagOptions.filter((name) => options[name].kind.isFlag)
  .map(flagOf);
const listFlags = flagOptions.filter((name) => options[name].kind.isList)
  .map(flagOf);
const valueFlags = [
  ...namesOf(everyFlag.filter(({ value }) => value !== undefined)),
  ...flagOptions.filter((name) => !options[name].kind.isFlag).map(flagOf),
];
const aloneFlags = [
  ...namesOf(everyFlag.filter(({ value }) => value === undefined))
    .filter((name) => !valueFlags.includes(name)),
  ...negatableFlags,
];

/**
 * Returns whether a flag was given; the parsed boolean is also `false` if not.
 */
function isGiven(args: readonly string[], name: string): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end === -1 ? undefined : end).some((word) =>
    word === `--${name}` || word === `--no-${name}` ||
    (word === "-f" && name === "follow") ||
    word.startsWith(`--${name}=`)
  );
}

function textOf(name: string, value: string, given: unknown): string {
  if (typeof given === "string" && given !== "") return given;
  throw usageError(
    "flag-without-value",
    `Cannot use --${name} alone: expected --${name} ${value}`,
  );
}

/** Returns the value if it is one of the choices. */
function choiceOf({ name, choices }: Flag, text: string): string {
  if (!choices || choices.includes(text)) return text;
  throw usageError(
    "flag-value",
    `Cannot use "${oneLine(text, 80)}" for --${name}: expected ${
      choices.join(" or ")
    }`,
  );
}

function needsNoValue(name: string): SyncError {
  return usageError(
    "flag-with-value",
    `Cannot use --${name} with a value here: expected --${name} alone`,
  );
}

function givenOptions(
  args: readonly string[],
  parsed: Record<string, unknown>,
): Given[] {
  return flagOptions.flatMap((key) => {
    const flag = flagOf(key);
    return isGiven(args, flag)
      ? [{ key, value: parsed[flag], from: { flag: `--${flag}` } }]
      : [];
  });
}

/**
 * Finds the command that the first words name; `sync` if there are none.
 *
 * @param args All words, as typed.
 */
async function find(
  words: string[],
  args: readonly string[],
): Promise<{ command: CommandSpec; operands: string[] }> {
  if (words.length === 0) return { command: commands[0]!, operands: [] };
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(" ");
    const command = commands.find((one) =>
      one.name === name || one.alias === name
    );
    if (!command) continue;
    const operands = words.slice(length);
    const most = command.operand === undefined ? 0 : command.most ?? 1;
    if (operands.length <= most) return { command, operands };
    const over = operands[most]!;
    throw usageError(
      "too-many-words",
      `Cannot use "${
        oneLine(over, 80)
      }" after ${name}: expected no more arguments`,
      valueHint(command, over, args) ??
        `Run \`gitops-sync ${name} --help\`.`,
    );
  }
  const group = words.length === 1 ? groupOf(words[0]!) : undefined;
  if (group) return { command: group, operands: [] };
  const known = listed.flatMap(({ name, alias }) =>
    alias ? [name, alias] : [name]
  );
  const longer = known.filter((name) => name.startsWith(`${words[0]} `));
  throw usageError(
    "unknown-command",
    `Cannot run ${oneLine(words[0]!, 80)}: there is no such command`,
    await nearestTo(words.join(" "), longer.length > 0 ? longer : known),
  );
}

/**
 * Returns a hint if the extra word was meant as the value of the flag before
 * it, which takes its value only after a `=`.
 */
function valueHint(
  { flags }: CommandSpec,
  word: string,
  args: readonly string[],
): string | undefined {
  const flag = flags.find(({ name, optional }) =>
    optional && args[args.indexOf(word) - 1] === `--${name}`
  );
  return flag &&
    `Write the value after an equals sign: \`--${flag.name}=${
      oneLine(word, 80)
    }\`.`;
}

/** Returns the help of all commands that begin with a word, as a command. */
function groupOf(word: string): CommandSpec | undefined {
  const members = commands.filter(({ name }) => name.startsWith(`${word} `));
  if (members.length === 0) return undefined;
  return {
    name: word,
    summary: "",
    text: members.map(({ name, summary }) =>
      `  ${name.slice(word.length + 1).padEnd(10)}  ${summary}`
    ).join("\n"),
    operand: "COMMAND",
    flags: [],
  };
}

async function unknownFlag(argument: string, command: CommandSpec) {
  const flag = argument.replace(/=.*$/s, "");
  return usageError(
    "unknown-flag",
    `Cannot use ${
      oneLine(flag, 80)
    } with ${command.name}: there is no such flag`,
    await flagHint(flag, command),
  );
}

/** Returns a hint for a flag that the command does not take. */
async function flagHint(flag: string, command: CommandSpec): Promise<string> {
  const { hintFor } = await import("../config/typed_words.ts");
  const typed = hintFor(flag);
  if (typed) return typed;
  const owners = commands.filter(({ flags }) =>
    flags.some(({ name }) => `--${name}` === flag)
  );
  if (owners.length > 0) {
    const names = owners.map(({ name }) => `\`gitops-sync ${name}\``);
    return `Use it with ${names.join(" or ")}.`;
  }
  const known = [
    ...namesOf([...globalFlags, ...command.flags]),
    ...flagOptions.map(flagOf),
    ...negatableFlags.map((name) => `no-${name}`),
  ].map((name) => `--${name}`);
  const opposite = flag.replace(/^--no-/, "--");
  return opposite !== flag && known.includes(opposite)
    ? `Use \`${opposite}\` with a value: it has no --no- form.`
    : await nearestTo(flag, known);
}

async function nearestTo(word: string, known: string[]): Promise<string> {
  const { nearest } = await import("../base/nearest.ts");
  const { hintFor } = await import("../config/typed_words.ts");
  const near = nearest(word, known);
  return hintFor(word) ??
    (near ? `Did you mean ${near}? ` : "") +
      "Run `gitops-sync --help` for the list.";
}
