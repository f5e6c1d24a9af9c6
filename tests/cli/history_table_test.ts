import { assert, assertEquals } from "@std/assert";
import { historyTable } from "../../lib/cli/output/history_table.ts";
import { noInk } from "../../lib/cli/output/ink.ts";
import { widthOf } from "../../lib/cli/output/width.ts";
import type { HistoryEntry } from "../../lib/state/state.ts";

const entry: HistoryEntry = {
  version: 1,
  id: "a",
  command: "sync",
  at: "2026-11-27T04:19:52Z",
  ms: 600,
  result: "deployed",
  exit: 0,
  revision: "a".repeat(40),
  subject: "Mend the secret",
  stages: [{ stage: "build", ms: 200 }, { stage: "activate", ms: 400 }],
};
const failed: HistoryEntry = {
  ...entry,
  result: "failed",
  exit: 6,
  stage: "build",
  reason: "builder-failed",
  subject: "Break it",
};

const drawn = (columns?: number) =>
  historyTable([entry, failed], columns, noInk).split("\n");

Deno.test("the history shows subject and reason at 80 columns", () => {
  const [head, first, second] = drawn(80);
  assert(/^WHEN +REVISION +RESULT +TOOK +SUBJECT$/.test(head!), head);
  assert(/ deployed .* Mend the secret$/.test(first!), first);
  assert(/ builder-failed .* Break it$/.test(second!), second);
});

Deno.test("a wide terminal shows the stages, and none cuts nothing", () => {
  for (const columns of [140, undefined]) {
    const [head, , second] = drawn(columns);
    assert(head!.endsWith("STAGES"), head);
    assert(second!.includes("failed at build: builder-failed (6)"), second);
  }
});

Deno.test("each line fits, however narrow the terminal is", () => {
  for (const columns of [20, 40, 60, 80, 100, 120]) {
    for (const line of drawn(columns)) assert(widthOf(line) <= columns, line);
  }
  assertEquals(drawn(60).length, 3);
});
