/** What a person steers, on a host that reboots. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { makeRepository } from "../world/repository.ts";
import { Machine } from "./machine.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`steering is not tested here: ${refusal}`);

const settings = { "timeouts.health": "10s", "health.steady": "1s" };
const slow = "/root/slow";

async function sync(machine: Machine, code: number, ...args: string[]) {
  const ended = await machine.sync(...args);
  assertEquals(ended.code, code, ended.stdout + ended.stderr);
  return ended;
}

Deno.test({
  name: "tests end with a reboot, waits and rollbacks do not",
  ignore: refusal !== null,
  fn: async (t) => {
    await using machine = await Machine.boot();
    const repository = await makeRepository(`${machine.shared}/infra`);
    machine.configure(repository, settings);
    const main = await repository.publish("First");
    await sync(machine, 0);
    const first = machine.running();
    const tryOut = async (message: string, knobs = {}) => {
      const revision = await repository.commit(message, { knobs });
      await repository.push("testing/demo", { force: true });
      return revision;
    };
    const reboot = async () => {
      await machine.shutDown();
      await machine.bootAgain();
    };

    await t.step("a test is not tried out again after a reboot", async () => {
      machine.configure(repository, { ...settings, "testing.enable": true });
      const idea = await tryOut("An idea");
      const run = await sync(machine, 0);
      assertStringIncludes(
        run.stdout,
        "Deployed as a test, until the next reboot",
      );
      assert(machine.running() !== first);
      assertEquals([machine.bootDefault(), machine.bootEntry()], [
        first,
        first,
      ]);
      await reboot();
      assertEquals(machine.running(), first);
      const after = await sync(machine, 0);
      assertStringIncludes(
        after.stdout,
        `In sync: main is at ${main.slice(0, 12)}`,
      );
      assert(!`${after.stdout}${after.stderr}`.includes("by hand"));
      await sync(machine, 0);
      assertEquals(machine.running(), first);
      assertEquals(machine.state()?.testing?.revision, idea);
      await tryOut("Another idea");
      await sync(machine, 0);
      assert(machine.running() !== first);
    });

    await t.step(
      "a power cut in the next test leaves the host well",
      async () => {
        await machine.output(["touch", slow]);
        await tryOut("A slow idea", {
          activation:
            `if test -e ${slow}; then touch ${slow}.now; sleep 600; fi`,
        });
        const run = machine.startSync([]);
        while (machine.read(`${slow}.now`) === null) {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        await machine.powerCut();
        await run.ended;
        await machine.bootAgain();
        assertEquals(machine.running(), first);
        await machine.output(["rm", slow]);
        await sync(machine, 0);
        const { attempt, lastGood } = machine.state()!;
        assertEquals([attempt, lastGood?.revision], [undefined, main]);
        assertEquals(machine.bootDefault(), first);
        assertStringIncludes(
          machine.history().map(({ result }) => result).join(" "),
          "interrupted tested",
        );
      },
    );

    await t.step("a rollback lasts across a reboot", async () => {
      await repository.git("reset", "--quiet", "--hard", main);
      machine.configure(repository, settings);
      await repository.publish("Second", { knobs: { activation: undefined } });
      await sync(machine, 0);
      await sync(machine, 0, "rollback");
      await reboot();
      const stays = await sync(machine, 0);
      assertStringIncludes(stays.stdout, "the host stays at ");
      assertEquals(machine.running(), first);
      await sync(machine, 0, "resume");
    });

    await t.step("a wait goes on after a reboot, and ends", async () => {
      machine.configure(repository, { ...settings, approval: "8s" });
      const third = await repository.publish("Third");
      const waits = await sync(machine, 0);
      assertStringIncludes(waits.stdout, "it waits for approval");
      assertEquals(machine.running(), first);
      const before = machine.state()!.waiting!;
      await reboot();
      const end = Date.now() + 120_000;
      while (machine.state()?.lastGood?.revision !== third) {
        assert(Date.now() < end, "it is deployed by itself");
        await sync(machine, 0);
        const { waiting } = machine.state()!;
        if (waiting) assertEquals(waiting.revision, before.revision);
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      const { at } = machine.state()!.lastGood!;
      assert(Date.parse(at) - Date.parse(before.since) >= 8_000);
    });
  },
});
