import { assert, assertEquals } from "@std/assert";
import { allFaults, campaign, refusal as refusalOf } from "./campaign.ts";
import type { Fault } from "./trial.ts";

const refusal = await refusalOf();
if (refusal) console.log(`no faults are injected here: ${refusal}`);

/** A few of the campaign's, those that have found the most. */
const chosen: [Fault["place"], string, Fault["point"], seed: number][] = [
  ["machine", "program gets SIGKILL", "activate", 3],
  ["machine", "systemctl fails", "health", 3],
  ["machine", "the bootloader fails and says 0", "candidate", 3],
  ["world", "program gets SIGTERM", "way back", 3],
  ["world", "power is cut at a call: writes", "any call", 4],
  ["world", "Nix says nothing", "any call", 1],
];

Deno.test({
  name: "some faults, and those that follow them, leave no host in a bad state",
  ignore: refusal !== null,
  fn: async () => {
    const all = allFaults(4);
    const faults = chosen.map(([place, name, point, seed]) => {
      const fault = { place, name, point, seed };
      const isKnown = all.some((one) =>
        JSON.stringify(one) === JSON.stringify(fault)
      );
      assert(isKnown, `${name} / ${point}`);
      return fault;
    });
    // Each with one that follows; the campaign itself has more of them.
    const results = await campaign(faults, () => false, () => {}, { more: 1 });
    assert(results.length > chosen.length);
    const hit = results.filter(({ fault: { point }, wasInjected }) =>
      wasInjected && point !== "recovery"
    );
    // A run may be over before a moment of it comes.
    assert(hit.length >= chosen.length - 1, `only ${hit.length} came`);
    for (const { fault, bad, evidence } of results) {
      assertEquals(bad, [], `${fault.name} / ${fault.point}: ${evidence}`);
    }
  },
});
