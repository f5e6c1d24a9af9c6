import { assertEquals } from "@std/assert";
import type { Stage } from "../../lib/base/errors.ts";
import type { Hold } from "../../lib/state/state.ts";
import { withHold } from "../../lib/report/holds.ts";

const hold = (stage: Stage, reason: string, i: number): Hold => ({
  revision: `${reason}-${i}`,
  target: {
    repository: "",
    ref: "main",
    directory: "",
    host: "web",
    operation: "switch",
  },
  stage,
  reason,
  message: "",
  hints: [],
  since: "",
});

/** As many holds one after the other, each kept with those before it. */
function after(holds: readonly Hold[], ...more: Hold[]): readonly Hold[] {
  return more.reduce(withHold, holds);
}

const many = (stage: Stage, reason: string, most = 50) =>
  Array.from({ length: most }, (_, i) => hold(stage, reason, i));

const left = hold("decide", "rolled-back", 0);
const ill = hold("health", "unhealthy", 0);
const cut = hold("activate", "cut-off", 0);
const unbuilt = hold("build", "builder-failed", 0);

Deno.test("the newest holds are kept, and not more than twenty", () => {
  const holds = after([], ...many("verify", "unsigned"));
  assertEquals(holds.length, 20);
  assertEquals(holds[0]?.revision, "unsigned-49");
  assertEquals(holds.at(-1)?.revision, "unsigned-30");
});

Deno.test("a revision has one hold", () => {
  assertEquals(after([], ill, cut, ill), [ill, cut]);
});

Deno.test("what is refused unread pushes out nothing else", () => {
  const before = [unbuilt, ill, cut, left];
  const holds = after(before, ...many("verify", "unsigned"));
  assertEquals(holds.length, 21);
  assertEquals(holds.slice(-4), before);
});

Deno.test("what did harm is kept before what was not activated", () => {
  const holds = after([ill, cut, left], unbuilt, ...many("build", "other"));
  assertEquals(holds.slice(-3), [ill, cut, left]);
  assertEquals(holds.includes(unbuilt), false);
  const worse = after(holds, ...many("health", "worse"));
  assertEquals(worse.includes(ill), false);
  assertEquals(worse.at(-1), left);
});

Deno.test("the newest hold is kept in any case", () => {
  const holds = after(many("decide", "rolled-back"), ...many("health", "ill"));
  const junk = hold("verify", "unsigned", 0);
  const more = after(holds, junk);
  assertEquals(more[0], junk);
  assertEquals(more.length, 70);
});
