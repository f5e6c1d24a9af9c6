/**
 * Decides what a shell completes for a value or an operand, by its name in the
 * help.
 *
 * @module
 */

/** The words that `gitops-sync complete` prints. */
export const kinds = ["attempts", "hosts", "refs", "revisions"] as const;

/** One of these kinds. */
export type Completes = typeof kinds[number];

/** The kinds that the shell completes itself. */
export type OfShell = "files" | "folders";

/** All kinds. */
export type Known = Completes | OfShell;

/**
 * The names in the help, with their kinds. An operand may have several names.
 */
const words: readonly (readonly [RegExp, Known])[] = [
  [/\bATTEMPT\b/, "attempts"],
  [/\bHOST\b/, "hosts"],
  [/\bREF\b/, "refs"],
  [/\bREVISION\b/, "revisions"],
  [/\b(?:FILE|PATH)\b/, "files"],
  [/\bFOLDER\b/, "folders"],
];

/**
 * Returns what can be completed.
 *
 * @param text The operand or the value, for example `[REVISION | FOLDER]`.
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

/** Returns what can be completed for an option of the configuration. */
export function completesOption(
  name: string,
  kind: string,
): Known[] {
  if (name === "host") return ["hosts"];
  if (name === "ref") return ["refs"];
  return kind === "path" ? ["files"] : [];
}
