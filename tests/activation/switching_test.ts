import { assert, assertEquals, assertRejects } from "@std/assert";
import { waitForProcess } from "../../lib/activation/switching.ts";
import type { Effects } from "../../lib/base/effects.ts";
import { startTimeOf } from "../../lib/host/system.ts";

/** Time passes only where somebody sleeps, and then quickly. */
function quickly(): Effects & { slept: number } {
  let now = 0;
  const effects = {
    slept: 0,
    monotonic: () => now,
    sleep: () => {
      effects.slept++;
      now += 10_000;
      return new Promise<void>((resolve) => setTimeout(resolve, 1));
    },
  };
  return effects as unknown as Effects & { slept: number };
}

/** Runs a shell script that writes the id of another process first. */
async function withOther(
  script: string,
  body: (pid: number) => Promise<void>,
): Promise<void> {
  const child = new Deno.Command("sh", {
    args: ["-c", script],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  try {
    const { value } = await reader.read();
    await body(Number(new TextDecoder().decode(value)));
  } finally {
    await reader.cancel();
    child.kill("SIGKILL");
    await child.status;
  }
}

Deno.test("a process whose start nobody knows is not waited for", async () => {
  const effects = quickly();
  await waitForProcess(effects, { pid: Deno.pid }, 1000);
  // One that is gone has no start either.
  await waitForProcess(effects, { pid: 2 ** 30 }, 1000);
  assertEquals(effects.slept, 0);
});

Deno.test("a process that has ended is not waited for, though nobody asked", async () => {
  await withOther("sleep 0 & echo $!; exec sleep 600", async (pid) => {
    const state = () => Deno.readTextFileSync(`/proc/${pid}/stat`);
    while (!/\) Z /.test(state())) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assertEquals(startTimeOf(pid), undefined);
  });
});

Deno.test("a process that can't be ended ends the wait", async () => {
  // In the group of another, and no child of ours.
  const script = "sleep 600 & echo $!; wait";
  await withOther(script, async (pid) => {
    const startTime = startTimeOf(pid);
    assert(startTime !== undefined);
    try {
      const error = await assertRejects(() =>
        waitForProcess(quickly(), { pid, startTime }, 1000)
      );
      assertEquals((error as { exit?: number }).exit, 10);
    } finally {
      Deno.kill(pid, "SIGKILL");
    }
  });
});
