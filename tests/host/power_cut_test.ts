import { assert, assertEquals } from "@std/assert";
import { appendDurably, writeWhole } from "../../lib/host/files.ts";
import { appendHistory, readHistory } from "../../lib/state/history.ts";
import { readState, writeState } from "../../lib/state/state_file.ts";
import type { HistoryEntry, State } from "../../lib/state/state.ts";
import { Disk } from "./disk.ts";

const refusal = await Disk.refusal();
if (refusal) console.log(`power cuts are not tested here: ${refusal}`);

function test(name: string, body: (disk: Disk) => Promise<void>) {
  Deno.test({
    name,
    ignore: refusal !== null,
    fn: async () => {
      await using disk = await Disk.make();
      await body(disk);
    },
  });
}

test("the disk forgets what was not synced", async (disk) => {
  const path = `${disk.folder}/file`;
  await writeWhole(path, "old");
  await Deno.writeTextFile(`${path}.new`, "new");
  await Deno.rename(`${path}.new`, path);
  await Deno.writeTextFile(`${disk.folder}/other`, "lost");
  await disk.powerCut();
  assertEquals(await Deno.readTextFile(path), "old");
  assert(
    !await Deno.stat(`${disk.folder}/other`).then(() => true, () => false),
  );
});

test("what was written whole is there after a power cut", async (disk) => {
  const path = `${disk.folder}/file`;
  for (const text of ["one", "two", "three"]) {
    await writeWhole(path, text);
    await disk.powerCut();
    assertEquals(await Deno.readTextFile(path), text);
  }
});

test("what was appended is there after a power cut", async (disk) => {
  const path = `${disk.folder}/lines`;
  await appendDurably(path, "one\n");
  await disk.powerCut();
  assertEquals(await Deno.readTextFile(path), "one\n");
  await appendDurably(path, "two\n");
  await disk.powerCut();
  assertEquals(await Deno.readTextFile(path), "one\ntwo\n");
});

const state: State = { version: 1, earlier: [], holds: [] };

const entry: HistoryEntry = {
  version: 1,
  id: "20260101-000000-abcd",
  command: "sync",
  at: "2026-01-01T00:00:00Z",
  ms: 1000,
  result: "deployed",
  exit: 0,
  stages: [],
};

test("state and history are there after a power cut", async (disk) => {
  for (const failures of [1, 2]) {
    const backoff = { revision: "a", failures, notBefore: entry.at };
    await writeState(disk.folder, { ...state, backoff });
    await disk.powerCut();
    assertEquals((await readState(disk.folder)).backoff, backoff);
    await appendHistory(disk.folder, {
      ...entry,
      id: `${entry.id}${failures}`,
    });
    await disk.powerCut();
    assertEquals(readHistory(disk.folder).length, failures);
  }
});
