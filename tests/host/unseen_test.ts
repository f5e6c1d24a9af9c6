import { assertEquals, assertThrows } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { foreseen } from "../../lib/base/os_error.ts";
import { bootId, startTimeOf } from "../../lib/host/system.ts";
import { kernelText, UnseenError } from "../../lib/process/kernel.ts";
import { waitForProcess } from "../../lib/activation/switching.ts";
import { inFolder } from "../folder.ts";

/** With another `cat` on PATH. */
async function withCat(script: string, work: () => void | Promise<void>) {
  const before = Deno.env.get("PATH")!;
  await inFolder(async (folder) => {
    const text = `#!/bin/sh\n${script}\n`;
    await Deno.writeTextFile(`${folder}/cat`, text, { mode: 0o755 });
    Deno.env.set("PATH", `${folder}:${before}`);
    try {
      await work();
    } finally {
      Deno.env.set("PATH", before);
    }
  });
}

Deno.test("what is not there is told from what could not be looked at", async () => {
  assertThrows(() => kernelText("/proc/nothing"), Deno.errors.NotFound);
  assertEquals(startTimeOf(2 ** 30), undefined);
  for (const script of ["kill -KILL $$", "echo No >&2; exit 1", "exit 127"]) {
    await withCat(script, () => {
      assertThrows(() => kernelText("/proc/nothing"), UnseenError);
      assertThrows(() => startTimeOf(Deno.pid), UnseenError);
    });
  }
});

Deno.test("a host that can't look at itself is told so, and it is no bug", async () => {
  await withCat("kill -KILL $$", () => {
    try {
      bootId();
    } catch (thrown) {
      const error = foreseen(thrown);
      assertEquals((error as SyncError).reason, "host-overloaded");
      assertEquals((error as SyncError).next, "retry");
    }
  });
});

Deno.test("an activation that can't be looked at may be at work still", async () => {
  let spent = 0;
  const effects = {
    monotonic: () => spent,
    sleep: (ms: number) => Promise.resolve(void (spent += 100 * ms)),
  };
  await withCat("kill -KILL $$", async () => {
    let error: unknown;
    try {
      const process = { pid: 2 ** 22 + 1, startTime: "1" };
      // deno-lint-ignore no-explicit-any
      await waitForProcess(effects as any, process, 1000);
    } catch (thrown) {
      error = thrown;
    }
    assertEquals((error as SyncError)?.reason, "switch-locked");
  });
});
