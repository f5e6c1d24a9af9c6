/**
 * Makes the completions of zsh.
 *
 * @module
 */
import type { CommandSpec } from "../call.ts";
import {
  type Completed,
  firstWords,
  flagsBehind,
  flagsOf,
  offered,
  quoted,
  withOperands,
} from "./words.ts";

function described(
  { name, text, value, optional, choices, completes }: Completed,
) {
  const about = quoted(text).replace(/[[\]:\\]/g, " ");
  const follows = choices
    ? `:value:(${choices.join(" ")})`
    : completes.length > 0
    // Because of the space before it, zsh adds no arguments of its own.
    ? `:value: _gitops_sync_of ${completes.join(" ")}`
    : value
    ? ":value: "
    : "";
  // An optional value is in the same word.
  return optional
    ? `'--${name}=-[${about}]:${follows}'`
    : `'--${name}[${about}]${follows}'`;
}

const operandOf = ({ name }: CommandSpec) => {
  const found = withOperands.find(([command]) => command.name === name);
  return found ? ` '*:operand: _gitops_sync_of ${found[1].join(" ")}'` : "";
};

/** Returns the script. */
export function zsh(): string {
  const cases = [...firstWords()].map(([first, follow]) => {
    const words = follow.length > 0 ? ` '2:word:(${follow.join(" ")})'` : "";
    const alone = offered.find(({ name }) => name === first);
    return `    ${first}) _arguments '1:command:' ${
      flagsBehind(first).map(described).join(" ")
    }${words}${alone && words === "" ? operandOf(alone) : ""} ;;`;
  });
  const pairs = offered.filter(({ name }) => name.includes(" "))
    .map((command) =>
      `    '${command.name}') _arguments '1:command:' '2:word:' ${
        flagsOf(command).map(described).join(" ")
      }${operandOf(command)}; return ;;`
    );
  const list = offered.filter(({ name }) => !name.includes(" "))
    .map(({ name, summary }) => `'${name}:${quoted(summary)}'`);
  const grouped = [...firstWords().keys()].filter((word) =>
    !offered.some(({ name }) => name === word)
  ).map((word) => `'${word}'`);
  return `#compdef gitops-sync
# zsh completion of gitops-sync
_gitops_sync_of() {
  local kind
  for kind in "$@"; do
    case $kind in
      files) _files ;;
      folders) _files -/ ;;
      *)
        local -a found=(\${(f)"$($words[1] complete $kind 2>/dev/null | sed $'s/:/\\\\\\\\:/g; s/\\t/:/')"})
        _describe $kind found ;;
    esac
  done
}
_gitops_sync() {
  local -a commands=(${[...list, ...grouped].join(" ")})
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe command commands
    return
  fi
  (( CURRENT > 3 )) && case "$words[2] $words[3]" in
${pairs.join("\n")}
  esac
  case $words[2] in
${cases.join("\n")}
    *) _arguments ${flagsOf(offered[0]!).map(described).join(" ")} ;;
  esac
}
if [ "$funcstack[1]" = _gitops_sync ]; then _gitops_sync "$@"; else compdef _gitops_sync gitops-sync; fi`;
}
