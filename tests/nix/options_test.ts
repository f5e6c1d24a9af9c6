import { assert, assertEquals } from "@std/assert";
import { optionNames } from "../../lib/config/schema.ts";
import { documents } from "../../nix/options.ts";

const top = new URL("../../", import.meta.url);

for (const [path, make] of Object.entries(documents)) {
  Deno.test(`${path} is what the list of options makes of it`, async () => {
    const text = await Deno.readTextFile(new URL(path, top));
    assertEquals(text, await make(), `${path} is out of date: deno task docs`);
  });
}

Deno.test("no option of the program hides one of the module alone", async () => {
  const module = await Deno.readTextFile(new URL("module.nix", top));
  const own = [...module.matchAll(/^ {4}(\w+) = mk\w*Option\b/gm)]
    .map(([, name]) => name!);
  assert(own.includes("frequency"), `only found ${own}`);
  const groups = optionNames.map((name) => name.split(".")[0]!);
  assertEquals(own.filter((name) => groups.includes(name)), []);
});
