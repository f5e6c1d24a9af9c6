import { assert, assertEquals } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { parse } from "../../lib/cli/arguments.ts";
import { loadConfig } from "../../lib/config/config.ts";
import { inFolder } from "../folder.ts";
import { type Block, blocks, pages, placeOf, textOf } from "./blocks.ts";
import { callsIn, type Typed } from "./typed.ts";

/** What a block can be; `text` is what a program shows, or a picture. */
const languages = ["sh", "console", "nix", "yaml", "json", "text"];

Deno.test("each block of code names its language", () => {
  for (const block of blocks()) {
    assert(
      languages.includes(block.language),
      `${placeOf(block)}: "${block.language}" is none of ${languages}`,
    );
  }
});

const shell = blocks().filter(({ language }) =>
  ["sh", "console"].includes(language)
);

/** Commands in the midst of sentences, as if they were a block of the page. */
function inSentences(page: string): Block {
  const named = textOf(page)
    .matchAll(/`((?:sudo )?gitops-sync [^`…[\]|]+)`/g);
  const text = Array.from(named, ([, line]) => `${line}\n`).join("");
  return { page, line: 1, language: "sh", text };
}

const callsOf = async (all: readonly Block[]) =>
  (await Promise.all(all.map(callsIn))).flat();

/** What the program refuses in the words of calls; reasons that may be. */
async function mustTake(calls: readonly Typed[], but: readonly string[] = []) {
  await inFolder(async (folder) => {
    const path = `${folder}/config.yaml`;
    await Deno.writeTextFile(path, "repository: https://git.example.org/a\n");
    for (const { place, words } of calls) {
      try {
        await loadConfig(path, (await parse(words)).given);
      } catch (error) {
        const { reason, message } = error as SyncError;
        if (but.includes(reason)) continue;
        assertEquals(message, "", `${place}: gitops-sync ${words.join(" ")}`);
      }
    }
  });
}

Deno.test("the program takes each command line of the documentation", async () => {
  const calls = await callsOf(shell);
  assert(calls.length > 40, `only ${calls.length} were found`);
  await mustTake(calls);
});

Deno.test("the program takes each command that a message names", async () => {
  await mustTake(await callsIn(inSentences("tests/messages.golden")));
});

Deno.test("the program takes each command that a sentence names", async () => {
  const calls = await callsOf(pages().map(inSentences));
  assert(calls.length > 50, `only ${calls.length} were found`);
  // A sentence may name a flag without its value.
  await mustTake(calls, ["flag-without-value"]);
});
