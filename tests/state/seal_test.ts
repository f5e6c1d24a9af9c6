import { assert, assertEquals, assertRejects } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { readState, writeState } from "../../lib/state/state_file.ts";
import type { State } from "../../lib/state/state.ts";
import { inFolder } from "../folder.ts";

const target = {
  repository: "file:///srv/infra",
  ref: "main",
  directory: "",
  host: "web",
  operation: "switch" as const,
};

const commit = {
  revision: "a".repeat(40),
  subject: "web: serve",
  author: "Ada",
  committedAt: "2026-01-01T00:00:00Z",
};

const quiet: State = {
  version: 1,
  earlier: [],
  holds: [],
  lastGood: {
    ...commit,
    target,
    system: "/nix/store/x-system",
    at: "2026-01-01T00:01:00Z",
  },
};

const busy: State = {
  ...quiet,
  attempt: {
    id: "20260101-000200-abcd",
    command: "sync",
    commit,
    target,
    startedAt: "2026-01-01T00:02:00Z",
    stage: "health",
    bootId: "b",
  },
};

/** Changes bytes of a file and keeps its time, as a broken disk does. */
async function damage(path: string, bytes: Uint8Array): Promise<void> {
  const { mtime } = await Deno.stat(path);
  await Deno.writeFile(path, bytes);
  await Deno.utime(path, mtime!, mtime!);
}

async function reasonOf(folder: string): Promise<string> {
  const error = await assertRejects(() => readState(folder), SyncError);
  return (error as SyncError).reason;
}

Deno.test("no flip of a bit is read as another state", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/state.json`;
    await writeState(folder, busy);
    const whole = await Deno.readFile(path);
    let refused = 0;
    for (let at = 0; at < whole.length; at++) {
      const bytes = whole.slice();
      bytes[at]! ^= 1 << (at % 8);
      await damage(path, bytes);
      try {
        // What is still read must be what was written, beside a part that
        // nobody knows: a broken name of the checksum.
        const state = await readState(folder);
        for (const name of ["version", "lastGood", "attempt"] as const) {
          assertEquals(state[name], busy[name], `byte ${at}`);
        }
        assertEquals([state.holds, state.earlier], [[], []]);
        assertEquals(state.backoff ?? state.cutOff, undefined);
      } catch (error) {
        assert(error instanceof SyncError, `byte ${at}: ${error}`);
        assert(error.hints.length > 0);
        refused++;
      }
    }
    assert(refused > whole.length * 0.7, `${refused} of ${whole.length}`);
  });
});

Deno.test("what an older program or a person wrote is no damage", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/state.json`;
    await writeState(folder, quiet);
    // It passes on what it does not know, the checksum too.
    const old = JSON.parse(await Deno.readTextFile(path));
    old.holds = [];
    old.backoff = { revision: "b", failures: 2, notBefore: commit.committedAt };
    await Deno.writeTextFile(path, JSON.stringify(old));
    assertEquals(await readState(folder), { ...quiet, backoff: old.backoff });
  });
});

Deno.test("a state without a checksum is read", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/state.json`, JSON.stringify(quiet));
    assertEquals(await readState(folder), quiet);
  });
});

Deno.test("the state before the attempt is kept and offered", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/state.json`;
    await writeState(folder, quiet);
    await writeState(folder, busy);
    await writeState(folder, {
      ...busy,
      attempt: { ...busy.attempt!, stage: "confirm" },
    });
    const bytes = await Deno.readFile(path);
    await damage(path, bytes.map((byte, i) => i === 100 ? byte ^ 1 : byte));
    const error = await assertRejects(() => readState(folder), SyncError);
    const { reason, hints } = error as SyncError;
    assert(["state-damaged", "state-unreadable"].includes(reason), reason);
    assert(hints[0]!.includes(`mv ${path}.previous ${path}`), hints[0]);

    await Deno.rename(`${path}.previous`, path);
    assertEquals(await readState(folder), quiet);
  });
});

Deno.test("a damaged copy is not offered", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/state.json`;
    await writeState(folder, quiet);
    await writeState(folder, busy);
    await Deno.writeTextFile(`${path}.previous`, "{");
    await Deno.writeTextFile(path, "");
    assertEquals(await reasonOf(folder), "state-unreadable");
    const error = await assertRejects(() => readState(folder), SyncError);
    assert(!(error as SyncError).hints.join().includes(".previous"));
  });
});
