import { assert, assertEquals } from "@std/assert";
import { isAboutHost } from "../../lib/cli/call.ts";
import { parse } from "../../lib/cli/arguments.ts";
import { listed } from "../../lib/cli/commands.ts";
import { commandHelp } from "../../lib/cli/help.ts";

/** What is clear without one, or is for programs alone. */
const clear = ["sync", "history", "accept", "resume", "ready"];

Deno.test("each command of the desk has an example, which is one", async () => {
  for (const command of listed) {
    const { name, examples = [] } = command;
    if (isAboutHost(command) && !clear.includes(name)) {
      assert(examples.length > 0, `${name} has no example`);
    }
    for (const [line] of examples) {
      const words = line.replace(/^sudo /, "").split(" ");
      assertEquals(words[0], "gitops-sync", line);
      const call = await parse(words.slice(1));
      assertEquals(call.command.name, name, line);
    }
  }
});

Deno.test("what no terminal wraps fits into 80 columns", () => {
  for (const { name, text, examples = [] } of listed) {
    const lines = [
      ...text.split("\n"),
      ...examples.flatMap(([line, does]) => [`    ${line}`, `  ${does}:`]),
    ];
    for (const line of lines) assert(line.length <= 80, `${name}: ${line}`);
  }
});

Deno.test("a help names the other name of its command", () => {
  const plan = listed.find(({ name }) => name === "plan")!;
  const [usage, also] = commandHelp(plan).split("\n");
  assertEquals(usage, "usage: gitops-sync plan [REVISION|FOLDER] [FLAG…]");
  assertEquals(also, "also:  gitops-sync diff");
});
