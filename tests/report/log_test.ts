import { assertEquals } from "@std/assert";
import type { Event } from "../../lib/base/effects.ts";
import { steadyTeller } from "../../lib/cli/output/teller.ts";
import {
  journalLines,
  plainLines,
  progressText,
} from "../../lib/report/log.ts";

const error: Event = {
  kind: "message",
  level: "error",
  text: "Cannot build it\n  first line",
  details: ["main.c:7: no"],
  hints: ["mend it"],
};

Deno.test("a file gets a line a stage, and messages with their hints", () => {
  const lines = plainLines;
  const table: [Event, string][] = [
    [{ kind: "start", stage: "fetch" }, ""],
    [
      { kind: "done", stage: "fetch", text: "1234", ms: 400 },
      "fetch: 1234 (0.4s)\n",
    ],
    [
      { kind: "failed", stage: "build", ms: 61_000 },
      "build: failed (1m1s)\n",
    ],
    [
      error,
      "error: Cannot build it\n  first line\n  main.c:7: no\nhint: mend it\n",
    ],
    [{ kind: "message", level: "notice", text: "so" }, "so\n"],
  ];
  for (const [event, expected] of table) assertEquals(lines(event), expected);
});

Deno.test("in the journal each line has its priority", () => {
  const lines = journalLines;
  assertEquals(
    lines(error),
    "<3>error: Cannot build it\n<3>  first line\n<3>  main.c:7: no\n<3>hint: mend it\n",
  );
  const levels = ["warning", "notice", "info", "debug"] as const;
  assertEquals(
    levels.map((level) => lines({ kind: "message", level, text: "so" })),
    ["<4>warning: so\n", "<5>so\n", "<6>so\n", "<7>so\n"],
  );
});

Deno.test("a stage that takes long says now and then how far it is", async () => {
  const told: Event[] = [];
  const teller = steadyTeller(false, (event) => told.push(event), 1);
  let built = 0;
  teller.tell({ kind: "start", stage: "build" });
  const now = () => ({ text: `${++built} of 200 built` });
  teller.tell({ kind: "progress", stage: "build", now });
  while (told.length < 4) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  teller.tell({ kind: "done", stage: "build", text: "x", ms: 1 });
  const { length } = told;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(told.length, length, "a stage that is over says nothing more");
  assertEquals(told.slice(1, 4).map(plainLines), [
    "build: 1 of 200 built\n",
    "build: 2 of 200 built\n",
    "build: 3 of 200 built\n",
  ]);
});

Deno.test("a line of progress names what has been at work for longest", () => {
  const task = (name: string, ms: number) => ({
    kind: "build" as const,
    name,
    ms,
    note: "",
  });
  const text = "1 of 5 built · d";
  assertEquals(progressText({ text }), text);
  assertEquals(
    progressText({ text, tasks: [task("a", 61_000)] }),
    "1 of 5 built · a 1m1s",
  );
  assertEquals(
    progressText({
      text,
      tasks: ["a", "b", "c", "d"].map((n) => task(n, 5000)),
    }),
    "1 of 5 built · a 5.0s, b 5.0s, c 5.0s and 1 more",
  );
});
