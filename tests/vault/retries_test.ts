import { assertEquals, assertRejects } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { withRetries } from "../../lib/vault/api.ts";

Deno.test("a server that is away is asked for some time, whatever the clock says", async () => {
  let spent = 0, asked = 0;
  const effects = {
    monotonic: () => spent,
    sleep: (ms: number) => Promise.resolve(void (spent += ms)),
    // A year back with each look: nothing may go by it.
    now: () => new Date(Date.UTC(2026 - asked, 0, 1)),
  };
  const away = new SyncError("away", {
    stage: "secrets",
    reason: "vault-unreachable",
    next: "retry",
  });
  await assertRejects(
    () =>
      withRetries(effects, 60_000, () => {
        if (++asked > 1000) throw new Error("it does not end");
        return Promise.reject(away);
      }),
    SyncError,
    "away",
  );
  assertEquals(spent > 50_000 && spent <= 60_000, true, String(spent));
});
