import { assert, assertEquals } from "@std/assert";
import { holdAll } from "./held.ts";

// A share of what `./dev secrets` holds.
Deno.test("our answers to foreign files are those of sops and age", async () => {
  const held = await holdAll(11);
  assertEquals(held.falseAlarms, []);
  assertEquals(held.falsePasses, []);
  assert(held.files >= 30, `${held.files} files`);
  assert(held.opened > 0 && held.foreign > 0 && held.refused > 0);
});
