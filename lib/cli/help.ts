/**
 * The texts of `--help` and `--version`.
 *
 * @module
 */
import project from "../../deno.json" with { type: "json" };
import { exitMeanings } from "../base/errors.ts";
import { flagOf, flagOptions, options } from "../config/schema.ts";
import { commands, globalFlags } from "./commands.ts";
import { table } from "./output/table.ts";
import type { CommandSpec, Flag } from "./call.ts";

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
    indented(commands.map(({ name, summary }, i) => [
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
    "",
    command.text,
    ...own,
    "",
    "flags of every command:",
    indented(globalFlags.map(flagRow)),
    "",
    ...configurationHelp(command),
  ].join("\n");
}

/** All options where they matter most, and a pointer everywhere else. */
function configurationHelp({ name }: CommandSpec): string[] {
  if (name !== commands[0]!.name) {
    return ["Options of the configuration as flags: gitops-sync sync --help"];
  }
  return [
    "options of the configuration, which beat its file (more in docs/options.md):",
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

function flagRow(
  { name, value, optional, text }: Flag,
): [string, string] {
  if (value === undefined) return [`--${name}`, text];
  return [optional ? `--${name}[=${value}]` : `--${name} ${value}`, text];
}

function indented(rows: readonly (readonly [string, string])[]): string {
  return table(rows.map(([left, right]) => [`  ${left}`, right]));
}
