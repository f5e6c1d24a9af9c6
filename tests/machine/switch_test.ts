import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { makeRepository, type Service } from "../world/repository.ts";
import { Machine } from "./machine.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`the stand-in switch is not tested here: ${refusal}`);

const line = "X-RestartIfChanged=false";

/** Two services that differ in the section which says what a switch does. */
const services = (word: string): Readonly<Record<string, Service>> => ({
  inunit: {
    command: `exec sleep 600 # ${word}`,
    type: "simple",
    unit: [line],
  },
  inservice: {
    command: `exec sleep 600 # ${word}`,
    type: "simple",
    service: [line],
  },
});

Deno.test({
  name: "what a switch does with a changed service is read in [Service] alone",
  ignore: refusal !== null,
  fn: async () => {
    await using machine = await Machine.boot();
    const repository = await makeRepository(`${machine.shared}/infra`);
    machine.configure(repository, { "timeouts.health": "30s" });
    const run = async (word: string) => {
      await repository.publish(word, { knobs: { services: services(word) } });
      const { code, stderr } = await machine.sync();
      assertEquals(code, 0, stderr);
    };
    const started = (unit: string) =>
      machine.output([
        ...["systemctl", "show", unit],
        ...["--property=InvocationID", "--value"],
      ]);
    await run("one");
    const before = [await started("inunit"), await started("inservice")];
    assert(before[1] !== "");
    await run("two");
    assertNotEquals(await started("inunit"), before[0]);
    assertEquals(await started("inservice"), before[1]);
  },
});
