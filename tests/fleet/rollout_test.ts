/** A small rollout with gates and locks, and what calls one bad. */
import { assertEquals } from "@std/assert";
import { early, type Event, eventsOf, mostAtOnce } from "./order.ts";
import { rollOut, whyNoRollout } from "./rollout.ts";

const refusal = await whyNoRollout();
if (refusal) console.log(`no rollout is tested here: ${refusal}`);

Deno.test({
  name: "a rollout over three rings keeps to its gates and locks",
  ignore: refusal !== undefined,
  fn: async () => {
    const wrong = await rollOut({
      rings: [1, 2, 2],
      slots: 1,
      isPublished: false,
      isQuick: true,
      say: () => {},
    });
    assertEquals(wrong, []);
  },
});

const [a, b] = ["a".repeat(40), "b".repeat(40)];

/** Events from `HOST KIND` or `HOST KIND REVISION`, one after the other. */
const made = (...lines: string[]): Event[] =>
  lines.map((line, at) => {
    const [host = "", kind = "", revision = a] = line.split(" ");
    const ring = Number(host[1]);
    return { at, host, ring, revision, kind: kind as Event["kind"] };
  });

Deno.test("hosts count as changed until they are healthy or freed", () => {
  const apart = made("r0-0 begin", "r0-0 end", "r0-1 begin", "r0-1 end");
  assertEquals(mostAtOnce(apart, 0), 1);
  assertEquals(mostAtOnce(apart, 1), 0);
  // A host that stays unhealthy, or dies, never ends.
  const unhealthy = made("r0-0 begin", "r0-1 begin", "r0-1 end", "r0-2 begin");
  assertEquals(mostAtOnce(unhealthy, 0), 2);
  assertEquals(
    mostAtOnce(made("r0-0 begin", "r0-0 freed", "r0-1 begin"), 0),
    1,
  );
  // The fix of a host that keeps its slot is with the same slot.
  const fixed = made("r0-0 begin", `r0-0 begin ${b}`, `r0-0 end ${b}`);
  assertEquals(mostAtOnce([...fixed].reverse(), 0), 1);
});

Deno.test("a ring is early where one host before it is not healthy", () => {
  const rings = [2, 1];
  const whole = made("r0-0 begin", "r0-0 end", "r0-1 end", "r1-0 begin");
  assertEquals(early(whole, rings), []);
  assertEquals(early(made("r0-0 end", "r1-0 begin", "r0-1 end"), rings), [
    "r1-0",
  ]);
  // Healthy with another revision is not enough.
  const other = made("r0-0 end", `r0-1 end ${b}`, "r1-0 begin");
  assertEquals(early(other, rings), ["r1-0"]);
});

Deno.test("a rollback is no activation that needs a slot", () => {
  const text = [
    `slot 1000000 ${a} /nix/store/new`,
    "begin 2000000 /nix/store/new",
    "begin 3000000 /nix/store/old",
    `end 4000000 ${b}`,
    "",
  ].join("\n");
  assertEquals(eventsOf(text, "r1-0", 1), [
    { at: 2, host: "r1-0", ring: 1, revision: a, kind: "begin" },
    { at: 4, host: "r1-0", ring: 1, revision: b, kind: "end" },
  ]);
});
