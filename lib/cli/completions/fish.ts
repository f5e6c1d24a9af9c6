/**
 * Makes the completions of fish.
 *
 * @module
 */
import { completesIn, type Known } from "./kinds.ts";
import {
  type Completed,
  everywhere,
  firstWords,
  offered,
  optionFlags,
  quoted,
} from "./words.ts";

const line = (...parts: string[]) =>
  ["complete -c gitops-sync", ...parts].filter((part) => part !== "").join(" ");

/** Returns the script. */
export function fish(): string {
  const lines = [
    "# fish completion of gitops-sync",
    "function __gitops_sync_of",
    "  gitops-sync complete $argv[1] 2>/dev/null",
    "end",
    line("-f"),
  ];
  const first = [...firstWords().keys()].join(" ");
  for (const { name, summary, choices = [], flags, operand } of offered) {
    const [word, second] = name.split(" ");
    const isSeen = `__fish_seen_subcommand_from ${word}`;
    const isWhole = second
      ? `${isSeen}; and __fish_seen_subcommand_from ${second}`
      : isSeen;
    const start = `not __fish_seen_subcommand_from ${first}`;
    lines.push(
      line(`-n '${start}'`, `-a ${word}`, `-d '${quoted(summary)}'`),
      ...[...(second ? [second] : []), ...choices].map((follow) =>
        line(`-n '${isSeen}'`, `-a ${follow}`)
      ),
      ...completesIn(operand).map((known) =>
        line(`-n '${isWhole}'`, offer(known))
      ),
      ...flags.map((flag) =>
        flagLine({ ...flag, completes: completesIn(flag.value) }, isWhole)
      ),
    );
  }
  lines.push(...[...everywhere, ...optionFlags].map((flag) => flagLine(flag)));
  return lines.join("\n");
}

function offer(known: Known): string {
  if (known === "files") return "-F";
  return known === "folders"
    ? "-a '(__fish_complete_directories)'"
    : `-a '(__gitops_sync_of ${known})'`;
}

function flagLine(
  { name, value, optional, text, choices, completes }: Completed,
  condition?: string,
): string {
  return line(
    condition ? `-n '${condition}'` : "",
    `-l ${name}`,
    completes.includes("files") ? "-r" : value && !optional ? "-x" : "",
    choices ? `-a '${choices.join(" ")}'` : completes.map(offer).join(" "),
    `-d '${quoted(text)}'`,
  );
}
