import { assertEquals } from "@std/assert";
import {
  exitCodeOf,
  exitCodes,
  exitMeanings,
  type Stage,
  SyncError,
  usageError,
} from "../../lib/base/errors.ts";

Deno.test("each stage has the exit code that scripts rely on", () => {
  const table: Record<Stage, number> = {
    config: 2,
    state: 2,
    lock: 10,
    decide: 3,
    preflight: 6,
    fetch: 3,
    verify: 4,
    secrets: 5,
    build: 6,
    gates: 6,
    prove: 5,
    slot: 0,
    activate: 7,
    health: 7,
    confirm: 7,
    recover: 8,
  };
  for (const [stage, exit] of Object.entries(table)) {
    const error = new SyncError("no", {
      stage: stage as Stage,
      reason: "x",
      next: "stop",
    });
    assertEquals(error.exit, exit, stage);
    assertEquals(exitCodeOf(error), exit, stage);
  }
});

Deno.test("an error may have an exit code of its own", () => {
  const error = new SyncError("no", {
    stage: "activate",
    reason: "x",
    next: "stop",
    exit: 8,
  });
  assertEquals(exitCodeOf(error), 8);
});

Deno.test("what was not foreseen is a bug", () => {
  for (
    const thrown of [new Error("no"), new TypeError("no"), "no", undefined]
  ) {
    assertEquals(exitCodeOf(thrown), 1);
  }
});

Deno.test("every exit code has a meaning, and no two are the same", () => {
  const codes = Object.values(exitCodes);
  assertEquals(codes, [
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
    13,
    14,
    15,
    16,
    130,
  ]);
  assertEquals(Object.keys(exitMeanings).map(Number), codes);
});

Deno.test("an error carries all that was said of it", () => {
  const cause = new Error("below");
  const error = new SyncError("Cannot do it", {
    stage: "build",
    reason: "disk-full",
    next: "retry",
    hints: ["free some space"],
    details: ["line"],
    cause,
  });
  assertEquals(
    [error.name, error.message, error.stage, error.reason, error.next],
    ["SyncError", "Cannot do it", "build", "disk-full", "retry"],
  );
  assertEquals(error.hints, ["free some space"]);
  assertEquals(error.details, ["line"]);
  assertEquals(error.cause, cause);
});

Deno.test("a mistake of the user is exit 2 and about no revision", () => {
  const error = usageError(
    "unknown-flag",
    "Cannot use --x",
    "see --help",
    "or",
  );
  assertEquals([error.exit, error.stage, error.next], [2, "config", "stop"]);
  assertEquals(error.hints, ["see --help", "or"]);
});
