/**
 * Makes the manual pages gitops-sync(1) and gitops-sync.yaml(5) from the texts of
 * `--help` and the list of options. The package calls it:
 *
 *     deno run --allow-write nix/manual.ts FOLDER
 *
 * @module
 */
import project from "../deno.json" with { type: "json" };
import { exitMeanings } from "../lib/base/errors.ts";
import type { CommandSpec, Flag } from "../lib/cli/call.ts";
import { globalFlags, listed } from "../lib/cli/commands.ts";
import {
  flagOf,
  type Option,
  optionNames,
  options,
} from "../lib/config/schema.ts";

/** The pages, by file name. */
export const pages: Readonly<Record<string, () => string>> = {
  "gitops-sync.1": programPage,
  "gitops-sync.yaml.5": configurationPage,
};

/** The longest line that groff_man(7) recommends for sources. */
const longestLine = 78;

function programPage(): string {
  return page("gitops-sync", 1, [
    section("NAME", "gitops-sync \\- pull-based GitOps for NixOS"),
    section(
      "SYNOPSIS",
      ...listed.flatMap((command) => [synopsisOf(command), ".br"]).slice(0, -1),
    ),
    section(
      "DESCRIPTION",
      ...paragraphs(
        "gitops-sync deploys a branch or tag of a Git repository to a NixOS host. It fetches a revision, verifies it, proves that its secrets decrypt on this host, builds it, activates it and checks its health. If the new system is unhealthy, gitops-sync rolls back to the previous one. If something fails before the activation, the host is unchanged, and gitops-sync reports why.",
      ),
      ".PP",
      "The configuration is described in",
      ".BR gitops\\-sync.yaml (5);",
      "most of its options are also flags of every command. A flag overrides the file.",
    ),
    section("COMMANDS", ...listed.flatMap(commandLines)),
    section(
      "OPTIONS",
      "Every command has these flags:",
      ...globalFlags.map(flagLines),
    ),
    section(
      "EXIT STATUS",
      ...Object.entries(exitMeanings).map(([code, meaning]) =>
        entry(bold(code), meaning)
      ),
    ),
    section(
      "FILES",
      entry(italic("/etc/gitops-sync/config.yaml"), "The configuration."),
      entry(
        italic(String(options.stateDirectory.preset)),
        "State, history, the mirror of the repository, and garbage-collection roots.",
      ),
      entry(
        italic("share/doc/gitops-sync"),
        "The guides, in the package; on NixOS below /run/current-system/sw. docs/quickstart.md: the first ten minutes. docs/private-repositories.md: deploy keys and tokens. docs/migrating.md: moving from comin and autoUpgrade. docs/troubleshooting.md: each reason of a failure. docs/plan.md: the output of plan. docs/secrets.md: secrets. docs/deployments.md: health checks, hooks, windows and reboots. docs/serve.md: webhooks of a forge. docs/buttons.md: buttons on the status page. docs/fleet.md: many hosts. docs/notifications.md: messages. docs/metrics.md: metrics and alerts. docs/json.md: the output of --json. docs/security.md: trust. docs/reliability.md: behaviour after failures.",
      ),
    ),
    section(
      "SEE ALSO",
      ".BR gitops\\-sync.yaml (5),",
      ".BR nixos\\-rebuild (8),",
      ".BR systemd.time (7)",
    ),
  ]);
}

function configurationPage(): string {
  return page("gitops-sync.yaml", 5, [
    section(
      "NAME",
      "gitops-sync.yaml \\- the configuration of gitops-sync",
    ),
    section("SYNOPSIS", italic("/etc/gitops-sync/config.yaml")),
    section(
      "DESCRIPTION",
      ...paragraphs(
        "The file contains keys and values in YAML. A dot in the name of an option stands for a level: `timeouts.build` is `build` under `timeouts`. On NixOS, the module writes the file from `services.gitops`, which has an option with the same name for each of these options.",
        "`gitops-sync config check` reports the problems of a file. If there are none, it prints the value of every option.",
      ),
    ),
    section(
      "EXAMPLE",
      ...example([
        "repository: https://git.example.org/infra.git",
        "ref: main",
        "timeouts:",
        "  build: 2h",
      ]),
    ),
    section("OPTIONS", ...optionNames.map(optionLines)),
    section("SEE ALSO", ".BR gitops\\-sync (1)"),
  ]);
}

function page(name: string, number: number, sections: string[]): string {
  return [
    '.\\" Made by nix/manual.ts of the texts of --help and the list of options.',
    `.TH "${
      escaped(name.toUpperCase())
    }" ${number} "" "gitops\\-sync ${project.version}" "gitops\\-sync"`,
    // No hyphens in names that a person may want to copy, and a ragged margin.
    ".nh",
    ".ad l",
    ...sections,
    "",
  ].join("\n");
}

function section(title: string, ...lines: string[]): string {
  return [`.SH ${title}`, ...lines].join("\n");
}

function synopsisOf({ name, operand }: CommandSpec): string {
  const more = operand === undefined ? "" : ` ${italic(operand)}`;
  return `${bold(`gitops-sync ${name}`)}${more} [${italic("FLAG")}\\&...]`;
}

function commandLines(command: CommandSpec): string[] {
  const { name, operand, flags, text, examples = [] } = command;
  return [
    `.SS ${escaped(`${name}${operand === undefined ? "" : ` ${operand}`}`)}`,
    ...paragraphs(...text.split("\n\n")),
    ...flags.map(flagLines),
    ...examples.flatMap(([line, does]) => [
      ".PP",
      inline(`Example, ${does}:`),
      ".PP",
      ...example([line]),
    ]),
  ];
}

function flagLines({ name, value, optional, text }: Flag): string {
  const flag = bold(`--${name}`);
  if (value === undefined) return entry(flag, text);
  const follows = italic(value);
  return entry(optional ? `${flag}[=${follows}]` : `${flag} ${follows}`, text);
}

function optionLines(name: typeof optionNames[number]): string {
  const { kind, text, noFlag }: Option<unknown> = options[name];
  const flag = flagOf(name);
  const flags = noFlag
    ? "none"
    : kind.isFlag
    ? `\`--${flag}\`, \`--no-${flag}\``
    : `\`--${flag}\``;
  return [
    entry(bold(name), text),
    ".RS",
    ".PP",
    inline(
      `Value: ${kind.name}. Default: ${
        presetOf(options[name])
      }. Flag: ${flags}.`,
    ),
    ".RE",
  ].join("\n");
}

/** Describes the default of an option. */
export function presetOf(
  { preset, presetText, required }: Option<unknown>,
): string {
  if (required) return "none; it is required";
  if (presetText !== undefined) return presetText;
  if (preset === undefined) return "none";
  return `\`${
    typeof preset === "string" && preset ? preset : JSON.stringify(preset)
  }\``;
}

/** Formats a term and its meaning. */
function entry(term: string, meaning: string): string {
  return [".TP", term, inline(meaning)].join("\n");
}

/** Formats lines without filling. */
function example(lines: readonly string[]): string[] {
  return [
    ".RS 4",
    ".nf",
    ...lines.map((line) => guarded(escaped(line))),
    ".fi",
    ".RE",
  ];
}

/** Formats paragraphs; lines that begin with spaces stay lines. */
function paragraphs(...texts: string[]): string[] {
  return texts.flatMap((text, i) => {
    const lines: string[] = i === 0 ? [] : [".PP"];
    let block: string[] = [];
    const flush = () => {
      if (block.length > 0) lines.push(".PP", ...example(block));
      block = [];
    };
    for (const line of text.split("\n")) {
      if (/^\s+\S/.test(line)) {
        block.push(line.trim());
        continue;
      }
      if (block.length > 0) {
        flush();
        lines.push(".PP");
      }
      lines.push(inline(line));
    }
    flush();
    return lines;
  });
}

/** Breaks a text into lines; `code` is bold. */
function inline(text: string): string {
  const parts = text.replaceAll("\n", " ").split("`");
  const whole = parts.map((part, i) => i % 2 === 1 ? bold(part) : escaped(part))
    .join("");
  const lines: string[] = [""];
  for (const word of whole.split(/ +/)) {
    const last = lines.at(-1)!;
    const isFull = `${last} ${word}`.length > longestLine;
    // A sentence ends its line, so that troff knows where it ends.
    if (last === "") lines[lines.length - 1] = word;
    else if (isFull || /(?<!\be\.g)[.:?]$/.test(last)) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.map(guarded).join("\n");
}

const bold = (text: string) => `\\fB${escaped(text)}\\fR`;
const italic = (text: string) => `\\fI${escaped(text)}\\fR`;

/** Prevents a line from being a request (groff(7)). */
const guarded = (line: string) => /^[.']/.test(line) ? `\\&${line}` : line;

/** Escapes signs that troff interprets, and those beyond ASCII (groff_char(7)). */
function escaped(text: string): string {
  return [...text].map((sign) => {
    const special = signs[sign];
    if (special !== undefined) return special;
    const code = sign.codePointAt(0)!;
    return code < 127
      ? sign
      : `\\[u${code.toString(16).toUpperCase().padStart(4, "0")}]`;
  }).join("");
}

const signs: Readonly<Record<string, string>> = {
  "\\": "\\e",
  "-": "\\-",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
  '"': "\\(dq",
};

if (import.meta.main) {
  const [folder = "."] = Deno.args;
  Deno.mkdirSync(folder, { recursive: true });
  for (const [name, make] of Object.entries(pages)) {
    Deno.writeTextFileSync(`${folder}/${name}`, make());
  }
}
