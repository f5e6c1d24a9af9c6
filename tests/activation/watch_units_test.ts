import { assertEquals } from "@std/assert";
import type { Command, Effects, Finished } from "../../lib/base/effects.ts";
import { load } from "../config/load.ts";
import { textOf, watchUnits } from "../../lib/activation/units.ts";
import { nothingSaid } from "../../lib/activation/switch_words.ts";
import { Deadline } from "../../lib/run/deadline.ts";
import { noStanding } from "../../lib/run/standing.ts";

/** What systemctl shows of web.service at each moment, in milliseconds. */
type Show = (at: number) => Record<string, string | number> | "blind";

const config = await load("repository: /srv/infra\n");

/** Watches a unit whose life is told, for 10 s of 60 in which it may start. */
async function watched(show: Show, cutAt = Infinity): Promise<string> {
  let now = 0;
  const effects: Effects = {
    run: (_command: Command) => Promise.resolve(answer(show(now))),
    // The wall clock is set back and forth meanwhile: no span goes by it.
    now: () => new Date((now % 7) * 1e12),
    monotonic: () => now,
    sleep: (ms) => {
      now += ms;
      if (now >= cutAt) deadline.cut();
      return Promise.resolve();
    },
    tell: () => {},
  };
  const deadline = new Deadline(effects, 60_000);
  const { problems, isBlind } = await watchUnits(
    { effects, config },
    {
      ...noStanding.units,
      ran: new Map([["web.service", "old"]]),
      isInstalled: () => true,
      isChanged: () => true,
      ignored: [],
      said: nothingSaid,
    },
    deadline,
  );
  return `${isBlind ? "blind" : textOf(problems) || "well"} at ${now / 1000}`;
}

function answer(unit: ReturnType<Show>): Finished {
  const web = {
    Id: "web.service",
    LoadState: "loaded",
    ActiveState: "active",
    WantedBy: "multi-user.target",
    Type: "simple",
    InvocationID: "1",
    NRestarts: 0,
  };
  const lines = Object.entries(unit === "blind" ? {} : { ...web, ...unit })
    .map(([name, value]) => `${name}=${value}`);
  const target =
    "\n\nId=multi-user.target\nLoadState=loaded\nActiveState=active";
  return {
    code: unit === "blind" ? 1 : 0,
    timedOut: false,
    stdout: new TextEncoder().encode(lines.join("\n") + target),
    stderr: "",
  };
}

const starting = { ActiveState: "activating" };

Deno.test("units count as well once nothing has moved for as long as it takes", async () => {
  const table: [string, Show][] = [
    ["well at 10", () => ({})],
    // It takes its time, and has all of it afterwards, too.
    ["well at 40", (at) => at < 30_000 ? starting : {}],
    ["well at 69", (at) => at < 59_000 ? starting : {}],
    ["1 unit is still starting: web.service at 60", () => starting],
    [
      "1 unit failed: web.service at 9",
      (at) => at < 9000 ? {} : { ActiveState: "failed" },
    ],
    // It crashes once, and is up since.
    ["well at 13", (at) => ({ NRestarts: at < 3000 ? 0 : 1 })],
    // It crashes every 9 s, and looks active at each look.
    ["1 unit keeps failing: web.service at 45", (at) => ({
      NRestarts: Math.floor(at / 9000),
    })],
    ["1 unit keeps failing: web.service at 5", (at) => ({
      NRestarts: Math.floor(at / 900),
    })],
    ["1 unit keeps failing: web.service at 60", (at) => ({
      ...starting,
      SubState: "auto-restart",
      NRestarts: Math.floor(at / 20_000),
    })],
    // It is started anew by another unit, which systemd does not count.
    ["1 unit keeps failing: web.service at 60", (at) => ({
      InvocationID: Math.floor(at / 3000),
    })],
    // systemd does not answer: nothing is known, and nothing passes.
    ["well at 40", (at) => at < 30_000 ? "blind" : {}],
    ["well at 17", (at) => at === 6000 ? "blind" : {}],
    ["blind at 60", () => "blind"],
  ];
  for (const [expected, show] of table) {
    assertEquals(await watched(show), expected);
  }
});

Deno.test("what else is ill ends the watch, and what has yet to start is no fault", async () => {
  assertEquals(await watched(() => starting, 4000), "well at 4");
  assertEquals(
    await watched((at) => at < 4000 ? {} : { ActiveState: "failed" }, 4000),
    "1 unit failed: web.service at 4",
  );
});
