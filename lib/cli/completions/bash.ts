/**
 * Makes the completions of bash.
 *
 * @module
 */
import { firstWords, flagsBehind, valueFlags, withOperands } from "./words.ts";

const flagWords = (first: string) =>
  flagsBehind(first).map(({ name }) => `--${name}`).join(" ");

/** Returns the script. */
export function bash(): string {
  const values = valueFlags.map(({ name, choices, completes }) => {
    const answer = choices
      ? `COMPREPLY=($(compgen -W '${choices.join(" ")}' -- "$current")) || :`
      : completes.length > 0
      ? `_gitops_sync_of ${completes.join(" ")}`
      : ":";
    return `    --${name}) ${answer}; return ;;`;
  });
  const firsts = [...firstWords()].map(([first, follow]) =>
    `    ${first}) words='${follow.join(" ")}' flags='${flagWords(first)}' ;;`
  );
  const operands = withOperands.map(([{ name }, completes]) =>
    name.includes(" ")
      ? `    '${name} '*) kinds='${completes.join(" ")}' words='' ;;`
      : `    '${name} '*) kinds='${completes.join(" ")}' ;;`
  ).toSorted((a, b) => a.length - b.length);
  return `# bash completion of gitops-sync
_gitops_sync_of() {
  local kind IFS=$'\\n'
  for kind; do
    case $kind in
      files) COMPREPLY+=($(compgen -f -- "$current")) || : ;;
      folders) COMPREPLY+=($(compgen -d -- "$current")) || : ;;
      *) COMPREPLY+=($(compgen -W "$("\${COMP_WORDS[0]}" complete "$kind" 2>/dev/null | cut -f 1)" -- "$current")) || : ;;
    esac
  done
}
_gitops_sync() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local words='${[...firstWords().keys()].join(" ")}' flags='${
    flagWords("sync")
  }' kinds=''
  COMPREPLY=()
  case $previous in
${values.join("\n")}
  esac
  [ "$COMP_CWORD" -eq 1 ] || case \${COMP_WORDS[1]} in
${firsts.join("\n")}
  esac
  [ "$COMP_CWORD" -eq 1 ] || case "\${COMP_WORDS[*]:1:COMP_CWORD-1} " in
${operands.join("\n")}
  esac
  case $current in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$current")) || : ;;
    *)
      COMPREPLY=($(compgen -W "$words" -- "$current")) || :
      _gitops_sync_of $kinds ;;
  esac
}
complete -F _gitops_sync gitops-sync`;
}
