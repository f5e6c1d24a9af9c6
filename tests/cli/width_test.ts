import { assert, assertEquals } from "@std/assert";
import { wrapped } from "../../lib/cli/output/ink.ts";
import { rowLines } from "../../lib/cli/output/rows.ts";
import { table } from "../../lib/cli/output/table.ts";
import { widthOf } from "../../lib/cli/output/width.ts";

// Two columns a letter, one for a letter of two units with none after it.
const subjects = [
  "設定を直す 設定を直す 設定を直す",
  "Fixé",
  "🚀 ship",
  "🚀".repeat(40),
];

Deno.test("columns are aligned by how wide letters are", () => {
  const lines = table(subjects.map((subject) => [subject, "end"])).split("\n");
  const starts = lines.map((line) => widthOf(line.slice(0, -"end".length)));
  assertEquals(new Set(starts).size, 1, lines.join("\n"));
});

Deno.test("lines end where the terminal does, however wide letters are", () => {
  const paper = { ink: (_: string, text: string) => text, columns: 30 };
  for (const subject of subjects) {
    const rows = rowLines([{ label: "runs", text: subject }], paper);
    for (const line of [...wrapped(subjects[0]!, 30), ...rows]) {
      assert(widthOf(line) <= 30, line);
      assert(line.isWellFormed(), "a letter was cut in two");
    }
  }
});
