import { assert, assertEquals } from "@std/assert";
import { isOfAny, isOfPattern, isPlainName } from "../../lib/base/pattern.ts";

Deno.test("a pattern is of the names that a regular expression says", () => {
  const letters = ["a", "b", "*", "?"];
  const words = (most: number, of: readonly string[]): string[] =>
    most === 0
      ? [""]
      : ["", ...of.flatMap((one) => words(most - 1, of).map((w) => one + w))];
  const names = words(4, ["a", "b"]);
  for (const pattern of new Set(words(4, letters))) {
    const source = pattern.replaceAll("*", ".*").replaceAll("?", ".");
    const expression = new RegExp(`^${source}$`);
    for (const name of names) {
      assertEquals(
        isOfPattern(pattern, name),
        expression.test(name),
        `${pattern} ${name}`,
      );
    }
  }
});

Deno.test("no pattern takes long, and none is an expression", () => {
  const hostile = `${"*a".repeat(50)}b`;
  assert(!isOfPattern(hostile, "a".repeat(5000)));
  assert(!isOfPattern("web.1", "web-1"));
  assert(!isOfPattern("[a-z]", "a"));
  assert(!isOfAny([], "web"));
  assert(isPlainName("web-1") && !isPlainName("web-?"));
});
