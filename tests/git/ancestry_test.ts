import { assertEquals, assertRejects } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { isAncestor } from "../../lib/git/ancestry.ts";
import { has } from "../../lib/git/mirror.ts";
import type { Run } from "../../lib/run/run.ts";

const [one, other] = ["a".repeat(40), "b".repeat(40)] as const;

/** A run whose Git ends so. */
function runWith(code: number, said: string): Run {
  const stdout = new TextEncoder().encode(said);
  const finished = { code, timedOut: false, stdout, stderr: "" };
  const effects = { run: () => Promise.resolve(finished) };
  return { effects, folder: "/nowhere" } as unknown as Run;
}

Deno.test("Git says in words whether it has a commit, or it has said nothing", async () => {
  assertEquals(await has(runWith(0, `${one} commit 1\n`), "", one), true);
  assertEquals(
    await has(runWith(0, `${one}^{commit} missing\n`), "", one),
    false,
  );
  for (const [code, said] of [[137, ""], [1, ""], [0, ""], [0, "x y\n"]]) {
    const run = runWith(code as number, said as string);
    await assertRejects(() => has(run, "", one), SyncError, "the mirror");
    await assertRejects(() => isAncestor(run, "", one, other), SyncError);
  }
});
