import { assert, assertEquals, assertThrows } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import {
  readSuspension,
  removeSuspension,
  type Suspension,
  writeSuspension,
} from "../../lib/state/suspension.ts";
import { inFolder, modeOf } from "../folder.ts";

const since = "2024-01-01T12:00:00Z";

Deno.test("a suspension holds until its end, and without one for ever", async () => {
  const table: [string | null, string, boolean][] = [
    [null, since, true],
    [null, "2099-01-01T00:00:00Z", true],
    ["2024-01-01T13:00:00Z", "2024-01-01T12:30:00Z", true],
    ["2024-01-01T13:00:00Z", "2024-01-01T12:59:59.999Z", true],
    ["2024-01-01T13:00:00Z", "2024-01-01T13:00:00Z", false],
    ["2024-01-01T13:00:00Z", "2024-01-02T00:00:00Z", false],
    ["2024-01-01T15:00:00+02:00", "2024-01-01T12:59:00Z", true],
    ["2024-01-01T15:00:00+02:00", "2024-01-01T13:00:00Z", false],
  ];
  await inFolder(async (folder) => {
    for (const [until, now, holds] of table) {
      const suspension: Suspension = { since, until, reason: "a release" };
      await writeSuspension(folder, suspension);
      assertEquals(
        readSuspension(folder, new Date(now)),
        holds ? suspension : undefined,
        `${until} at ${now}`,
      );
    }
  });
});

Deno.test("without a suspension there is none, and none to end", async () => {
  await inFolder(async (folder) => {
    assertEquals(readSuspension(folder, new Date()), undefined);
    assertEquals(await removeSuspension(folder), false);
  });
});

Deno.test("a suspension ends when a person says so", async () => {
  await inFolder(async (folder) => {
    await writeSuspension(folder, { since, until: null, reason: null });
    assertEquals(await removeSuspension(folder), true);
    assertEquals(readSuspension(folder, new Date()), undefined);
  });
});

Deno.test("a suspension is given before the first run, and readable by its owner alone", async () => {
  await inFolder(async (folder) => {
    const state = `${folder}/state`;
    await writeSuspension(state, { since, until: null, reason: null });
    assertEquals(modeOf(state), 0o700);
    assertEquals(modeOf(`${state}/suspended.json`), 0o600);
  });
});

Deno.test("a broken file lets no run through, and is not touched", async () => {
  const broken = [
    "",
    "{",
    "null",
    "5",
    "[]",
    "{}",
    "\0\0",
    JSON.stringify({ since }),
    JSON.stringify({ since: 5, until: null }),
    JSON.stringify({ since, until: "tomorrow" }),
    JSON.stringify({ since, until: 99999999999999 }),
    JSON.stringify({ since, until: {} }),
  ];
  await inFolder(async (folder) => {
    const path = `${folder}/suspended.json`;
    for (const text of broken) {
      await Deno.writeTextFile(path, text);
      const error = assertThrows(
        () => readSuspension(folder, new Date("2099-01-01")),
        SyncError,
      ) as SyncError;
      assert(error.message.startsWith(`Cannot read ${path}: `), text);
      assert(!error.message.includes("destructure"), error.message);
      assertEquals(
        [error.reason, error.exit, error.next],
        ["state-unreadable", 2, "stop"],
        text,
      );
      assertEquals(await Deno.readTextFile(path), text);
    }
  });
});

Deno.test("a broken file can be ended or replaced", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/suspended.json`, "");
    await writeSuspension(folder, { since, until: null, reason: null });
    assertEquals(readSuspension(folder, new Date())?.since, since);
    await Deno.writeTextFile(`${folder}/suspended.json`, "");
    assertEquals(await removeSuspension(folder), true);
    assertEquals(readSuspension(folder, new Date()), undefined);
  });
});
