import { assert, assertEquals } from "@std/assert";
import type { HistoryEntry, State } from "../../lib/state/state.ts";
import { appendHistory, readHistory } from "../../lib/state/history.ts";
import { readState, writeState } from "../../lib/state/state_file.ts";
import { Recorder } from "./recorder.ts";

const refusal = await Recorder.refusal();
if (refusal) console.log(`no writes to a disk are replayed here: ${refusal}`);

const state: State = { version: 1, earlier: [], holds: [] };

const entry: HistoryEntry = {
  version: 1,
  id: "",
  command: "sync",
  at: "2026-01-01T00:00:00Z",
  ms: 1000,
  result: "deployed",
  exit: 0,
  stages: [],
};

Deno.test({
  name:
    "a power cut after any write leaves the state and history that were told",
  ignore: refusal !== null,
  fn: async () => {
    await using recorder = await Recorder.make();
    const begun = recorder.position();
    // What is promised, and from which write on.
    const promised: { what: "state" | "history"; n: number; at: number }[] = [];
    for (const n of [1, 2, 3]) {
      await appendHistory(recorder.folder, { ...entry, id: String(n) });
      promised.push({ what: "history", n, at: recorder.position() });
      const backoff = { revision: "a", failures: n, notBefore: entry.at };
      await writeState(recorder.folder, { ...state, backoff });
      promised.push({ what: "state", n, at: recorder.position() });
    }
    const looks = await recorder.replay(begun, async (folder, position) => {
      const least = (what: string) =>
        Math.max(
          0,
          ...promised.filter((one) => one.what === what && one.at <= position)
            .map(({ n }) => n),
        );
      const found = (await readState(folder)).backoff?.failures ?? 0;
      assert(found >= least("state"), `write at ${position}: state ${found}`);
      const ids = readHistory(folder).map(({ id }) => id);
      assertEquals(ids, ["1", "2", "3"].slice(0, ids.length));
      assert(ids.length >= least("history"), `write at ${position}: ${ids}`);
      // The history comes first.
      assert(ids.length >= found, `state ${found}, and history ${ids}`);
    });
    assert(looks > 20, String(looks));
  },
});
