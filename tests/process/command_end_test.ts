import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Command } from "../../lib/base/effects.ts";
import { SyncError } from "../../lib/base/errors.ts";
import { inFolder } from "../folder.ts";
import { areGone, isAlive, shell, text } from "./shell.ts";

Deno.test("a timeout ends the program and all that it started", async () => {
  await inFolder(async (folder) => {
    const finished = await shell(
      "sleep 600 & echo $! >$1/child; (sleep 600 & echo $! >$1/grandchild; " +
        "wait) & echo $! >$1/middle; trap '' TERM; echo begun >&2; wait",
      { args: [folder], timeout: 1000 },
    );
    assertEquals(finished.timedOut, true);
    assertEquals(finished.code, 137);
    assertEquals(finished.stderr, "begun\n");
    const pids = ["child", "middle", "grandchild"].map((name) =>
      Number(Deno.readTextFileSync(`${folder}/${name}`))
    );
    assert(await areGone(pids), pids.join());
  });
});

Deno.test("a process that left the group does not hold up a timeout", async () => {
  await inFolder(async (folder) => {
    const finished = await shell(
      "setsid sh -c 'echo $$ >$0/left; exec sleep 600' $1 & wait",
      { args: [folder], timeout: 1000 },
    );
    const left = Number(Deno.readTextFileSync(`${folder}/left`));
    const outlived = isAlive(left);
    Deno.kill(left, "SIGKILL");
    assertEquals(finished.timedOut, true);
    assert(outlived, "the process ended before the run did");
  });
});

Deno.test("a process that keeps the output open does not hold up the end", async () => {
  await inFolder(async (folder) => {
    const finished = await shell(
      "setsid sh -c 'echo $$ >$0/left; exec sleep 600' $1 & " +
        "while [ ! -s $1/left ]; do sleep 0.01; done; echo done; exit 4",
      { args: [folder] },
    );
    const left = Number(Deno.readTextFileSync(`${folder}/left`));
    const outlived = isAlive(left);
    Deno.kill(left, "SIGKILL");
    assertEquals([finished.code, finished.timedOut], [4, false]);
    assertEquals(text(finished), "done\n");
    assert(outlived, "the process ended before the run did");
  });
});

Deno.test("a program that can't be killed does not hold up a timeout", async () => {
  await inFolder(async (folder) => {
    // As one that waits for a network file system: no signal reaches it.
    const kill = `${folder}/kill`;
    await Deno.writeTextFile(kill, "#!/bin/sh\nexit 0\n", { mode: 0o755 });
    const before = Deno.env.get("PATH")!;
    Deno.env.set("PATH", `${folder}:${before}`);
    let pid = 0;
    try {
      const finished = await shell("exec sleep 600", {
        timeout: 100,
        onStart: (started) => {
          pid = started;
        },
      });
      assertEquals([finished.code, finished.timedOut], [137, true]);
      assert(isAlive(pid), "it was killed");
    } finally {
      Deno.env.set("PATH", before);
      Deno.kill(pid, "SIGKILL");
    }
    assert(await areGone([pid]));
  });
});

Deno.test("an interrupt ends the program and all that it started", async () => {
  await inFolder(async (folder) => {
    const person = new AbortController();
    const error = await assertRejects(
      () =>
        shell("sleep 600 & echo $! >$1/child; echo begun >&2; wait", {
          args: [folder],
          onLine: () => person.abort(),
        }, person.signal),
      SyncError,
    ) as SyncError;
    assertEquals([error.reason, error.exit], ["interrupted", 130]);
    const child = Number(Deno.readTextFileSync(`${folder}/child`));
    assert(await areGone([child]));
  });
});

Deno.test("after an interrupt no program is started", async () => {
  await inFolder(async (folder) => {
    const error = await assertRejects(
      () => shell("touch $1/ran", { args: [folder] }, AbortSignal.abort()),
      SyncError,
    ) as SyncError;
    assertEquals(error.reason, "interrupted");
    assertEquals([...Deno.readDirSync(folder)], []);
  });
});

Deno.test("an interrupt after the end of a program is not its own", async () => {
  const person = new AbortController();
  const finished = await shell("exit 0", {}, person.signal);
  person.abort();
  assertEquals(finished.code, 0);
});

Deno.test("a shielded program takes no notice of an interrupt", async () => {
  const person = new AbortController();
  const shielded = await shell("echo begun >&2; sleep 0.2; echo end", {
    shielded: true,
    onLine: () => person.abort(),
  }, person.signal);
  assertEquals([shielded.code, text(shielded)], [0, "end\n"]);
  const later = await shell("echo too", { shielded: true }, person.signal);
  assertEquals(text(later), "too\n");
});

Deno.test("the process id is told, and the end waits for the telling", async () => {
  let told = 0, done = false;
  const finished = await shell("echo $$", {
    onStart: async (pid) => {
      told = pid;
      await new Promise((resolve) => setTimeout(resolve, 50));
      done = true;
    },
  });
  assertEquals(Number(text(finished)), told);
  assert(done);
});

Deno.test("a program does not go on after the run gave up on it", async () => {
  let pid = 0;
  const failures: Partial<Command>[] = [
    {
      onStart: (started) => {
        pid = started;
        return Promise.reject(new Error("the disk is full"));
      },
    },
    {
      onStart: (started) => {
        pid = started;
      },
      onLine: () => {
        throw new Error("the disk is full");
      },
    },
  ];
  for (const failure of failures) {
    await assertRejects(
      () => shell("echo begun >&2; exec sleep 600", failure),
      Error,
      "the disk is full",
    );
    assert(await areGone([pid]), String(pid));
  }
});

Deno.test("output without an end is refused and its program ended", async () => {
  let pid = 0;
  const error = await assertRejects(
    () =>
      shell("exec cat /dev/zero", {
        onStart: (started) => {
          pid = started;
        },
      }),
    SyncError,
  ) as SyncError;
  assertEquals(error.reason, "output-too-large");
  assert(await areGone([pid]));
});
