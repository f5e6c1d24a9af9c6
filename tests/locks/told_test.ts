import { assertEquals } from "@std/assert";
import type { State } from "../../lib/state/state.ts";
import type { Slot, SlotWait } from "../../lib/state/slot.ts";
import { slotKeptIn, slotWantedIn } from "../../lib/sync/lasting_slots.ts";

const since = "2026-11-27T03:00:00.000Z";
const revision = "0123456789abcdef0123456789abcdef01234567";
const state: State = { version: 1, earlier: [], holds: [] };

const wait: SlotWait = {
  group: "web",
  use: "switch",
  revision,
  since,
  reason: "no-slot",
  message: "no slot of the group web is free",
};

const slot: Slot = {
  engine: "etcd",
  server: "https://etcd.example.org:2379",
  group: "web",
  id: "web-1",
  token: "t",
  phase: "held",
  use: "switch",
  since,
  revision,
};

const told = (found: ReturnType<typeof slotWantedIn>) =>
  found === undefined || found === "unknown"
    ? found
    : [found.key, found.parts.event, found.parts.severity, found.parts.summary];

Deno.test("a wait for a slot is told while it lasts", () => {
  assertEquals(told(slotWantedIn(undefined)), "unknown");
  assertEquals(told(slotWantedIn(state)), undefined);
  assertEquals(told(slotWantedIn({ ...state, slotWait: wait })), [
    `slot-wanted ${since}`,
    "slot-wanted",
    "info",
    "0123456789ab waits for a slot",
  ]);
  const reboot: SlotWait = { ...wait, use: "reboot" };
  assertEquals(
    told(slotWantedIn({ ...state, slotWait: reboot }))?.at(-1),
    "the reboot waits for a slot",
  );
});

Deno.test("a slot that stays is told, and one in use is not", () => {
  assertEquals(told(slotKeptIn(undefined)), "unknown");
  assertEquals(told(slotKeptIn({ ...state, slot })), undefined);
  assertEquals(told(slotKeptIn({ ...state, slot: { ...slot, stuck: true } })), [
    `slot-kept ${since}`,
    "slot-kept",
    "warning",
    "keeps its slot of the group web: not healthy with 0123456789ab",
  ]);
});
