import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  appendDurably,
  ensurePrivateDir,
  readAtMost,
  readIfThere,
  writeWhole,
} from "../../lib/host/files.ts";
import { inFolder, modeOf, namesIn } from "../folder.ts";

Deno.test("a file is replaced whole, and only its owner reads it", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/state.json`;
    await Deno.writeTextFile(path, "an old and longer text", { mode: 0o644 });
    for (const text of ["new", "", "ü\n".repeat(500_000)]) {
      await writeWhole(path, text);
      assertEquals(await Deno.readTextFile(path), text);
      assertEquals(modeOf(path), 0o600);
      assertEquals(namesIn(folder), ["state.json"]);
    }
  });
});

Deno.test("what a crash left half written is no hindrance", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/state.json`;
    await Deno.writeTextFile(`${path}.new`, "half of a longer te");
    await writeWhole(path, "whole");
    assertEquals(await Deno.readTextFile(path), "whole");
    assertEquals(namesIn(folder), ["state.json"]);
  });
});

Deno.test("a reader sees the old or the new text, and never a part", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/state.json`;
    const texts = ["a".repeat(300_000), "b".repeat(200_000)];
    await writeWhole(path, texts[0]!);
    let writing = true;
    const reader = (async () => {
      let reads = 0;
      while (writing) {
        const text = await Deno.readTextFile(path);
        assertEquals(texts.includes(text), true, `${text.length} characters`);
        reads++;
      }
      return reads;
    })();
    for (let i = 1; i < 40; i++) await writeWhole(path, texts[i % 2]!);
    writing = false;
    assertEquals(await reader > 0, true);
  });
});

Deno.test("a text that can't be written leaves the old one", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/state.json`;
    await Deno.writeTextFile(path, "old");
    await Deno.mkdir(`${path}.new/full`, { recursive: true });
    await assertRejects(() => writeWhole(path, "new"));
    assertEquals(await Deno.readTextFile(path), "old");
  });
});

Deno.test("text is added at the end of a file, which only its owner reads", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/history.jsonl`;
    await appendDurably(path, "one\n");
    await appendDurably(path, "zwö\n");
    assertEquals(await Deno.readTextFile(path), "one\nzwö\n");
    assertEquals(modeOf(path), 0o600);
  });
});

Deno.test("a file that is missing is nothing, and one that is broken is told", async () => {
  await inFolder(async (folder) => {
    assertEquals(readIfThere(`${folder}/none`), undefined);
    assertEquals(readIfThere(`${folder}/none/of/these`), undefined);
    await Deno.writeTextFile(`${folder}/empty`, "");
    assertEquals(readIfThere(`${folder}/empty`), "");
    assertThrows(() => readIfThere(folder));
  });
});

Deno.test("a private folder is closed to others, also if it was open", async () => {
  await inFolder(async (folder) => {
    await ensurePrivateDir(`${folder}/a/b`);
    assertEquals(modeOf(`${folder}/a/b`), 0o700);
    await Deno.chmod(`${folder}/a/b`, 0o755);
    await ensurePrivateDir(`${folder}/a/b`);
    assertEquals(modeOf(`${folder}/a/b`), 0o700);
  });
});

Deno.test("a file that somebody else names is read up to its end, if it has one", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a`, "12345");
    assertEquals((await readAtMost(`${folder}/a`, 5)).length, 5);
    for (const path of [`${folder}/a`, folder, "/dev/zero"]) {
      await assertRejects(() => readAtMost(path, 4), RangeError);
    }
    await assertRejects(
      () => readAtMost(`${folder}/none`, 4),
      Deno.errors.NotFound,
    );
  });
});
