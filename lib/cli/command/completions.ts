/**
 * `gitops-sync completions`: completions for bash, zsh and fish, made from the
 * list of commands.
 *
 * @module
 */
import { type ExitCode, exitCodes, usageError } from "../../base/errors.ts";
import { flagOf, flagOptions, options } from "../../config/schema.ts";
import { commands, globalFlags } from "../commands.ts";
import { printJson } from "../output/json.ts";
import { print } from "../output/print.ts";
import type { Call, CommandSpec, Flag } from "../call.ts";

const shells = { bash, zsh, fish };

/** Runs the command. */
export function run(call: Call): Promise<ExitCode> {
  const [shell = ""] = call.operands;
  if (!Object.hasOwn(shells, shell)) {
    throw usageError(
      "unknown-shell",
      `Cannot make completions for "${shell}": expected bash, zsh or fish`,
      "gitops-sync completions bash, for example",
    );
  }
  const script = shells[shell as keyof typeof shells]();
  if (call.json) printJson("completions", exitCodes.ok, { shell, script });
  else print(script);
  return Promise.resolve(exitCodes.ok);
}

/** Options of the configuration as flags, with the words that they take. */
const optionFlags: readonly (Flag & { choices?: readonly string[] })[] =
  flagOptions.flatMap((option) => {
    const { kind, text } = options[option];
    const name = flagOf(option);
    const summary = text.replaceAll("`", "").split(/[.:;] |\.$/)[0]!;
    const alone = { name, text: summary };
    if (kind.isFlag) return [alone, { ...alone, name: `no-${name}` }];
    return [{
      ...alone,
      value: kind.name === "path" ? "FILE" : "VALUE",
      ...(kind.choices ? { choices: kind.choices } : {}),
    }];
  });

function flagsOf(command: CommandSpec) {
  return [...globalFlags, ...command.flags, ...optionFlags];
}

/** The first words, each once, and what may follow them. */
function firstWords(): Map<string, string[]> {
  const words = new Map<string, string[]>();
  for (const { name, choices = [] } of commands) {
    const [first, second] = name.split(" ");
    const follow = second ? [second] : choices;
    words.set(first!, [...words.get(first!) ?? [], ...follow]);
  }
  return words;
}

function flagWords(first: string): string[] {
  const own = commands.filter(({ name }) => name.split(" ")[0] === first);
  return [...new Set(own.flatMap(flagsOf).map(({ name }) => `--${name}`))];
}

const fileFlags = [...globalFlags, ...optionFlags]
  .filter(({ value }) => value === "FILE").map(({ name }) => `--${name}`);

function choiceCases(make: (flag: string, words: string) => string): string[] {
  return optionFlags.flatMap(({ name, choices }) =>
    choices ? [make(`--${name}`, choices.join(" "))] : []
  );
}

function bash(): string {
  const cases = [...firstWords()].map(([first, follow]) =>
    `    ${first}) words='${follow.join(" ")}' flags='${
      flagWords(first).join(" ")
    }' ;;`
  );
  return `# bash completion of gitops-sync
_gitops_sync() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local words='${[...firstWords().keys()].join(" ")}' flags='${
    flagWords("sync").join(" ")
  }'
  case $previous in
${
    choiceCases((flag, words) =>
      `    ${flag}) COMPREPLY=($(compgen -W '${words}' -- "$current")); return ;;`
    ).join("\n")
  }
    ${fileFlags.join("|")}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] || case \${COMP_WORDS[1]} in
${cases.join("\n")}
  esac
  case $current in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
  esac
}
complete -F _gitops_sync gitops-sync`;
}

/** For single quotes in zsh and fish. */
const quoted = (text: string) => text.replaceAll("'", "’");

function zsh(): string {
  const described = (flag: (typeof optionFlags)[number]) => {
    const text = quoted(flag.text).replace(/[[\]:\\]/g, " ");
    const value = flag.choices
      ? `:value:(${flag.choices.join(" ")})`
      : flag.value === "FILE"
      ? ":file:_files"
      : flag.value
      ? ":value: "
      : "";
    return `'--${flag.name}[${text}]${value}'`;
  };
  const cases = [...firstWords()].map(([first, follow]) => {
    const own = commands.filter(({ name }) => name.split(" ")[0] === first);
    const flags = new Map(own.flatMap(flagsOf).map((one) => [one.name, one]));
    const words = follow.length > 0 ? ` '2:word:(${follow.join(" ")})'` : "";
    return `    ${first}) _arguments '1:command:' ${
      [...flags.values()].map(described).join(" ")
    }${words} ;;`;
  });
  const list = commands.filter(({ name }) => !name.includes(" "))
    .map(({ name, summary }) => `'${name}:${quoted(summary)}'`);
  const grouped = [...firstWords().keys()].filter((word) =>
    !commands.some(({ name }) => name === word)
  ).map((word) => `'${word}'`);
  return `#compdef gitops-sync
# zsh completion of gitops-sync
_gitops_sync() {
  local -a commands=(${[...list, ...grouped].join(" ")})
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe command commands
    return
  fi
  case $words[2] in
${cases.join("\n")}
    *) _arguments ${flagsOf(commands[0]!).map(described).join(" ")} ;;
  esac
}
if [ "$funcstack[1]" = _gitops_sync ]; then _gitops_sync "$@"; else compdef _gitops_sync gitops-sync; fi`;
}

function fish(): string {
  const lines = [
    "# fish completion of gitops-sync",
    "complete -c gitops-sync -f",
  ];
  const first = [...firstWords().keys()].join(" ");
  for (const { name, summary, choices = [], flags } of commands) {
    const [word, second] = name.split(" ");
    const isSeen = `__fish_seen_subcommand_from ${word}`;
    const start = `not __fish_seen_subcommand_from ${first}`;
    lines.push(
      `complete -c gitops-sync -n '${start}' -a ${word} -d '${
        quoted(summary)
      }'`,
      ...[...(second ? [second] : []), ...choices].map((follow) =>
        `complete -c gitops-sync -n '${isSeen}' -a ${follow}`
      ),
      ...flags.map((flag) => fishFlag(flag, isSeen)),
    );
  }
  lines.push(...[...globalFlags, ...optionFlags].map((flag) => fishFlag(flag)));
  return lines.join("\n");
}

function fishFlag(
  { name, value, text, choices }: Flag & { choices?: readonly string[] },
  condition?: string,
): string {
  return [
    "complete -c gitops-sync",
    condition ? `-n '${condition}'` : "",
    `-l ${name}`,
    value === "FILE" ? "-r -F" : value ? "-x" : "",
    choices ? `-a '${choices.join(" ")}'` : "",
    `-d '${quoted(text)}'`,
  ].filter((part) => part !== "").join(" ");
}
