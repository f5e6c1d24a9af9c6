/**
 * Texts that the module makes, as files of this repository.
 *
 * @module
 */
import { assertEquals } from "@std/assert";

/** A text without what differs from one machine to the next. */
const plain = (text: string) =>
  text.replace(/\/nix\/store\/[0-9a-z]{32}-/g, "/nix/store/HASH-")
    .replace(/-gitops-sync-\d+\.\d+\.\d+\//g, "-gitops-sync-VERSION/");

/**
 * Compares a text with its file in the folder `golden`; with `GOLDEN=write` in
 * the environment it writes the file.
 *
 * @throws {AssertionError} where they differ.
 */
export async function assertGolden(name: string, text: string): Promise<void> {
  const file = new URL(`golden/${name}`, import.meta.url);
  const made = plain(text);
  if (Deno.env.get("GOLDEN") === "write") await Deno.writeTextFile(file, made);
  assertEquals(
    made,
    await Deno.readTextFile(file),
    `${name} has changed; if it should: GOLDEN=write ./dev test tests/nix`,
  );
}
