import { assert, assertEquals } from "@std/assert";
import { allFaults, campaign, refusal as refusalOf } from "./campaign.ts";
import type { Fault } from "./trial.ts";

const refusal = await refusalOf();
if (refusal) console.log(`no faults are injected here: ${refusal}`);

/** A few of the campaign's, those that have found the most. */
const chosen: [Fault["place"], string, Fault["point"]][] = [
  ["machine", "program gets SIGKILL", "activate"],
  ["machine", "systemctl fails", "health"],
  ["machine", "the bootloader fails and says 0", "candidate"],
  ["world", "program gets SIGTERM", "way back"],
  ["world", "power is cut at a call: writes", "any call"],
  ["world", "Nix says nothing", "any call"],
];

Deno.test({
  name: "some faults, and those that follow them, leave no host in a bad state",
  ignore: refusal !== null,
  fn: async () => {
    const all = allFaults(3);
    const faults = chosen.map(([place, name, point]) => {
      const fault = { place, name, point, seed: 3 };
      const isKnown = all.some((one) =>
        JSON.stringify(one) === JSON.stringify(fault)
      );
      assert(isKnown, `${name} / ${point}`);
      return fault;
    });
    const results = await campaign(faults, () => false, () => {});
    assert(results.length >= chosen.length);
    for (const { fault, bad, evidence } of results) {
      assertEquals(bad, [], `${fault.name} / ${fault.point}: ${evidence}`);
    }
  },
});
