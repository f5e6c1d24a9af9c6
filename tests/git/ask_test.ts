import { assertEquals, assertMatch } from "@std/assert";
import type { Effects, Event } from "../../lib/base/effects.ts";
import { ask } from "../../lib/sync/ask.ts";
import type { State } from "../../lib/state/state.ts";
import { load } from "../config/load.ts";

/** A remote that answers as it is told, and what a run says meanwhile. */
function remote(answer: (asked: number) => Promise<number> | number) {
  const said: string[] = [], pauses: number[] = [];
  let asked = 0;
  const effects: Effects = {
    run: async () => ({
      code: await answer(++asked),
      timedOut: false,
      stdout: new TextEncoder().encode(
        `${"a".repeat(40)}\trefs/heads/main\n`,
      ),
      stderr:
        "fatal: unable to access 'https://forge.example/infra/': Failed to connect to forge.example port 443: Connection refused",
    }),
    now: () => new Date(),
    monotonic: () => performance.now(),
    sleep: (ms) => Promise.resolve(void pauses.push(ms)),
    tell: (event: Event) => {
      if (event.kind === "message") said.push(event.text);
    },
  };
  return { effects, said, pauses };
}

const state: State = { version: 1, earlier: [], holds: [] };
const config = () =>
  load("repository: https://forge.example/infra\nretries: 2");

Deno.test("each try that fails is told, with when the next one is", async () => {
  const { effects, said, pauses } = remote((asked) => asked < 3 ? 128 : 0);
  await ask(effects, await config(), state);
  assertEquals([said.length, pauses.length], [2, 2], said.join("\n"));
  assertMatch(
    said[0]!,
    /forge\.example.*; trying again in \d.* \(try 2 of 3\)$/,
  );
  assertMatch(said[1]!, /; trying again in \d.* \(try 3 of 3\)$/);
});

Deno.test("a remote that takes its time is said to", async () => {
  let heard = () => {};
  const { effects, said } = remote(() =>
    new Promise<number>((resolve) => heard = () => resolve(0))
  );
  const { tell } = effects;
  effects.tell = (event) => {
    tell(event);
    heard();
  };
  await ask(effects, await config(), state);
  assertEquals(said, ["https://forge.example/infra has not answered yet"]);
});
