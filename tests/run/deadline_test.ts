import { assert, assertEquals } from "@std/assert";
import type { Effects } from "../../lib/base/effects.ts";
import { Deadline, type Ill } from "../../lib/run/deadline.ts";

/** Effects with a clock that only pauses move on. */
function clock(): Effects {
  let now = 0;
  return {
    run: () => Promise.reject(new Error("no program is to be run")),
    // The wall clock is set meanwhile: no span may go by it.
    now: () => new Date(now * 1e6),
    monotonic: () => now,
    sleep: (ms) => {
      now += ms;
      return Promise.resolve();
    },
    tell: () => {},
  };
}

const ill: Ill = { reason: "ill", text: "not well", details: [] };

Deno.test("something is looked at until it is well or its time is up", async () => {
  const table: [well: number, looks: number, expected: Ill | undefined][] = [
    [0, 1, undefined],
    [3000, 4, undefined],
    [5000, 6, undefined],
    [6000, 6, ill],
  ];
  for (const [well, expectedLooks, expected] of table) {
    const effects = clock();
    let looks = 0;
    const verdict = await new Deadline(effects, 5000).until((ms) => {
      looks++;
      assert(ms >= 1000, `a look in ${ms} ms`);
      const isWell = effects.monotonic() >= well;
      return Promise.resolve(isWell ? undefined : ill);
    });
    assertEquals(verdict, expected, `well after ${well}`);
    assertEquals(looks, expectedLooks, `well after ${well}`);
  }
});

Deno.test("a deadline that is cut ends all waiting", async () => {
  const deadline = new Deadline(clock(), 60_000);
  let looks = 0;
  const verdict = await deadline.until(() => {
    if (++looks === 3) deadline.cut();
    return Promise.resolve(ill);
  });
  assertEquals(verdict, ill);
  assertEquals(looks, 3);
});
