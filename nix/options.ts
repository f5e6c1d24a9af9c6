/**
 * Writes the generated files: `nix/options.json`, from which module.nix makes its
 * options, `docs/options.md`, and the template with the files of `init`.
 * `deno task docs` runs it.
 *
 * @module
 */
import { presetOf } from "./manual.ts";
import { join } from "node:path";
import type { Kind } from "../lib/config/kinds.ts";
import {
  flagOf,
  type Option,
  optionNames,
  options,
} from "../lib/config/schema.ts";
import { templateFiles } from "../lib/init/texts.ts";

const top = join(import.meta.dirname!, "..");

/** An option as module.nix reads it. */
interface NixOption {
  name: string;
  /** One of the names under `types` in module.nix. */
  type: string;
  choices?: readonly (string | boolean)[];
  default?: unknown;
  /** The text for a default that the program computes. */
  defaultText?: string;
  text: string;
}

/** An option that only the module has, as `tests/nix/options.nix` lists it. */
interface ModuleOption {
  name: string;
  type: string;
  default: string | null;
  description: string;
}

/**
 * The generated files, by their paths from the top, in the order in which they
 * must be written: the page comes from module.nix, which reads the first file.
 */
export const documents: Readonly<Record<string, () => Promise<string>>> = {
  "nix/options.json": () =>
    formatted("json", JSON.stringify(optionNames.map(nixOption))),
  "docs/options.md": async () => formatted("md", page(await moduleOptions())),
  ...Object.fromEntries(
    Object.entries(templateFiles).map(([path, text]) => [
      `templates/host/${path}`,
      () => Promise.resolve(text),
    ]),
  ),
};

function nixOption(name: typeof optionNames[number]): NixOption {
  const { kind, preset, presetText, text }: Option<unknown> = options[name];
  return {
    name,
    type: nixType(kind),
    ...(kind.choices ? { choices: kind.choices.map(nixWord) } : {}),
    ...(preset === undefined || typeof preset === "function"
      ? {}
      : { default: preset }),
    ...(presetText === undefined ? {} : { defaultText: presetText }),
    text,
  };
}

/** Returns a choice as a person writes it in Nix. */
function nixWord(word: string): string | boolean {
  return word === "true" || word === "false" ? word === "true" : word;
}

/**
 * Returns the Nix type of a kind. The program itself checks the rest when the host
 * is built.
 */
function nixType(kind: Kind<unknown>): string {
  if (kind.choices) return "choice";
  if (kind.isFlag) return "flag";
  if (Array.isArray(kind.read([]))) return kind.isList ? "texts" : "list";
  if (kind.read(1) !== undefined) return "number";
  return kind.read({}) === undefined ? "text" : "anything";
}

async function moduleOptions(): Promise<ModuleOption[]> {
  return JSON.parse(
    await outputOf("nix-instantiate", [
      "--store",
      "dummy://",
      "--eval",
      "--strict",
      "--json",
      join(top, "tests/nix/options.nix"),
    ]),
  );
}

/** Formats a text with `deno fmt`. */
function formatted(extension: string, text: string): Promise<string> {
  return outputOf(Deno.execPath(), ["fmt", `--ext=${extension}`, "-"], text);
}

async function outputOf(program: string, args: string[], input = "") {
  const child = new Deno.Command(program, {
    args,
    cwd: top,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  await new Blob([input]).stream().pipeTo(child.stdin);
  const { code, stdout } = await child.output();
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
  return new TextDecoder().decode(stdout);
}

function page(ofModule: readonly ModuleOption[]): string {
  return `# Options

<!-- Made by "deno task docs" from lib/config/schema.ts and module.nix. -->

Each option of the first list is a key of the configuration file and an option
of the NixOS module. A dot stands for a level: \`timeouts.build\` is \`build\`
under \`timeouts\`. Most options are also flags; the others have \`Flag: none\`
below. A flag overrides the file.

\`gitops-sync config check\` reports the problems of a file. If there are none, it
prints the value of every option.

## Of the program

${optionNames.map(section).join("\n")}
## Of the NixOS module alone

The module also has all options above, under \`services.gitops\`.

${ofModule.map(moduleSection).join("\n")}`;
}

function section(name: typeof optionNames[number]): string {
  const option: Option<unknown> = options[name];
  return `### \`${name}\`

${option.text}

- In the file: \`${name}\`, ${option.kind.name}
- Flag: ${flagsOf(option, flagOf(name))}
- In NixOS: \`services.gitops.${name}\`
- Default: ${presetOf(option)}
`;
}

function flagsOf({ kind, noFlag }: Option<unknown>, flag: string): string {
  if (noFlag) return "none";
  if (kind.isFlag) return `\`--${flag}\`, \`--no-${flag}\``;
  return `\`--${flag}\`${kind.isList ? ", which may be repeated" : ""}`;
}

function moduleSection(option: ModuleOption): string {
  return `### \`services.gitops.${option.name}\`

${option.description.trim()}

- Type: ${option.type}
- Default: ${option.default === null ? "none" : `\`${option.default}\``}
`;
}

if (import.meta.main) {
  for (const [path, make] of Object.entries(documents)) {
    await Deno.writeTextFile(join(top, path), await make());
  }
}
