import { assertEquals } from "@std/assert";
import { nearest } from "../../lib/base/nearest.ts";

const known = ["status", "history", "logs", "host", "ref", "config check"];

Deno.test("a word is a guess only where few letters differ", () => {
  const table: [string, string | undefined][] = [
    ["statsu", "status"],
    ["hots", "host"],
    ["log", "logs"],
    ["config chek", "config check"],
    ["hist", "history"],
    ["stat", "status"],
    // Half of the letters or more.
    ["rf", undefined],
    ["xyz", undefined],
    ["hosts.web", undefined],
    ["hi", undefined],
    ["", undefined],
  ];
  for (const [word, expected] of table) {
    assertEquals(nearest(word, known), expected, word);
  }
  assertEquals(nearest("status", []), undefined);
  // Two of them begin so.
  assertEquals(nearest("conf", ["config check", "confirm all"]), undefined);
});
