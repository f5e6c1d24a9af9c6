import { assertEquals } from "@std/assert";
import { lineOf } from "../../lib/config/problems.ts";

Deno.test("the line of a key is found below its group", () => {
  const yaml = `# timeouts: build: 1h
build:
  options: []
timeouts: # how long
  # fetch: 1h
  "build": 1h
  fetch: 2h
secrets.check: true
`;
  const table: [string, number][] = [
    ["build", 2],
    ["build.options", 3],
    ["timeouts", 4],
    ["timeouts.build", 6],
    ["timeouts.fetch", 7],
    ["secrets.check", 8],
    ["nowhere", 1],
    ["timeouts.nowhere", 4],
    ["a+b", 1],
  ];
  for (const [key, line] of table) assertEquals(lineOf(yaml, key), line, key);
});

Deno.test("the line of a key is found in JSON", () => {
  const json = '{\n  "ref": "x",\n  "timeouts": {\n    "build": "1h"\n  }\n}';
  assertEquals(lineOf(json, "ref"), 2);
  assertEquals(lineOf(json, "timeouts.build"), 4);
});
