import { assertEquals } from "@std/assert";
import { mutants } from "./mutants.ts";

const top = new URL("../../", import.meta.url).pathname;

Deno.test("each mutant changes one place of the program", () => {
  const wrong = mutants.filter(({ file, from }) =>
    Deno.readTextFileSync(top + file).split(from).length !== 2
  );
  assertEquals(wrong.map(({ name }) => name), []);
});

Deno.test("no two mutants have the same name", () => {
  const names = mutants.map(({ name }) => name);
  assertEquals(names.length, new Set(names).size);
});
