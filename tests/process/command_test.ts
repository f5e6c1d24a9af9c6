import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertRejects,
} from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { run } from "../../lib/process/run_command.ts";
import { inFolder } from "../folder.ts";
import { patience, shell, text } from "./shell.ts";

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

Deno.test("a program that may not be executed is told with a hint", async () => {
  await inFolder(async (folder) => {
    const program = `${folder}/program`;
    await Deno.writeTextFile(program, "#!/bin/sh\n", { mode: 0o644 });
    const error = await assertRejects(
      () => run({ program, args: [], timeout: patience }),
      SyncError,
      `Cannot run ${program}: this user may not execute it`,
    ) as SyncError;
    assertEquals([error.reason, error.exit], ["program-forbidden", 2]);
    assertMatch(error.hints.join(), /ls -l/);
  });
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
