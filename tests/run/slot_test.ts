import { assertEquals } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { isSlotDue, slotAfter } from "../../lib/run/slot.ts";
import type { Slot } from "../../lib/state/slot.ts";
import type { Attempt, Reboot } from "../../lib/state/state.ts";

const held: Slot = {
  engine: "etcd",
  server: "https://etcd.example.org:2379",
  group: "default",
  id: "web",
  token: "t",
  phase: "held",
  use: "switch",
  since: "2026-11-27T03:00:00.000Z",
  revision: "0123456789abcdef0123456789abcdef01234567",
};
const stuck: Slot = { ...held, stuck: true };
const asked: Slot = { ...held, phase: "asked" };
const due: Slot = { ...held, phase: "due" };

const untouched = {} as Attempt;
const touched = { touched: true } as Attempt;
const wayBack = {
  touched: true,
  left: { revisions: [] },
} as unknown as Attempt;

const failed = (exit: 6 | 7 | 10 | 11 = 7) =>
  new SyncError("no", { stage: "health", reason: "x", next: "hold", exit });

Deno.test("a slot goes back with what is well, and stays with what is not", () => {
  type Row = [
    what: string,
    slot: Slot | undefined,
    attempt: Attempt,
    result: string,
    error: SyncError | undefined,
    after: Slot | undefined,
  ];
  const table: Row[] = [
    ["no slot", undefined, touched, "deployed", undefined, undefined],
    ["well", held, touched, "deployed", undefined, due],
    ["well at last", stuck, touched, "deployed", undefined, due],
    ["put back", held, touched, "corrected", undefined, due],
    [
      "what is put back is not what was bad",
      stuck,
      touched,
      "corrected",
      undefined,
      stuck,
    ],
    ["tried out", held, touched, "tested", undefined, due],
    [
      "tried out beside what was bad",
      stuck,
      touched,
      "tested",
      undefined,
      stuck,
    ],
    ["built alone", stuck, untouched, "built", undefined, stuck],
    ["not well", held, touched, "failed", failed(), stuck],
    ["not well again", stuck, touched, "failed", failed(), stuck],
    ["cut off", held, touched, "interrupted", failed(), stuck],
    ["nothing was changed", held, untouched, "failed", failed(), due],
    ["nothing was changed since", stuck, untouched, "failed", failed(), stuck],
    ["it needs a reboot", held, touched, "failed", failed(11), due],
    ["a pre-switch check fails", held, touched, "failed", failed(6), due],
    ["another switch is at work", held, touched, "failed", failed(10), due],
    ["a way back", stuck, wayBack, "rolled-back", undefined, stuck],
    ["a way back that fails", stuck, wayBack, "failed", failed(), stuck],
    ["never used", asked, touched, "failed", failed(), asked],
    ["of a reboot", { ...held, use: "reboot" }, touched, "failed", failed(), {
      ...held,
      use: "reboot",
    }],
  ];
  for (const [what, slot, attempt, result, error, after] of table) {
    const state = { attempt, ...slot ? { slot } : {} };
    const changed = slotAfter(state, result, error);
    assertEquals({ ...state, ...changed }.slot, after, what);
  }
});

Deno.test("a slot is due once nothing needs it", () => {
  const reboot = (result?: "well" | "failed") =>
    ({ ...result ? { result } : {} }) as Reboot;
  const ofReboot: Slot = { ...held, use: "reboot" };
  const table: [
    what: string,
    state: Parameters<typeof isSlotDue>[0],
    boolean,
  ][] = [
    ["none", {}, false],
    ["asked for", { slot: asked }, true],
    ["to be given back", { slot: due }, true],
    ["while an attempt is open", { slot: due, attempt: touched }, false],
    ["held", { slot: stuck }, false],
    ["a reboot is awaited", { slot: ofReboot, reboot: reboot() }, false],
    ["it is well", { slot: ofReboot, reboot: reboot("well") }, true],
    ["it is not", { slot: ofReboot, reboot: reboot("failed") }, false],
    ["it never came", { slot: ofReboot }, true],
    ["what was bad before it still is", {
      slot: { ...stuck, use: "reboot" },
      reboot: reboot("well"),
    }, false],
  ];
  for (const [what, state, expected] of table) {
    assertEquals(isSlotDue(state), expected, what);
  }
});
