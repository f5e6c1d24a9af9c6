/** State folders that somebody else had their hands in. */
import { dirname, join } from "node:path";
import { assert, assertEquals } from "@std/assert";
import { output } from "../../world/program.ts";
import type { Case, Lab } from "../lab.ts";

const unsafe = { exit: 2, reason: "state-unsafe" };
const unreadable = { exit: 2, reason: "state-unreadable" };

const names = [
  "lock",
  "state.json",
  "state.json.new",
  "settled.json",
  "history.jsonl",
  "suspended.json",
  "fetch.trace",
  "repo",
  "build",
  "roots",
  "keyrings",
  "previous",
  "secrets-opened",
];

const precious = "precious\n";

/** Plants something in the place of a file. */
const planted = (
  name: string,
  plant: (path: string, lab: Lab) => Promise<unknown>,
) =>
async (lab: Lab) => {
  const victim = join(lab.inside, "victim");
  await Deno.writeTextFile(victim, precious);
  await plant(join(lab.folder, name), lab);
  return {};
};

/** The victim of a planted link is as it was. */
const untouched = (lab: Lab) => {
  assertEquals(lab.world.read("/victim"), precious);
};

const victim = (lab: Lab) => join(lab.inside, "victim");

const kinds: Record<string, (path: string, lab: Lab) => Promise<unknown>> = {
  "a link": (path, lab) => Deno.symlink(victim(lab), path),
  "a pipe": (path) => output(["mkfifo", path]),
  "another name of a file": (path, lab) => Deno.link(victim(lab), path),
};

const theirs = (path: string) => Deno.chown(path, 65534, 65534);

/** What is planted deeper in the folder, where Git and Nix look. */
const below: [string, string, (path: string, lab: Lab) => Promise<unknown>][] =
  [
    ["repo/.git/config", "may be written by all", async (path, lab) => {
      const run = `touch ${lab.inside}/pwned; :`;
      const text = `[core]\n\talternateRefsCommand = "${run}"\n`;
      await Deno.writeTextFile(path, text);
      await Deno.chmod(path, 0o666);
    }],
    ["repo/.git/config", "belongs to another user", async (path) => {
      await Deno.writeTextFile(path, "");
      await theirs(path);
    }],
    ["repo/.git", "is a link", (path, lab) => Deno.symlink(lab.inside, path)],
    ["repo/.git/objects/pack", "belongs to another user", async (path) => {
      await Deno.mkdir(path);
      await theirs(path);
    }],
    ["repo/.git/shallow", "is a pipe", (path) => output(["mkfifo", path])],
    ["repo/.git/refs/heads/main", "is a link", kinds["a link"]!],
    ["roots/0", "is a link to a file", kinds["a link"]!],
    ["build/result", "is a link to a file", kinds["a link"]!],
    ["build/result", "is another user's link", async (path) => {
      await Deno.symlink(system, path);
      await output(["chown", "--no-dereference", "65534", path]);
    }],
  ];

const system = `/nix/store/${"0".repeat(32)}-nixos-system-demo`;

async function written(lab: Lab, text: string) {
  await Deno.writeTextFile(join(lab.folder, "state.json"), text);
  return {};
}

/** What a run with nothing to do would believe, and ask. */
async function settledBy(lab: Lab, change: (path: string) => Promise<unknown>) {
  const path = join(lab.folder, "settled.json");
  const question = {
    program: "touch",
    args: [`${lab.inside}/pwned`],
    timeout: 1000,
  };
  const all = {
    grounds: "",
    at: Date.now(),
    question,
    answer: "",
    says: "In sync",
  };
  await Deno.writeTextFile(path, JSON.stringify(all));
  await change(path);
  return {};
}

/**
 * A state folder or file of keys below a folder that was changed so; what is
 * at its end is as it should be.
 */
const placed = (
  what: "state" | "keys",
  change: (folder: string, lab: Lab) => Promise<unknown>,
  inner = "inner",
) =>
async (lab: Lab) => {
  const top = join(lab.inside, "places", lab.name());
  const folder = join(top, inner);
  await Deno.mkdir(folder, { recursive: true, mode: 0o755 });
  const settings = await lab.signed("ada");
  const file = join(folder, "signers");
  await Deno.writeTextFile(file, lab.keys.signerLine("ada"), { mode: 0o644 });
  if (what === "state") await Deno.mkdir(join(folder, "s"), { mode: 0o700 });
  const named = await change(top, lab) as { path?: string } | undefined;
  const path = named?.path ?? folder;
  return {
    settings: what === "state"
      ? { ...settings, stateDirectory: join(path, "s") }
      : {
        ...settings,
        "verify.mode": "head",
        "verify.allowedSigners": join(path, "signers"),
      },
  };
};

/** What may be wrong with a folder on the way, and what may not. */
const ways: [string, boolean, (top: string, lab: Lab) => Promise<unknown>][] = [
  ["is as it should be", true, async () => {}],
  ["belongs to another user", false, theirs],
  ["may be written by its group", false, (top) => Deno.chmod(top, 0o775)],
  ["may be written by all", false, (top) => Deno.chmod(top, 0o777)],
  ["is sticky, as /tmp is", true, (top) => chmod(top, "1777")],
  ["is sticky, and another user's", false, async (top) => {
    await chmod(top, "1777");
    await theirs(top);
  }],
  ["is reached by a link of ours", true, async (top) => {
    await Deno.symlink(top, `${top}.link`);
    return { path: `${top}.link/inner` };
  }],
  ["is reached by another user's link", false, async (top) => {
    await Deno.symlink(top, `${top}.link`);
    await output(["chown", "--no-dereference", "65534", `${top}.link`]);
    return { path: `${top}.link/inner` };
  }],
  ["is reached by a link in another user's folder", false, async (top) => {
    await Deno.mkdir(`${top}.open`);
    await Deno.symlink(top, `${top}.open/link`);
    await theirs(`${top}.open`);
    return { path: `${top}.open/link/inner` };
  }],
  ["is reached by two links, the second in a folder of all", false, async (
    top,
  ) => {
    await Deno.mkdir(`${top}.open`);
    await Deno.symlink(top, `${top}.open/link`);
    await chmod(`${top}.open`, "0777");
    await Deno.symlink(`${top}.open/link`, `${top}.link`);
    return { path: `${top}.link/inner` };
  }],
];

const chmod = (path: string, mode: string) => output(["chmod", mode, path]);

const unsafeKeys = { exit: 4, reason: "keys-unsafe" };

export const cases: Case[] = [
  ...ways.flatMap(([how, isFine, change]): Case[] => [
    {
      name: `a folder above the state folder ${how}`,
      make: placed("state", change),
      expected: isFine ? "evaluated" : unsafe,
      ...isFine ? {} : { says: "places/" },
    },
    {
      name: `a folder above the trusted keys ${how}`,
      make: placed("keys", change),
      expected: isFine ? "evaluated" : unsafeKeys,
      ...isFine ? {} : { says: "places/" },
    },
  ]),
  {
    name: "the trusted keys are a link of ours to a file",
    make: placed("keys", async (top) => {
      const inner = join(top, "inner");
      await Deno.rename(`${inner}/signers`, `${top}/real`);
      await Deno.symlink("../real", `${inner}/signers`);
    }),
    expected: "evaluated",
  },
  {
    name: "the trusted keys are a link to a file in another user's folder",
    make: placed("keys", async (top) => {
      const inner = join(top, "inner");
      await Deno.mkdir(`${top}/theirs`);
      await Deno.rename(`${inner}/signers`, `${top}/theirs/signers`);
      await theirs(`${top}/theirs`);
      await Deno.symlink("../theirs/signers", `${inner}/signers`);
    }),
    expected: unsafeKeys,
  },
  {
    name: "the trusted keys are a link that leads to itself",
    make: placed("keys", async (top) => {
      await Deno.remove(`${top}/inner/signers`);
      await Deno.symlink("signers", `${top}/inner/signers`);
    }),
    expected: { exit: 4, reason: "keys-missing" },
  },
  {
    name: "the trusted keys are a pipe",
    make: placed("keys", async (top) => {
      await Deno.remove(`${top}/inner/signers`);
      await output(["mkfifo", `${top}/inner/signers`]);
    }),
    expected: { exit: 4, reason: "keys-broken" },
  },
  ...names.flatMap((name) =>
    Object.entries(kinds).map(([kind, plant]): Case => ({
      name: `${name} is ${kind}`,
      make: planted(name, plant),
      expected: unsafe,
      says: name,
      then: untouched,
    }))
  ),
  ...below.map(([name, how, plant]): Case => ({
    name: `${name} ${how}`,
    make: planted(name, async (path, lab) => {
      await Deno.mkdir(dirname(path), { recursive: true });
      await plant(path, lab);
    }),
    expected: unsafe,
    says: name,
    then: untouched,
  })),
  {
    name: "links that keep systems are no obstacle",
    make: async (lab) => {
      for (const name of ["build/result", "roots/0", "previous"]) {
        const path = join(lab.folder, name);
        await Deno.mkdir(dirname(path), { recursive: true });
        await Deno.symlink(system, path);
      }
      return { settings: await lab.signed() };
    },
    expected: "evaluated",
  },
  {
    name: "state.json belongs to another user",
    make: async (lab) => {
      await written(lab, "{}");
      await Deno.chown(join(lab.folder, "state.json"), 65534, 65534);
      return {};
    },
    expected: unsafe,
  },
  {
    name: "state.json may be written by all",
    make: async (lab) => {
      await written(lab, "{}");
      await Deno.chmod(join(lab.folder, "state.json"), 0o666);
      return {};
    },
    expected: unsafe,
  },
  {
    name: "the folder may be written by all",
    make: async (lab) => {
      await Deno.chmod(lab.folder, 0o777);
      return {};
    },
    expected: unsafe,
  },
  {
    name: "the folder belongs to another user",
    make: async (lab) => {
      await Deno.chown(lab.folder, 65534, 65534);
      return {};
    },
    expected: unsafe,
    then: async (lab) => await Deno.chown(lab.folder, 0, 0),
  },
  {
    name: "the folder is a file",
    make: (lab) => ({ settings: { stateDirectory: lab.file("") } }),
    expected: unsafe,
  },
  {
    name: "the folder is in nobody's place",
    make: (lab) => ({
      settings: { stateDirectory: join(lab.file(""), "below") },
    }),
    expected: { exit: 2, reason: "state-folder" },
  },
  {
    name: "a question that another user planted",
    make: (lab) => settledBy(lab, (path) => Deno.chown(path, 65534, 65534)),
    expected: unsafe,
  },
  {
    name: "a question that others may write",
    make: (lab) => settledBy(lab, (path) => Deno.chmod(path, 0o666)),
    expected: unsafe,
  },
  {
    name: "a question on other grounds",
    make: (lab) => settledBy(lab, () => Promise.resolve()),
    expected: "evaluated",
  },
  ...Object.entries({
    "empty": "",
    "cut off": '{"version": 1, "ea',
    "rubbish": "\u0000\u0001",
    "a list": "[]",
    "null": "null",
    "without a version": "{}",
    "holds of another shape": '{"version":1,"earlier":[],"holds":[1]}',
    "an attempt of another shape":
      '{"version":1,"earlier":[],"holds":[],"attempt":{}}',
    "a deployment of another shape":
      '{"version":1,"earlier":[],"holds":[],"lastGood":{}}',
    "followed refs of another shape":
      '{"version":1,"earlier":[],"holds":[],"followed":[{}]}',
    "a million brackets": "[".repeat(1_000_000),
  }).map(([name, text]): Case => ({
    name: `state.json: ${name}`,
    make: (lab) => written(lab, text),
    expected: unreadable,
    then: async (lab) => {
      assertEquals(
        await Deno.readTextFile(join(lab.folder, "state.json")),
        text,
      );
    },
  })),
  {
    name: "state.json: by a newer program",
    make: (lab) => written(lab, '{"version": 2}'),
    expected: { exit: 2, reason: "state-newer" },
  },
  {
    name: "suspended.json: rubbish",
    make: async (lab) => {
      await Deno.writeTextFile(join(lab.folder, "suspended.json"), "rubbish");
      return {};
    },
    expected: unreadable,
  },
  {
    name: "what a cut-off run left is no obstacle",
    make: async (lab) => {
      for (const name of ["state.json.new", "settled.json.new"]) {
        await Deno.writeTextFile(join(lab.folder, name), "half");
      }
      await Deno.mkdir(join(lab.folder, "keyrings", "host"), {
        recursive: true,
      });
      return {
        settings: { ...await lab.signed("ada"), ...lab.trusting("ada") },
      };
    },
    expected: "evaluated",
    then: async (lab) => {
      const left = await Array.fromAsync(
        Deno.readDir(lab.folder),
        ({ name }) => name,
      );
      assert(
        !left.some((name) => /^state\.json\.new$|keyrings/.test(name)),
        left.join(),
      );
      const { mode } = await Deno.stat(lab.folder);
      assertEquals(mode! & 0o777, 0o700);
    },
  },
];
