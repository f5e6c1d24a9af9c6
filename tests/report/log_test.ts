import { assertEquals } from "@std/assert";
import type { Event } from "../../lib/base/effects.ts";
import { journalLines, plainLines } from "../../lib/report/log.ts";

const error: Event = {
  kind: "message",
  level: "error",
  text: "Cannot build it\n  first line",
  details: ["main.c:7: no"],
  hints: ["mend it"],
};

Deno.test("a file gets a line a stage, and messages with their hints", () => {
  const lines = plainLines(() => 0);
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
  const lines = journalLines(() => 0);
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

Deno.test("a long build says once a minute that it goes on", () => {
  let now = 0;
  const lines = plainLines(() => now);
  lines({ kind: "start", stage: "build" });
  const told: string[] = [];
  for (now = 0; now <= 150_000; now += 1000) {
    const text = `${now / 1000} of 200 built`;
    told.push(lines({ kind: "progress", stage: "build", text }));
  }
  assertEquals(
    told.join(""),
    "build: 60 of 200 built\nbuild: 120 of 200 built\n",
  );
});
