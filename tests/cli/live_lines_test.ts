import { assert, assertEquals } from "@std/assert";
import type { Progress, Task } from "../../lib/base/effects.ts";
import { stageLine, taskLines } from "../../lib/cli/output/live_lines.ts";
import { fit, widthOf } from "../../lib/cli/output/width.ts";

const plain = (_code: string, text: string) => text;

const task = (name: string, more: Partial<Task> = {}): Task => ({
  ...{ kind: "build", name, ms: 62_000, note: "buildPhase" },
  ...more,
});

const progress: Progress = {
  text: "3 of 12 built",
  tasks: [
    task("linux-6.12.8"),
    task("日本語の名前-1.0"),
    task("e\u0301galite\u0301"),
    task("a-very-long-name-of-a-derivation-that-goes-on-and-on-1.2.3"),
    task("firefox-140.0", { kind: "fetch", note: "42 of 118 MiB, 6.0 MiB/s" }),
    task("🦊🦊🦊🦊", { note: "" }),
    task("\x1b[2Jred\x07"),
  ],
  last: "\x1b[31m  CC\tmain.o\x1b[0m",
};

Deno.test("no line is wider than the terminal, and none has an escape in it", () => {
  for (let columns = 1; columns <= 140; columns++) {
    const lines = [
      stageLine("⠙", "build", "x".repeat(200), "1m2s", columns),
      ...taskLines(progress, columns, 30, plain),
    ];
    for (const line of lines) {
      // The mark and its blank stand in any case.
      assert(widthOf(line) <= Math.max(2, columns), `${columns}: ${line}`);
      assert(!line.includes("\x1b") && !line.includes("\x07"), line);
    }
  }
});

Deno.test("there are no more lines than there is room for", () => {
  for (let rows = -2; rows <= 12; rows++) {
    const lines = taskLines(progress, 80, rows, plain);
    assert(lines.length <= Math.max(0, rows), `${rows}: ${lines.join("\n")}`);
  }
  assertEquals(taskLines(progress, 80, 4, plain).map((line) => line.trim()), [
    "• linux-6.12.8                                               buildPhase  1m2s",
    "• 日本語の名前-1.0                                           buildPhase  1m2s",
    "… and 5 more",
    "│ CC main.o",
  ]);
});

Deno.test("text is cut between letters, by the columns that they take", () => {
  const table: [string, number, string][] = [
    ["abc", 3, "abc"],
    ["abcd", 3, "ab…"],
    ["日本語", 6, "日本語"],
    ["日本語", 5, "日本…"],
    ["日本語", 4, "日…"],
    ["🦊🦊", 3, "🦊…"],
    ["e\u0301e\u0301", 2, "e\u0301e\u0301"],
    ["abc", 0, ""],
  ];
  for (const [text, columns, expected] of table) {
    assertEquals(fit(text, columns), expected);
  }
});
