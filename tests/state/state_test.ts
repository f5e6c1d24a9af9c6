import { assert, assertEquals, assertRejects } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import type {
  Attempt,
  Deployment,
  Hold,
  Reboot,
  State,
} from "../../lib/state/state.ts";
import { inFolder, modeOf, namesIn } from "../folder.ts";
import {
  readState,
  stateVersion,
  writeState,
} from "../../lib/state/state_file.ts";

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
  await inFolder(async (folder) => {
    assertEquals(await readState(folder), {
      version: 1,
      earlier: [],
      holds: [],
    });
    assertEquals(namesIn(folder), []);
  });
});

Deno.test("what is written is read again, by its owner alone", async () => {
  await inFolder(async (folder) => {
    await writeState(folder, state);
    assertEquals(await readState(folder), state);
    assertEquals(modeOf(`${folder}/state.json`), 0o600);
    assertEquals(namesIn(folder), ["state.json"]);
  });
});

Deno.test("parts that this program does not know are kept", async () => {
  await inFolder(async (folder) => {
    const more = { ...state, note: { of: "a later 1.x" } } as State;
    await writeState(folder, more);
    await writeState(folder, { ...await readState(folder), earlier: [] });
    assertEquals(await readState(folder), { ...more, earlier: [] });
  });
});

Deno.test("a state of a newer program is refused and not touched", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/state.json`;
    const text = JSON.stringify({ version: stateVersion + 1, other: true });
    await Deno.writeTextFile(path, text);
    const error = await assertRejects(
      () => readState(folder),
      SyncError,
    ) as SyncError;
    assertEquals(
      error.message,
      `Cannot use ${path}: it has version 2, and this program supports versions up to 1`,
    );
    assertEquals([error.reason, error.exit], ["state-newer", 2]);
    assertEquals(await Deno.readTextFile(path), text);
  });
});

const whole = JSON.stringify(state, null, 2);

const hold: Hold = {
  revision: deployment.revision,
  target: deployment.target,
  stage: "build",
  reason: "builder-failed",
  message: "Cannot build it",
  hints: [],
  since: deployment.at,
};

const attempt: Attempt = {
  id: "1",
  command: "sync",
  commit: deployment,
  target: deployment.target,
  startedAt: deployment.at,
  stage: "fetch",
  bootId: "1",
};

const reboot: Reboot = {
  at: deployment.at,
  bootId: "1",
  revision: deployment.revision,
  system: deployment.system,
  why: ["kernel"],
  booted: null,
  before: { failed: [], starting: [], routes: [] },
  isWayBack: false,
};

/** States in which a part lacks something, or has it otherwise. */
function odd(
  name: string,
  part: object,
  changes: readonly Record<string, unknown>[],
  state: (part: object) => string,
): [string, RegExp][] {
  return changes.map((change) => [
    state({ ...part, ...change }),
    new RegExp(`: ${name} is not as expected$`),
  ]);
}

Deno.test("parts that are whole are read as they are", async () => {
  await inFolder(async (folder) => {
    const all: State = {
      ...state,
      holds: [hold],
      attempt,
      reboot,
      accepted: [{ revision: "a", at: "b" }],
      firstTrusted: { repository: "a", revision: "b", at: "c" },
      backoff: { revision: "a", failures: 2, notBefore: deployment.at },
      built: deployment,
      cutOff: { revision: "a", times: 1 },
      followed: [{ repository: "a", ref: "b", revision: "c", kind: "tag" }],
    };
    await writeState(folder, all);
    assertEquals(await readState(folder), all);
  });
});

Deno.test("a part that no run needs is left out where it is odd", async () => {
  const parts: Record<string, unknown[]> = {
    last: ["x", null, { message: "m" }, { message: "m", hints: [5] }],
    backoff: ["x", { revision: "a", failures: "2", notBefore: "b" }],
    seen: [5, {}, { ref: "main", revision: 5 }],
    built: ["x", {}, { ...deployment, target: undefined }],
    cutOff: ["x", { revision: "a" }],
  };
  await inFolder(async (folder) => {
    const { seen: _, ...rest } = state;
    for (const [name, values] of Object.entries(parts)) {
      for (const value of values) {
        await writeState(folder, { ...rest, [name]: value } as State);
        assertEquals(await readState(folder), rest, `${name}: ${value}`);
      }
    }
  });
});

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
    ...odd("holds", hold, [
      { target: undefined },
      { target: {} },
      { message: undefined },
      { hints: undefined },
      { hints: "look" },
      { hints: [5] },
      { stage: 5 },
    ], (part) => change({ holds: [part] })),
    ...odd("lastGood", deployment, [
      { subject: undefined },
      { author: 5 },
      { target: { repository: "file:///srv/infra" } },
      { signers: "Ada" },
      { signers: [null] },
      { failing: "x" },
    ], (lastGood) => change({ lastGood })),
    ...odd("attempt", attempt, [
      { id: undefined },
      { startedAt: 5 },
      { stage: undefined },
      { target: undefined },
      { commit: { revision: "a" } },
    ], (attempt) => change({ attempt })),
    [change({ accepted: "x" }), /: accepted is not as expected$/],
    [change({ accepted: {} }), /: accepted is not as expected$/],
    [change({ accepted: [null] }), /: accepted is not as expected$/],
    [change({ followed: [{ revision: "a" }] }), /: followed is not as/],
    [change({ firstTrusted: "x" }), /: firstTrusted is not as expected$/],
    [change({ firstTrusted: { revision: 5 } }), /: firstTrusted is not as/],
    [change({ reboot: "x" }), /: reboot is not as expected$/],
    ...odd("reboot", reboot, [
      { at: undefined },
      { bootId: undefined },
      { system: undefined },
      { why: "kernel" },
      { before: {} },
      { before: undefined },
    ], (reboot) => change({ reboot })),
  ];
  await inFolder(async (folder) => {
    const path = `${folder}/state.json`;
    for (const [text, message] of table) {
      await Deno.writeTextFile(path, text);
      const error = await assertRejects(
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
      await assertRejects(() => readState(folder), SyncError);
    }
  });
});
