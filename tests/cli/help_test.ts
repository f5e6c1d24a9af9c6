import { assert, assertEquals } from "@std/assert";
import { parse } from "../../lib/cli/arguments.ts";
import { listed } from "../../lib/cli/commands.ts";
import { commandHelp, generalHelp } from "../../lib/cli/help.ts";

Deno.test("each command has one or two examples, which work", async () => {
  for (const { name, examples = [] } of listed) {
    const isFew = examples.length > 0 && examples.length <= 3;
    assert(isFew, `${name} has ${examples.length} examples`);
    for (const [line] of examples) {
      const words = line.replace(/^sudo /, "").split(" ");
      assertEquals(words[0], "gitops-sync", line);
      const call = await parse(words.slice(1));
      assertEquals(call.command.name, name, line);
    }
  }
});

/** What is typed is not broken: a flag, an example, a line of usage. */
const isTyped = (line: string) =>
  /^(usage:|also: | +(sudo )?gitops-sync | +--)/.test(line);

Deno.test("a help fits into the terminal, whatever its width", () => {
  for (const columns of [60, 80, 120]) {
    const helps = listed.map((command) => commandHelp(command, columns));
    for (const help of [generalHelp(columns), ...helps]) {
      const long = help.split("\n").filter((line) =>
        line.length > columns && !isTyped(line)
      );
      assertEquals(long, [], `${columns} columns`);
    }
  }
});

Deno.test("no text of an option ends in the middle of a sentence", () => {
  const help = commandHelp(listed[0]!, 10_000);
  const texts = help.split("\n").filter((line) => line.startsWith("      "));
  assert(texts.length > 80, "the texts are not found any more");
  for (const text of texts) {
    const sentence = text.replace(/ \(default: .*\)$/, "");
    assert(!/(e\.g|i\.e|[:;,])\.?$/.test(sentence), sentence);
    const open = sentence.match(/[[({]/g)?.length ?? 0;
    assertEquals(sentence.match(/[\])}]/g)?.length ?? 0, open, sentence);
  }
});

Deno.test("a help names the other name of its command", () => {
  const plan = listed.find(({ name }) => name === "plan")!;
  const [usage, also] = commandHelp(plan).split("\n");
  assertEquals(usage, "usage: gitops-sync plan [REVISION|FOLDER] [FLAG…]");
  assertEquals(also, "also:  gitops-sync diff");
});
