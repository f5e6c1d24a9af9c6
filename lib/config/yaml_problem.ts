/**
 * Explains YAML syntax errors in plain words. Loaded only if there is one.
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

/** Explains one message of `@std/yaml`, given the lines of the file. */
interface Explanation {
  said: RegExp;
  explain: (lines: readonly string[], line: number) => YamlProblem;
}

const useQuotes = 'put the whole value in quotes: KEY: "VALUE"';

/** The first entry that matches is used. */
const explanations: readonly Explanation[] = [
  {
    said: /duplicated key/,
    explain: (lines, line) => ({
      line,
      why: `the key ${keyOf(lines[line - 1])} appears twice`,
      hint: "remove one of the two lines",
    }),
  },
  {
    said: /more than 1 document/,
    explain: (_, line) => ({
      line,
      why: "a second document begins here",
      hint: "remove the line ---; a file holds one configuration",
    }),
  },
  {
    said: /flow collection/,
    explain: (lines, reported) => {
      const line = lastWith(/[[{]/, lines, reported);
      const after = keyBefore(/[[{]/, lines[line - 1]);
      return {
        line,
        why: `a bracket${after} is not closed, or a comma is missing`,
        hint: "write lists as [one, two] and maps as {key: value}",
      };
    },
  },
  {
    said: /quoted scalar/,
    explain: (lines, reported) => {
      const line = lastWith(/["']/, lines, reported);
      const after = keyBefore(/["']/, lines[line - 1]);
      return {
        line,
        why: `a quote${after} is not closed`,
        hint: "close it on the same line",
      };
    },
  },
  {
    said: /bad indentation/,
    explain: (_, line) => ({
      line,
      why: "this line is not indented like the lines before it",
      hint: "indent all keys of one level with the same number of spaces",
    }),
  },
  {
    said: /multiline key/,
    explain: (lines, reported) => {
      const line = lastWith(/^(?!.*:)\s*[^#\s]/, lines, reported);
      return {
        line,
        why: "this line has no colon after the key",
        hint: "write KEY: VALUE, with a colon and a space",
      };
    },
  },
  {
    said: /explicit mapping pair/,
    explain: (lines, line) => ({
      line,
      why: `the value of ${keyOf(lines[line - 1])} contains a colon`,
      hint: useQuotes,
    }),
  },
];

/**
 * Explains what is wrong with a file.
 *
 * @param message What `@std/yaml` says. The excerpt that follows its first line
 * is left out: a line of the file may hold a secret.
 * @param text The whole file.
 */
export function yamlProblem(message: string, text: string): YamlProblem {
  const [, why, at] = /^(.*?)(?: at line (\d+), column \d+)?(?::\n|$)/
    .exec(message) ?? [];
  const line = Number(at ?? 1);
  const lines = text.split("\n");
  const found = explanations.find(({ said }) => said.test(message));
  return found?.explain(lines, line) ?? reserved(lines, line) ?? {
    line,
    why: why ?? "the syntax is wrong",
    hint:
      `if a value contains a colon, a # or begins with a special character, ${useQuotes}`,
  };
}

/** Explains a value that begins with a character that means something in YAML. */
function reserved(
  lines: readonly string[],
  line: number,
): YamlProblem | undefined {
  const [, first] = /:\s+([*&!@`%|>])/.exec(lines[line - 1] ?? "") ?? [];
  return first === undefined ? undefined : {
    line,
    why: `the value of ${keyOf(lines[line - 1])} begins with ${first}`,
    hint: useQuotes,
  };
}

/** The key of a line, which is an option's name and no secret. */
function keyOf(line: string | undefined): string {
  return /^\s*["']?([\w.-]{1,60})["']?\s*:/.exec(line ?? "")?.[1] ??
    "of this line";
}

/** ` after KEY:` for the last such character of a line, if a key is before it. */
function keyBefore(what: RegExp, line = ""): string {
  const key = new RegExp(
    `["']?([\\w.-]{1,60})["']?\\s*:\\s*${what.source}`,
    "g",
  );
  const [, name] = [...line.matchAll(key)].at(-1) ?? [];
  return name === undefined ? "" : ` after ${name}:`;
}

/** The last line with such text: the parser reports where it gave up. */
function lastWith(
  what: RegExp,
  lines: readonly string[],
  line: number,
): number {
  const found = lines.slice(0, line).findLastIndex((one) => what.test(one));
  return found === -1 ? line : found + 1;
}
