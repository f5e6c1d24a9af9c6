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

export const cases: Case[] = [
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
