import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import {
  isLocked,
  lastHolder,
  lockForPlan,
  lockNow,
  takeLock,
} from "../../lib/host/lock.ts";
import { inFolder, modeOf } from "../folder.ts";

const now = Date.parse("2024-01-01T12:00:00Z");

/** A program that takes the lock, says so, and then never ends. */
const holder = `
import { takeLock } from "${new URL(
  "../../lib/host/lock.ts",
  import.meta.url,
)}";
const lock = await takeLock(Deno.args[0], "rollback", 0);
const child = new Deno.Command("sleep", { args: ["600"] }).spawn();
console.log(child.pid);
await new Promise((resolve) => setTimeout(resolve, 600_000));
lock[Symbol.dispose]();
`;

/** Starts the holder; `child` is a process that it has started itself. */
async function startHolder(folder: string) {
  const script = `${folder}/holder.ts`;
  await Deno.writeTextFile(script, holder);
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-all",
      "--no-check",
      `--config=${new URL("../../deno.json", import.meta.url).pathname}`,
      script,
      folder,
    ],
    stdout: "piped",
  }).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream())
    .getReader();
  const child = Number((await reader.read()).value);
  await reader.cancel();
  return { process, child };
}

/** Takes the lock, which must fail. */
async function refused(folder: string): Promise<SyncError> {
  return await assertRejects(
    () => takeLock(folder, "sync", now),
    SyncError,
  ) as SyncError;
}

Deno.test("the lock says who holds it, and is free afterwards", async () => {
  await inFolder(async (folder) => {
    assertEquals(await isLocked(folder), false);
    {
      using _lock = await takeLock(folder, "sync", now);
      assertEquals(lastHolder(folder), {
        pid: Deno.pid,
        command: "sync",
        since: now,
      });
      assertEquals(await isLocked(folder), true);
      assertEquals(modeOf(`${folder}/lock`), 0o600);
    }
    assertEquals(await isLocked(folder), false);
    // Who held it last can still be told.
    assertEquals(lastHolder(folder)?.pid, Deno.pid);
    using _again = await takeLock(folder, "sync", now);
  });
});

Deno.test("the folder of the lock is made, closed to others", async () => {
  await inFolder(async (folder) => {
    using _lock = await takeLock(`${folder}/a/b`, "sync", now);
    assertEquals(modeOf(`${folder}/a/b`), 0o700);
  });
});

Deno.test("a second taker is told who holds it, and the lock of a killed one is free", async () => {
  await inFolder(async (folder) => {
    const { process, child } = await startHolder(folder);
    try {
      const error = await refused(folder);
      assertEquals(
        error.message,
        `Cannot start: rollback (process ${process.pid}, since 1970-01-01T00:00:00.000Z) is in progress`,
      );
      assertEquals(
        [error.reason, error.exit, error.next],
        ["locked", 10, "stop"],
      );
      assertEquals(error.hints, [
        `Wait until it ends, or look at it with \`ps -fp ${process.pid}\`.`,
      ]);
      assertEquals(await isLocked(folder), true);
      assertEquals(lastHolder(folder)?.pid, process.pid);
    } finally {
      process.kill("SIGKILL");
      await process.status;
    }
    try {
      // Although a process that the dead one has started still runs.
      Deno.statSync(`/proc/${child}`);
      assertEquals(await isLocked(folder), false);
      using _lock = await takeLock(folder, "sync", now);
      assertEquals(lastHolder(folder)?.pid, Deno.pid);
    } finally {
      Deno.kill(child, "SIGKILL");
    }
  });
});

Deno.test("a lock file that says nothing of use is still a lock", async () => {
  const odd = [
    ...["", "{", "null", "5", "{}", "\0\0", '"x"'],
    '{"pid":1,"command":"sync"}',
    '{"pid":1,"command":"sync","since":"now"}',
    '{"pid":1,"command":"sync","since":1e99}',
    '{"pid":1,"command":["sync"],"since":5}',
  ];
  for (const text of odd) {
    await inFolder(async (folder) => {
      const lock = await takeLock(folder, "sync", now);
      await Deno.writeTextFile(`${folder}/lock`, text);
      const error = await refused(folder);
      lock[Symbol.dispose]();
      assertEquals(
        error.message,
        "Cannot start: another run is in progress",
        text,
      );
      assertEquals(lastHolder(folder), undefined, text);
    });
  }
});

Deno.test("a look whether there is a run keeps none from starting", async () => {
  await inFolder(async (folder) => {
    (await takeLock(folder, "sync", now))[Symbol.dispose]();
    // As isLocked() does, which status calls at any time.
    const look = await Deno.open(`${folder}/lock`);
    assertEquals(await lockNow(look, false), true);
    setTimeout(() => look.close(), 20);
    using _lock = await takeLock(folder, "sync", now);
  });
});

Deno.test("a shorter holder leaves nothing of a longer one", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/lock`, "x".repeat(1000));
    using _lock = await takeLock(folder, "sync", now);
    assertEquals(lastHolder(folder)?.command, "sync");
  });
});

Deno.test("a folder that can't be used is told with a hint", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    await Deno.mkdir(`${folder}/taken/lock`, { recursive: true });
    for (const path of [`${folder}/file`, `${folder}/taken`]) {
      const error = await refused(path);
      assertEquals([error.reason, error.exit], ["state-folder", 2]);
      assertMatch(error.message, /^Cannot use the state folder /);
      // Root can't help it.
      assertEquals(error.hints, [
        "Another file or folder is in that place. Move it away, or name another path.",
        "Name another state folder with `--state-directory`.",
      ]);
    }
  });
});

Deno.test("a run waits for a plan, which leaves its name to nobody", async () => {
  await inFolder(async (folder) => {
    (await takeLock(folder, "rollback", now))[Symbol.dispose]();
    await Deno.mkdir(`${folder}/plan`);
    const plan = await lockForPlan(folder);
    assertEquals(lastHolder(folder)?.command, "rollback");
    let isRunning = false;
    const run = takeLock(folder, "sync", now).then((lock) => {
      isRunning = true;
      return lock;
    });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assertEquals(isRunning, false);
    plan![Symbol.dispose]();
    using _lock = await run;
    assertEquals(lastHolder(folder)?.command, "sync");
    // A plan never waits, and leaves no mark behind.
    assertEquals(await lockForPlan(folder), undefined);
    assertEquals([...Deno.readDirSync(`${folder}/plan`)], []);
  });
});

Deno.test("nobody waits for the mark of a plan that was killed", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/plan`);
    await Deno.writeTextFile(`${folder}/plan/asks`, "");
    using _lock = await takeLock(folder, "sync", now);
  });
});
