import { assertEquals } from "@std/assert";
import { type Event } from "../../lib/base/effects.ts";
import { AttemptLog } from "../../lib/state/attempt_log.ts";
import { appendHistory } from "../../lib/state/history.ts";
import { RunWatcher } from "../../lib/cli/run_watcher.ts";
import { inFolder } from "../folder.ts";

const since = Date.parse("2026-11-26T10:00:00Z");

/** A state folder whose last run made an attempt that is over. */
async function overAt(folder: string, at: number): Promise<void> {
  const id = "20261126-100000-0000000";
  const log = new AttemptLog(folder, id, () => new Date(at), () => {});
  log.tell({ kind: "failed", stage: "build", ms: 5 });
  log.end("failed", 6, "Cannot build");
  await appendHistory(folder, {
    version: 1,
    id,
    command: "sync",
    at: new Date(at).toISOString(),
    ms: 5,
    result: "failed",
    exit: 6,
    stages: [],
  });
  const holder = { pid: 1, command: "sync", since };
  await Deno.writeTextFile(`${folder}/lock`, JSON.stringify(holder));
}

/** What a watcher tells of it that looks for the first time. */
async function watched(at: number, expected: unknown): Promise<void> {
  await inFolder(async (folder) => {
    await overAt(folder, at);
    const events: Event[] = [];
    const teller = { tell: (event: Event) => events.push(event), close() {} };
    using watcher = new RunWatcher(folder, teller);
    assertEquals(await watcher.look(), true);
    const failed = events.filter(({ kind }) => kind === "failed").length;
    assertEquals({ failed, exit: watcher.seen.end?.exit }, expected);
  });
}

Deno.test("an attempt that is over before anybody looks is told all the same", async () => {
  await watched(since, { failed: 1, exit: 6 });
});

Deno.test("an attempt of an earlier run is not told as that of this one", async () => {
  await watched(since - 9, { failed: 0, exit: undefined });
});
