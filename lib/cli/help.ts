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

/** `gitops-sync 1.2.3`; the version stands in deno.json alone. */
export function versionLine(): string {
  return `gitops-sync ${project.version}`;
}

/** What the program is and can do. */
export function generalHelp(): string {
  return [
    "gitops-sync brings a NixOS host to what a Git repository says, or leaves it",
    "as it is and says why.",
    "",
    "usage: gitops-sync [COMMAND] [FLAG…]",
    "",
    "commands:",
    indented(listed.map(({ name, summary }, i) => [
      name,
      i === 0 ? `${summary} (the default)` : summary,
    ])),
    "",
    "flags of every command:",
    indented(globalFlags.map(flagRow)),
    "",
    "Each option of the configuration is a flag too: gitops-sync sync --help.",
    "",
    "exit codes:",
    indented(Object.entries(exitMeanings)),
    "",
    "More: man gitops-sync, man gitops-sync.yaml",
  ].join("\n");
}

/** What one command does, and its flags. */
export function commandHelp(command: CommandSpec): string {
  const operand = command.operand ? ` ${command.operand}` : "";
  const own = command.flags.length === 0
    ? []
    : ["", "flags:", indented(command.flags.map(flagRow))];
  return [
    `usage: gitops-sync ${command.name}${operand} [FLAG…]`,
    ...command.alias ? [`also:  gitops-sync ${command.alias}`] : [],
    "",
    command.text,
    ...own,
    ...examplesOf(command),
    "",
    "flags of every command:",
    indented(globalFlags.map(flagRow)),
    "",
    ...configurationHelp(command),
  ].join("\n");
}

function examplesOf({ examples = [] }: CommandSpec): string[] {
  return examples.length === 0 ? [] : [
    "",
    "examples:",
    ...examples.flatMap(([line, does]) => [`  ${does}:`, `    ${line}`]),
  ];
}

/** All options where they matter most, and a pointer everywhere else. */
function configurationHelp({ name }: CommandSpec): string[] {
  if (name !== commands[0]!.name) {
    return ["Options of the configuration as flags: gitops-sync sync --help"];
  }
  return [
    "options of the configuration, which beat its file (more in man gitops-sync.yaml):",
    indented(flagOptions.map((name) => {
      const { kind, preset, presetText, text } = options[name];
      const flag = kind.isFlag
        ? `--[no-]${flagOf(name)}`
        : `--${flagOf(name)} ${placeholder(kind.choices)}`;
      const worked = presetText ??
        (typeof preset === "function" ? undefined : preset);
      const shown = worked === undefined || String(worked) === ""
        ? ""
        : ` (default: ${worked})`;
      return [flag, `${firstSentence(text)}${shown}`];
    })),
  ];
}

function placeholder(choices: readonly string[] | undefined): string {
  return choices ? choices.join("|") : "VALUE";
}

function firstSentence(text: string): string {
  return text.replaceAll("`", "").replace(/[.:;](?= |$).*$/s, "");
}

function flagRow(flag: Flag): [string, string] {
  return [writtenOf(flag), flag.text];
}

/** Two columns; on a terminal the right one goes on below its beginning. */
function indented(rows: readonly (readonly [string, string])[]): string {
  const left = Math.max(...rows.map(([one]) => one.length)) + 4;
  const room = Math.max(20, (columnsOf(Deno.stdout) ?? Infinity) - left);
  return table(rows.flatMap(([one, other]) => {
    const [first, ...more] = wrapped(other, room);
    return [[`  ${one}`, first!], ...more.map((line) => ["", line])];
  }));
}
