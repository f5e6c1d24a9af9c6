import { assert, assertEquals } from "@std/assert";
import type { Effects } from "../../lib/base/effects.ts";
import { Deadline, type Ill } from "../../lib/run/deadline.ts";
import { isBlamed } from "../../lib/activation/units.ts";

/** Effects with a clock that only pauses move on. */
function clock(): Effects {
  let now = 0;
  return {
    run: () => Promise.reject(new Error("no program is to be run")),
    now: () => new Date(now),
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
      const isWell = effects.now().getTime() >= well;
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

Deno.test("a unit is blamed unless it was ill before, is ours, or is ignored", () => {
  const table: [string, ignored: string[], boolean][] = [
    ["web.service", [], true],
    ["old.service", [], false],
    ["gitops-sync-activate-1.service", [], false],
    ["web.service", ["web.service"], false],
    ["web.service", ["web"], true],
    ["web.service", ["web.*"], false],
    ["web.service", ["*"], false],
    ["web.service", ["we?.service"], false],
    ["web.service", ["we?service"], true],
    ["webXservice", ["web.service"], true],
    ["a@[1].service", ["a@[1].service"], false],
    ["a@1.service", ["a@[1].service"], true],
    ["x-web.service", ["web.service"], true],
  ];
  for (const [unit, ignored, expected] of table) {
    const blamed = isBlamed(unit, ["old.service"], ignored);
    assertEquals(blamed, expected, `${unit} with ${ignored}`);
  }
});
