/** The power is cut between an event and its delivery: nothing is lost. */
import { assert, assertEquals } from "@std/assert";
import { Recorder } from "../host/recorder.ts";
import { output } from "../world/program.ts";
import { makeRepository } from "../world/repository.ts";
import { World } from "../world/world.ts";
import { Receiver } from "./receiver.ts";

const refusal = await World.refusal() ?? await Recorder.refusal();
if (refusal) console.log(`power cuts are not tested here: ${refusal}`);

/** What a disk has of the state, and of the messages that wait. */
function seenIn(folder: string): { last?: string; waiting: string[] } {
  const state = JSON.parse(Deno.readTextFileSync(`${folder}/state.json`));
  return {
    ...state.last
      ? { last: `${state.last.result} ${state.last.revision}` }
      : {},
    waiting: messagesIn(`${folder}/notify/spool`),
  };
}

/** Those that are whole: a file may be there before its content. */
function messagesIn(spool: string): string[] {
  try {
    return [...Deno.readDirSync(spool)]
      .filter(({ name }) => name.endsWith(".json"))
      .map(({ name }) => JSON.parse(Deno.readTextFileSync(`${spool}/${name}`)))
      .map(({ notice: { event, revision } }) => `${event} ${revision}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

Deno.test({
  name: "after a power cut at any write an event waits, or has arrived",
  ignore: refusal !== null,
  fn: async () => {
    await using receiver = new Receiver();
    await using recorder = await Recorder.make();
    await using world = await World.make();
    const state = world.path("/var/lib/gitops-sync");
    await output(["mount", "--bind", recorder.folder, state]);
    try {
      const repository = await makeRepository(`${world.folder}/infra`);
      const sync = async (...args: string[]) => {
        const { code, stderr } = await world.sync(...args);
        assertEquals(code, 0, stderr);
      };
      // A unit of its own delivers, so that a run and a delivery are apart.
      // The writes that count begin with the look at the host's health.
      const noted = `${world.folder}/noted`;
      const note = `stat -c %s ${recorder.log} >${noted}`;
      world.configure(repository, {
        "health.commands": [["sh", "-c", note]],
        "notify.webhook.url": `${receiver.url}/hook`,
        "notify.by": "unit",
      });
      await repository.publish("First");
      await sync();
      await sync("notify");
      const revision = await repository.publish("Second");
      await sync();
      const ended = recorder.position();
      let arrived = Infinity;
      receiver.answer = () => {
        arrived = Math.min(arrived, recorder.position());
        return new Response("ok");
      };
      const before = receiver.got.length;
      await sync("notify");
      assertEquals(receiver.got.length, before + 1);
      // What a removal leaves is written some time later.
      await output(["sync", "--file-system", recorder.folder]);

      const message = `deployed ${revision}`;
      const from = Number(await Deno.readTextFile(noted));
      let kept = 0, recorded = 0;
      await recorder.replay(from, (folder, position) => {
        const { last, waiting } = seenIn(folder);
        if (waiting.includes(message)) kept++;
        if (last !== message) return;
        recorded++;
        assert(
          waiting.includes(message) || position > arrived,
          `at ${position} of ${ended}: ${waiting}`,
        );
      }, 3);
      assert(kept > 0 && recorded > 0, `${kept} ${recorded}`);
      assertEquals(seenIn(state).waiting, []);
    } finally {
      await output(["umount", state]);
    }
  },
});
