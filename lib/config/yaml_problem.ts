/**
 * Says in plain words what is wrong with a file of YAML. Loaded only when
 * something is wrong.
 *
 * @module
 */

/** What is wrong, where, and what to do. */
export interface YamlProblem {
  /** From 1. */
  line: number;
  why: string;
  hint: string;
}

/** What `@std/yaml` says, and what that means; the first that fits counts. */
const kinds: readonly {
  said: RegExp;
  explain: (lines: readonly string[], line: number) => YamlProblem;
}[] = [
  {
    said: /duplicated key/,
    explain: (lines, line) => ({
      line,
      why: `the key ${keyOf(lines[line - 1])} stands twice`,
      hint: "keep one of the two lines",
    }),
  },
  {
    said: /more than 1 document/,
    explain: (_, line) => ({
      line,
      why: "a second document begins here",
      hint: "take out the line ---; one file is one configuration",
    }),
  },
  {
    said: /flow collection/,
    explain: (lines, line) => ({
      line: lastWith(/[[{]/, lines, line),
      why: "a bracket that opens here does not close, or a comma is missing",
      hint: "write lists as [one, two] and maps as {key: value}",
    }),
  },
  {
    said: /quoted scalar/,
    explain: (lines, line) => ({
      line: lastWith(/["']/, lines, line),
      why: "a quote that opens here does not close",
      hint: "close it in the same line",
    }),
  },
  {
    said: /bad indentation/,
    explain: (_, line) => ({
      line,
      why: "this line is not indented like the ones before it",
      hint: "indent all keys of one level by the same number of spaces",
    }),
  },
];

/**
 * What is wrong with a file.
 *
 * @param message What `@std/yaml` says. The excerpt that follows its first line
 * is left out: a line of the file may hold a secret.
 * @param text The whole file.
 */
export function yamlProblem(message: string, text: string): YamlProblem {
  const [, why, at] = /^(.*?)(?: at line (\d+), column \d+)?(?::\n|$)/
    .exec(message) ?? [];
  const line = Number(at ?? 1);
  const kind = kinds.find(({ said }) => said.test(message));
  return kind?.explain(text.split("\n"), line) ?? {
    line,
    why: why ?? "it is broken",
    hint:
      "a value with a colon, a # or a leading special character needs quotes",
  };
}

/** The key of a line, which is an option's name and no secret. */
function keyOf(line: string | undefined): string {
  return /^\s*["']?([\w.-]{1,60})["']?\s*:/.exec(line ?? "")?.[1] ??
    "of this line";
}

/** The parser names the place where it gave up: the end, most often. */
function lastWith(
  what: RegExp,
  lines: readonly string[],
  line: number,
): number {
  const found = lines.slice(0, line).findLastIndex((one) => what.test(one));
  return found === -1 ? line : found + 1;
}
