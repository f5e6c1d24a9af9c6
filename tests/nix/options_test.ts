import { assertEquals } from "@std/assert";
import { documents } from "../../nix/options.ts";

const top = new URL("../../", import.meta.url);

for (const [path, make] of Object.entries(documents)) {
  Deno.test(`${path} is what the list of options makes of it`, async () => {
    const text = await Deno.readTextFile(new URL(path, top));
    assertEquals(text, await make(), `${path} is out of date: deno task docs`);
  });
}
