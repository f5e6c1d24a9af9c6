import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertRejects,
} from "@std/assert";
import type { Command, Finished } from "../../lib/base/effects.ts";
import { SyncError } from "../../lib/base/errors.ts";
import { run } from "../../lib/tools/command.ts";

const patience = 30_000;

/** Runs a fixed script of the shell; `$1…` are the arguments. */
function shell(
  script: string,
  options: Partial<Command> = {},
  interrupt?: AbortSignal,
): Promise<Finished> {
  const { args = [], ...rest } = options;
  return run({
    program: "/bin/sh",
    args: ["-c", script, "sh", ...args],
    timeout: patience,
    ...rest,
  }, interrupt);
}

const text = (finished: Finished) => new TextDecoder().decode(finished.stdout);

/** Whether a process is there and no zombie (proc_pid_stat(5)). */
function isAlive(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2)[0] !== "Z";
  } catch {
    return false;
  }
}

/** Waits until none of the processes is alive, as a kill takes its time. */
async function areGone(pids: readonly number[]): Promise<boolean> {
  for (let i = 0; i < 500 && pids.some(isAlive); i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return !pids.some(isAlive);
}

/** A folder that is there as long as the test runs. */
async function inFolder(work: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a program's exit code and both outputs come back", async () => {
  for (const code of [0, 1, 2, 127, 255]) {
    const finished = await shell("echo out; echo err >&2; exit $1", {
      args: [String(code)],
    });
    assertEquals(finished.code, code);
    assertEquals(text(finished), "out\n");
    assertEquals(finished.stderr, "err\n");
    assertEquals(finished.timedOut, false);
  }
});

Deno.test("a signal that ended a program is 128 and its number", async () => {
  for (const [name, code] of [["TERM", 143], ["KILL", 137], ["HUP", 129]]) {
    const finished = await shell("kill -s $1 $$", { args: [String(name)] });
    assertEquals(finished.code, code);
    assertEquals(finished.timedOut, false);
  }
});

Deno.test("arguments arrive as they are, and no shell reads them", async () => {
  const args = ["a b", "$(id)", "`id`", "*", "", "-x", "a'b\"c", "ü\n"];
  const finished = await shell('printf "%s\\0" "$@"', { args });
  assertEquals(text(finished).split("\0").slice(0, -1), args);
});

Deno.test("standard input is delivered whole, and empty without any", async () => {
  const input = crypto.getRandomValues(new Uint8Array(60_000));
  const much = new Uint8Array(600_000).map((_, i) => input[i % 60_000]!);
  const finished = await shell("cat", { input: much });
  assertEquals(finished.stdout, much);
  assertEquals(text(await shell("cat")), "");
  assertEquals(text(await shell("cat", { input: new Uint8Array() })), "");
});

Deno.test("a program that does not read its input is no error", async () => {
  const input = new Uint8Array(4_000_000);
  const finished = await shell("exec 0<&-; exit 3", { input });
  assertEquals(finished.code, 3);
});

Deno.test("output that nobody wants is thrown away", async () => {
  const finished = await shell("echo secret", { capture: false });
  assertEquals(finished.stdout.length, 0);
  assertEquals(finished.code, 0);
});

Deno.test("only the end of standard error is kept", async () => {
  const finished = await shell(
    "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done >&2",
  );
  assert(finished.stderr.length <= 16 * 1024);
  assert(finished.stderr.endsWith("line 19999\n"));
});

Deno.test("each line of standard error is told as it comes", async () => {
  const lines: string[] = [];
  await shell(
    "printf 'one\\ntwo\\n\\n' >&2; printf 'la' >&2; sleep 0.1; " +
      "printf 'st' >&2",
    { onLine: (line) => lines.push(line) },
  );
  assertEquals(lines, ["one", "two", "", "last"]);
});

Deno.test("a long line arrives whole, from its beginning", async () => {
  const lines: string[] = [];
  await shell(
    "printf '@nix ' >&2; head -c 300000 /dev/zero | tr '\\0' x >&2; echo >&2",
    { onLine: (line) => lines.push(line) },
  );
  assertEquals(lines.map((line) => line.length), [300_005]);
  assert(lines[0]!.startsWith("@nix xxx"));
});

Deno.test("a line without an end is cut, and the next one is told", async () => {
  const lines: string[] = [];
  await shell(
    "head -c 30000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo next >&2",
    { onLine: (line) => lines.push(line) },
  );
  assertEquals(lines.length, 2);
  assert(lines[0]!.length <= 5 * 1024 * 1024, String(lines[0]!.length));
  assertEquals(lines[1], "next");
});

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

Deno.test("a program that is not there is told with a hint", async () => {
  const error = await assertRejects(
    () => run({ program: "no-such-program", args: [], timeout: patience }),
    SyncError,
  ) as SyncError;
  assertEquals(
    error.message,
    "Cannot run no-such-program: it is not on PATH",
  );
  assertEquals([error.reason, error.exit], ["program-missing", 2]);
  assertEquals(error.hints.length, 1);
});

Deno.test("a folder that is not there is not taken for a missing program", async () => {
  const error = await assertRejects(
    () => shell("true", { cwd: "/no/such/folder" }),
  );
  assert(!(error instanceof SyncError && error.reason === "program-missing"));
  assertMatch(error.message, /\/no\/such\/folder/);
});

Deno.test("a program starts in the folder it was given", async () => {
  await inFolder(async (folder) => {
    const finished = await shell("pwd -P", { cwd: folder });
    assertEquals(text(finished).trim(), await Deno.realPath(folder));
  });
});

Deno.test("a child gets a fixed list of variables, and what it was given", async () => {
  Deno.env.set("GITOPS_SYNC_TEST_SECRET", "hunter2");
  Deno.env.set("GITHUB_TOKEN", "hunter2");
  Deno.env.set("GIT_CONFIG_PARAMETERS", "'core.sshCommand=id'");
  Deno.env.set("LD_PRELOAD", "");
  try {
    const finished = await shell("env", { env: { GIVEN: "yes", LANG: "C" } });
    const env = new Map(
      text(finished).trim().split("\n").map((line) =>
        [
          line.slice(0, line.indexOf("=")),
          line.slice(line.indexOf("=") + 1),
        ] as const
      ),
    );
    assertEquals(env.get("PATH"), Deno.env.get("PATH"));
    assertEquals(env.get("GIVEN"), "yes");
    assertEquals(env.get("LANG"), "C");
    assertNotMatch(text(finished), /hunter2/);
    for (const name of ["GIT_CONFIG_PARAMETERS", "LD_PRELOAD"]) {
      assert(!env.has(name), name);
    }
  } finally {
    Deno.env.delete("GITOPS_SYNC_TEST_SECRET");
    Deno.env.delete("GITHUB_TOKEN");
    Deno.env.delete("GIT_CONFIG_PARAMETERS");
    Deno.env.delete("LD_PRELOAD");
  }
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
    assertEquals([error.reason, error.exit], ["interrupted", 3]);
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
