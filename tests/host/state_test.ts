import { assert, assertEquals, assertThrows } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import {
  type Deployment,
  readState,
  type State,
  stateVersion,
  writeState,
} from "../../lib/host/state.ts";
import { inFolder, modeOf, namesIn } from "../folder.ts";

const deployment: Deployment = {
  revision: "a".repeat(40),
  subject: "web: serve",
  author: "Ada",
  committedAt: "2024-01-01T00:00:00Z",
  target: {
    repository: "file:///srv/infra",
    ref: "main",
    directory: "",
    host: "web",
    operation: "switch",
  },
  system: "/nix/store/x-system",
  at: "2024-01-01T00:01:00Z",
};

const state: State = {
  version: 1,
  lastGood: deployment,
  earlier: [deployment],
  holds: [],
  seen: {
    ref: "main",
    revision: deployment.revision,
    kind: "branch",
    at: deployment.at,
  },
};

Deno.test("a folder without a state has a fresh one, and stays as it is", async () => {
  await inFolder((folder) => {
    assertEquals(readState(folder), { version: 1, earlier: [], holds: [] });
    assertEquals(namesIn(folder), []);
  });
});

Deno.test("what is written is read again, by its owner alone", async () => {
  await inFolder(async (folder) => {
    await writeState(folder, state);
    assertEquals(readState(folder), state);
    assertEquals(modeOf(`${folder}/state.json`), 0o600);
    assertEquals(namesIn(folder), ["state.json"]);
  });
});

Deno.test("parts that this program does not know are kept", async () => {
  await inFolder(async (folder) => {
    const more = { ...state, note: { of: "a later 1.x" } } as State;
    await writeState(folder, more);
    await writeState(folder, { ...readState(folder), earlier: [] });
    assertEquals(readState(folder), { ...more, earlier: [] });
  });
});

Deno.test("a state of a newer program is refused and not touched", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/state.json`;
    const text = JSON.stringify({ version: stateVersion + 1, other: true });
    await Deno.writeTextFile(path, text);
    const error = assertThrows(() => readState(folder), SyncError) as SyncError;
    assertEquals(
      error.message,
      `Cannot use ${path}: it has version 2, and this program knows up to 1`,
    );
    assertEquals([error.reason, error.exit], ["state-newer", 2]);
    assertEquals(await Deno.readTextFile(path), text);
  });
});

const whole = JSON.stringify(state, null, 2);

Deno.test("a state that is empty, cut off or not ours is refused and not touched", async () => {
  const change = (changes: Record<string, unknown>) =>
    JSON.stringify({ ...state, ...changes });
  const table: [string, RegExp][] = [
    ["", /: Unexpected end of JSON input$/],
    ["\n", /: Unexpected end of JSON input$/],
    [whole.slice(0, whole.length / 2), /: /],
    [whole.slice(0, -1), /: /],
    ["\0".repeat(4096), /: /],
    ["not json", /: /],
    ["null", /: it has no version$/],
    ["5", /: it has no version$/],
    ["[]", /: it has no version$/],
    ["{}", /: it has no version$/],
    [change({ version: "1" }), /: it has no version$/],
    [change({ version: 0 }), /: version is not as expected$/],
    [change({ version: 0.5 }), /: version is not as expected$/],
    [change({ holds: undefined }), /: holds is not as expected$/],
    [change({ holds: {} }), /: holds is not as expected$/],
    [change({ holds: [null] }), /: holds is not as expected$/],
    [change({ holds: [{}] }), /: holds is not as expected$/],
    [change({ earlier: null }), /: earlier is not as expected$/],
    [change({ earlier: [null] }), /: earlier is not as expected$/],
    [change({ earlier: [{ ...deployment, system: 5 }] }), /: earlier is not/],
    [change({ lastGood: {} }), /: lastGood is not as expected$/],
    [change({ lastGood: "x" }), /: lastGood is not as expected$/],
    [
      change({ lastGood: { ...deployment, target: null } }),
      /: lastGood is not as expected$/,
    ],
    [change({ attempt: {} }), /: attempt is not as expected$/],
    [change({ attempt: { commit: null } }), /: attempt is not as expected$/],
  ];
  await inFolder(async (folder) => {
    const path = `${folder}/state.json`;
    for (const [text, message] of table) {
      await Deno.writeTextFile(path, text);
      const error = assertThrows(
        () => readState(folder),
        SyncError,
      ) as SyncError;
      assert(message.test(error.message), `${text}: ${error.message}`);
      assert(error.message.startsWith(`Cannot read ${path}: `));
      assertEquals(
        [error.reason, error.exit, error.next],
        ["state-unreadable", 2, "stop"],
      );
      assert(error.hints[0]!.includes(`mv ${path} ${path}.bad`));
      assertEquals(await Deno.readTextFile(path), text);
      assertEquals(namesIn(folder), ["state.json"]);
    }
  });
});

Deno.test("a state that is cut off anywhere is refused", async () => {
  await inFolder(async (folder) => {
    for (let length = 0; length < whole.length; length += 7) {
      await Deno.writeTextFile(`${folder}/state.json`, whole.slice(0, length));
      assertThrows(() => readState(folder), SyncError);
    }
  });
});
