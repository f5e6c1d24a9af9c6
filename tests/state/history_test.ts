import { assert, assertEquals } from "@std/assert";
import { appendHistory, readHistory } from "../../lib/state/history.ts";
import { inFolder, modeOf, namesIn } from "../folder.ts";
import type { HistoryEntry } from "../../lib/state/state.ts";

const entry = (id: string, more: Partial<HistoryEntry> = {}): HistoryEntry => ({
  version: 1,
  id,
  command: "sync",
  at: "2024-01-01T00:00:00Z",
  ms: 1000,
  result: "deployed",
  exit: 0,
  stages: [{ stage: "fetch", ms: 10 }],
  ...more,
});

const idsIn = (folder: string) => readHistory(folder).map(({ id }) => id);

Deno.test("attempts come back oldest first, as they were written", async () => {
  await inFolder(async (folder) => {
    assertEquals(readHistory(folder), []);
    assertEquals(namesIn(folder), []);
    const entries = [
      entry("1"),
      entry("2", { result: "failed", exit: 6, message: 'a "quote"\nü' }),
      entry("3"),
    ];
    for (const one of entries) await appendHistory(folder, one);
    assertEquals(readHistory(folder), entries);
    assertEquals(modeOf(`${folder}/history.jsonl`), 0o600);
  });
});

Deno.test("a torn last line is ignored, and the next one does not grow onto it", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/history.jsonl`;
    const line = `${JSON.stringify(entry("2"))}\n`;
    for (let length = 1; length < line.length; length += 5) {
      await Deno.writeTextFile(path, "");
      await appendHistory(folder, entry("1"));
      await Deno.writeTextFile(path, line.slice(0, length), { append: true });
      // Without its line end alone, a line is whole.
      assertEquals(
        idsIn(folder),
        length < line.length - 1 ? ["1"] : ["1", "2"],
      );
      await appendHistory(folder, entry("3"));
      assertEquals(idsIn(folder).at(-1), "3");
      assertEquals(idsIn(folder)[0], "1");
    }
  });
});

Deno.test("lines that are not ours are passed over", async () => {
  await inFolder(async (folder) => {
    const strange = [
      "",
      "null",
      "5",
      "[]",
      "{}",
      "text",
      '{"id":5,"stages":[]}',
      '{"id":"x"}',
      '{"id":"x","stages":{}}',
      "\0\0\0\0",
      ...[
        { at: undefined },
        { at: 5 },
        { at: "yesterday" },
        { ms: undefined },
        { ms: "5" },
        { ms: null },
        { ms: 1e300 },
        { result: undefined },
        { result: 5 },
        { exit: "6" },
        { revision: 5 },
        { subject: {} },
        { author: 5 },
        { stage: 5 },
        { reason: [] },
        { message: 5 },
        { signers: "x" },
        { signers: [null] },
        { signers: [{ name: 5 }] },
        { stages: [1] },
        { stages: [{ stage: "fetch" }] },
      ].map((more) => JSON.stringify({ ...entry("x"), ...more })),
    ];
    await Deno.writeTextFile(
      `${folder}/history.jsonl`,
      strange.map((line) => `${line}\n`).join(""),
    );
    assertEquals(readHistory(folder), []);
    await appendHistory(folder, entry("1"));
    assertEquals(idsIn(folder), ["1"]);
  });
});

Deno.test("of two lines of one attempt the later counts", async () => {
  await inFolder(async (folder) => {
    await appendHistory(folder, entry("1", { result: "interrupted", exit: 3 }));
    await appendHistory(folder, entry("2"));
    await appendHistory(folder, entry("1", { result: "failed", exit: 7 }));
    assertEquals(
      readHistory(folder).map(({ id, exit }) => [id, exit]),
      [["1", 7], ["2", 0]],
    );
  });
});

Deno.test("the oldest half goes when the file has grown too long", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/history.jsonl`;
    const most = 1024 * 1024;
    const message = "x".repeat(10_000);
    let shrunk = 0, before = 0;
    for (let i = 0; i < 250; i++) {
      await appendHistory(folder, entry(String(i), { message }));
      const { size } = await Deno.stat(path);
      assert(size <= most, String(size));
      if (size < before) shrunk++;
      before = size;
    }
    assert(shrunk >= 1, "it never shrank");
    const ids = idsIn(folder);
    assertEquals(ids.at(-1), "249");
    assert(ids.length > 40, String(ids.length));
    // None is missing between the oldest that is kept and the newest.
    assertEquals(ids.map(Number), ids.map((_, i) => 250 - ids.length + i));
    assertEquals(modeOf(path), 0o600);
    assertEquals(namesIn(folder), ["history.jsonl"]);
  });
});

Deno.test("one huge broken line does not stay for ever", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/history.jsonl`;
    await appendHistory(folder, entry("1"));
    await Deno.writeTextFile(path, "\0".repeat(2_000_000), { append: true });
    await appendHistory(folder, entry("2"));
    await appendHistory(folder, entry("3"));
    assert((await Deno.stat(path)).size < 1024 * 1024);
    assertEquals(idsIn(folder).slice(-2), ["2", "3"]);
  });
});
