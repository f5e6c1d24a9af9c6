/**
 * The texts of `--help` and `--version`.
 *
 * @module
 */
import project from "../../deno.json" with { type: "json" };
import { exitMeanings } from "../base/errors.ts";
import { flagOf, flagOptions, options } from "../config/schema.ts";
import { commands, globalFlags, listed } from "./commands.ts";
import { columnsOf, wrapped } from "./output/ink.ts";
import { table } from "./output/table.ts";
import { type CommandSpec, type Flag, writtenOf } from "./call.ts";

/** Returns `gitops-sync 1.2.3`, with the version of deno.json. */
export function versionLine(): string {
  return `gitops-sync ${project.version}`;
}

/** The columns if the width of the terminal is unknown. */
const defaultColumns = 80;

const terminalColumns = () => columnsOf(Deno.stdout) ?? defaultColumns;

/**
 * Returns the help of the whole program.
 *
 * @param columns The longest line; the default is the terminal's width, or 80.
 */
export function generalHelp(columns = terminalColumns()): string {
  return [
    paragraphs(
      "gitops-sync deploys a NixOS host from a Git repository. If a deployment fails, it rolls the host back and reports why.",
      columns,
    ),
    "",
    "usage: gitops-sync [COMMAND] [FLAG…]",
    "",
    "commands:",
    columned(
      listed.map(({ name, summary }, i) => [
        name,
        i === 0 ? `${summary} (the default)` : summary,
      ]),
      columns,
    ),
    "",
    "flags of every command:",
    columned(globalFlags.map(flagRow), columns),
    "",
    paragraphs(
      "Most configuration options are also flags: gitops-sync sync --help",
      columns,
    ),
    "",
    "exit codes:",
    columned(
      Object.entries(exitMeanings)
        .map(([code, meaning]) => [code, meaning.replaceAll("`", "")]),
      columns,
    ),
    "",
    "More: man gitops-sync, man gitops-sync.yaml",
  ].join("\n");
}

/**
 * Returns the help of one command.
 *
 * @param columns The longest line; the default is the terminal's width, or 80.
 */
export function commandHelp(
  command: CommandSpec,
  columns = terminalColumns(),
): string {
  const operand = command.operand ? ` ${command.operand}` : "";
  const own = command.flags.length === 0
    ? []
    : ["", "flags:", columned(command.flags.map(flagRow), columns)];
  return [
    `usage: gitops-sync ${command.name}${operand} [FLAG…]`,
    ...command.alias ? [`also:  gitops-sync ${command.alias}`] : [],
    "",
    paragraphs(command.text, columns),
    ...own,
    ...examplesOf(command),
    "",
    "flags of every command:",
    columned(globalFlags.map(flagRow), columns),
    "",
    ...configurationHelp(command, columns),
  ].join("\n");
}

/** Wraps text again; lists, whose lines are indented, stay unchanged. */
function paragraphs(text: string, columns: number): string {
  return text.split("\n\n").map((paragraph) =>
    /^ /m.test(paragraph)
      ? paragraph
      : wrapped(paragraph.replaceAll("\n", " "), columns).join("\n")
  ).join("\n\n");
}

function examplesOf({ examples = [] }: CommandSpec): string[] {
  return examples.length === 0 ? [] : [
    "",
    "examples:",
    ...examples.flatMap(([line, does]) => [`  ${does}:`, `    ${line}`]),
  ];
}

/** Returns all options for `sync`, and a reference for other commands. */
function configurationHelp({ name }: CommandSpec, columns: number): string[] {
  if (name !== commands[0]!.name) {
    return [paragraphs(
      "Configuration options as flags: gitops-sync sync --help",
      columns,
    )];
  }
  return [
    "configuration options as flags (they override the file):",
    ...flagOptions.map((name) => optionHelp(name, columns)),
    "",
    "More about each option: man gitops-sync.yaml",
  ];
}

function optionHelp(name: typeof flagOptions[number], columns: number): string {
  const { kind, preset, presetText, text } = options[name];
  const flag = kind.isFlag
    ? `--[no-]${flagOf(name)}`
    : `--${flagOf(name)} ${placeholder(kind.choices)}`;
  const worked = presetText ??
    (typeof preset === "function" ? undefined : preset);
  const shown = worked === undefined || String(worked) === ""
    ? ""
    : ` (default: ${worked})`;
  const indent = " ".repeat(6);
  const lines = wrapped(`${shortText(text)}${shown}`, columns - indent.length);
  return [`  ${flag}`, ...lines.map((line) => indent + line)].join("\n");
}

function placeholder(choices: readonly string[] | undefined): string {
  return choices ? choices.join("|") : "VALUE";
}

/**
 * Returns the first sentence of an option's text. If the text begins with one
 * of the option's values, it returns the whole text: each value has a sentence.
 */
function shortText(text: string): string {
  const end = /(?<!\b(?:e\.g|i\.e))\.(?=\s)/.exec(text);
  const isList = text.startsWith("`");
  const short = isList || !end ? text : text.slice(0, end.index);
  return short.replaceAll("`", "").replaceAll("\n", " ").replace(/\.$/, "");
}

function flagRow(flag: Flag): [string, string] {
  return [writtenOf(flag), flag.text];
}

/** Formats two columns; the right one is wrapped within its column. */
function columned(
  rows: readonly (readonly [string, string])[],
  columns: number,
): string {
  const left = Math.max(...rows.map(([one]) => one.length)) + 4;
  const room = Math.max(20, columns - left);
  return table(rows.flatMap(([one, other]) => {
    const [first, ...more] = wrapped(other, room);
    return [[`  ${one}`, first!], ...more.map((line) => ["", line])];
  }));
}
