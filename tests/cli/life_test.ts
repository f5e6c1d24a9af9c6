import { assertEquals, assertRejects } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { resultOf } from "../../lib/cli/life.ts";
import { output } from "../world/program.ts";

/** A worker that works for longer than it may be silent, or is blocked. */
async function resultWith(blocks: boolean): Promise<string> {
  const pause = 250;
  const worker = new Worker(import.meta.resolve("./life_worker.ts"), {
    type: "module",
  });
  try {
    await new Promise((resolve) => worker.onmessage = resolve);
    worker.postMessage({ pause, ms: 16 * pause, blocks });
    return await resultOf(worker, "failed", pause);
  } finally {
    worker.terminate();
  }
}

Deno.test({
  name: "a worker has all the time it needs, unless its thread is blocked",
  fn: async () => {
    const works = resultWith(false);
    const error = await assertRejects(
      () => resultWith(true),
      SyncError,
    ) as SyncError;
    assertEquals([error.reason, error.exit], ["not-answering", 1]);
    assertEquals(await works, "done");
    await output(["pkill", "-KILL", "-P", String(Deno.pid), "-x", "sleep"]);
  },
  // The runtime takes its time to end such a worker.
  sanitizeOps: false,
  sanitizeResources: false,
});
