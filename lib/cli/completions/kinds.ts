/**
 * What a shell can complete in the place of a value or an operand, told by the
 * word that stands for it in the help.
 *
 * @module
 */

/** What `gitops-sync complete` knows. */
export const kinds = ["attempts", "hosts", "refs", "revisions"] as const;

/** One of them. */
export type Completes = typeof kinds[number];

/** What the shell knows itself. */
export type OfShell = "files" | "folders";

/** All of them. */
export type Known = Completes | OfShell;

/** The words of the help, in any list of them that a call may hold. */
const words: readonly (readonly [RegExp, Known])[] = [
  [/\bATTEMPT\b/, "attempts"],
  [/\bHOST\b/, "hosts"],
  [/\bREF\b/, "refs"],
  [/\bREVISION\b/, "revisions"],
  [/\b(?:FILE|PATH)\b/, "files"],
  [/\bFOLDER\b/, "folders"],
];

/**
 * What can be completed.
 *
 * @param text The operand or the value, e.g. `[REVISION | FOLDER]`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { completesIn } from "./kinds.ts";
 *
 * assertEquals(completesIn("[REVISION | FOLDER]"), ["revisions", "folders"]);
 * assertEquals(completesIn("DURATION"), []);
 * ```
 */
export function completesIn(
  text: string | undefined,
): Known[] {
  return words.filter(([word]) => word.test(text ?? ""))
    .map(([, completes]) => completes);
}

/** The same for an option of the configuration. */
export function completesOption(
  name: string,
  kind: string,
): Known[] {
  if (name === "host") return ["hosts"];
  if (name === "ref") return ["refs"];
  return kind === "path" ? ["files"] : [];
}
