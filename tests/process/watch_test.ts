import { assert, assertEquals } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { ask, type Late } from "../../lib/process/command.ts";
import { endFamily } from "../../lib/process/family.ts";
import { run } from "../../lib/process/run_command.ts";
import { memoryOf, sizeOf, watch } from "../../lib/process/watch.ts";
import { inFolder } from "../folder.ts";

/** Why a call was refused. */
async function reasonOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(() => null, (error: unknown) => error);
  assert(error instanceof SyncError, String(error));
  return error.reason;
}

const MiB = 2 ** 20;

const late: Late = {
  watch: (...args) => Promise.resolve(watch(...args)),
  end: (pid) => Promise.resolve(endFamily(pid, ["-KILL"])),
};

/** A program whose grandchild keeps all that it is fed in its memory. */
const hog = {
  program: "sh",
  // One line without an end, which tail has to keep.
  args: ["-c", "(head -c 3000M /dev/zero | tail -n 1 >/dev/null; true); true"],
  timeout: 60_000,
};

Deno.test("a program whose children take too much memory is ended", async () => {
  assertEquals(
    await reasonOf(run({ ...hog, limits: { memory: 64 * MiB } })),
    "limit",
  );
});

Deno.test("what Nix builds is not counted as its evaluation", async () => {
  // Its builders begin a session of their own (setsid(2)).
  const feed =
    "(head -c 300M /dev/zero; sleep 1) | tail -n 1 >/dev/null; echo done";
  const limits = { memory: 64 * MiB, session: true };
  const alone = ["-c", `setsid --wait sh -c '${feed}'`];
  const ended = await run({ ...hog, args: alone, limits });
  assertEquals(new TextDecoder().decode(ended.stdout), "done\n");
  const own = run({ ...hog, args: ["-c", feed], limits });
  assertEquals(await reasonOf(own), "limit");
});

Deno.test("a question that takes too much memory has no answer", async () => {
  // It would answer: it is fed for two seconds, and writes on.
  const fed = (megabytes: number) => ({
    ...hog,
    args: [
      "-c",
      `(for i in 1 2 3 4 5 6 7 8; do head -c ${megabytes}M /dev/zero; sleep 0.25; done | tail -n 1 >/dev/null); echo done`,
    ],
  });
  assertEquals(await ask(fed(1), 100, late, 64 * MiB), "done\n");
  assertEquals(await ask(fed(32), 100, late, 64 * MiB), undefined);
});

Deno.test("a program that is asked too long, or says too much, ends with all it started", async () => {
  await inFolder(async (folder) => {
    const asked = (script: string, timeout: number) =>
      ask(
        { program: "sh", args: ["-c", script, "sh", folder], timeout },
        100,
        late,
      );
    const isGone = async (pid: string) => {
      for (let i = 0; i < 100; i++) {
        const stat = await Deno.readTextFile(`/proc/${pid}/stat`)
          .catch(() => "gone) Z");
        // A zombie is only not fetched yet by who comes after its parent.
        if (/\) Z/.test(stat)) return true;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return false;
    };
    const scripts: [script: string, timeout: number][] = [
      ['sleep 600 & echo $! >"$1/pid"; wait', 300],
      ['sleep 600 & echo $! >"$1/pid"; yes', 60_000],
    ];
    for (const [script, timeout] of scripts) {
      assertEquals(await asked(script, timeout), undefined);
      const pid = Deno.readTextFileSync(`${folder}/pid`).trim();
      assert(await isGone(pid), script);
    }
  });
});

Deno.test("a program that writes too much to its folder is ended", async () => {
  await inFolder(async (folder) => {
    assertEquals(
      await reasonOf(run({
        program: "sh",
        args: [
          "-c",
          `mkdir -p ${folder}/a/b; while :; do head -c 1M /dev/zero; sleep 0.01; done >${folder}/a/b/file`,
        ],
        timeout: 60_000,
        limits: { memory: 1024 * MiB, disk: { folder, most: 4 * MiB } },
      })),
      "limit",
    );
    assert(sizeOf(folder) > 4 * MiB);
  });
});

Deno.test("a program within its bounds is left alone", async () => {
  const ended = await run({
    program: "sh",
    args: ["-c", "sleep 0.6; echo done"],
    timeout: 60_000,
    limits: { memory: 64 * MiB, disk: { folder: "/none", most: 1 } },
  });
  assertEquals(new TextDecoder().decode(ended.stdout), "done\n");
});

Deno.test("less output than is allowed is given, more is an error", async () => {
  const write = (bytes: number) =>
    run({
      program: "head",
      args: ["-c", String(bytes), "/dev/zero"],
      timeout: 60_000,
      most: 1000,
    });
  assertEquals((await write(1000)).stdout.length, 1000);
  assertEquals(await reasonOf(write(1001)), "output-too-large");
});

Deno.test("the memory of a process that is gone is none", () => {
  assert(memoryOf(Deno.pid) > 10 * MiB);
  assertEquals(memoryOf(2 ** 22 + 1), 0);
});
