/** What a repository can hold to harm whoever reads it. */
import { join } from "node:path";
import { output } from "../../world/program.ts";
import { gitEnvironment } from "../../world/repository.ts";
import type { Case, Lab, Setup } from "../lab.ts";
import { Pack } from "../packs.ts";

const refused = (reason: string) => ({ exit: 4, reason });
/** Git does not let such objects in. */
const broken = { exit: 3, reason: "bad-objects" };

/** Writes what a hostile part would do if it were run. */
const attack = (lab: Lab) => `touch ${lab.inside}/pwned`;

const withFiles =
  (files: (lab: Lab) => Record<string, string>, settings = {}) =>
  async (lab: Lab): Promise<Setup> => ({
    settings: {
      ...await lab.signed(undefined, { files: files(lab) }),
      ...settings,
    },
  });

/** One entry of a tree object: its hash stands there in bytes. */
function entry(mode: string, name: string, id: string): number[] {
  const hash = id.match(/../g)!.map((digits) => parseInt(digits, 16));
  return [...new TextEncoder().encode(`${mode} ${name}`), 0, ...hash];
}

/** A commit of a tree that is made by hand. */
async function commitOf(lab: Lab, tree: string): Promise<Setup> {
  const commit = await lab.object(
    "commit",
    `tree ${tree}\nauthor A <a@x> 1 +0000\ncommitter A <a@x> 1 +0000\n\nBy hand\n`,
  );
  return { settings: await lab.branch(commit) };
}

const withTree = (
  entries: (blob: string, tree: string) => number[][],
) =>
async (lab: Lab): Promise<Setup> => {
  await lab.begin();
  const blob = await lab.object("blob", `evil ${lab.name()}`);
  const tree = await lab.object(
    "tree",
    new Uint8Array(entry("100644", "a", blob)),
  );
  const bytes = new Uint8Array(entries(blob, tree).flat());
  return await commitOf(lab, await lab.object("tree", bytes));
};

/** A commit whose text is made by hand. */
const withCommit =
  (text: (tree: string) => string | Uint8Array) =>
  async (lab: Lab): Promise<Setup> => {
    await lab.begin();
    const tree = await lab.repository.git("rev-parse", "HEAD^{tree}");
    return {
      settings: await lab.branch(await lab.object("commit", text(tree))),
    };
  };

const person = "A <a@x> 1767225600 +0000";
const commit = (tree: string, author: string, message: string) =>
  `tree ${tree}\nauthor ${author}\ncommitter ${person}\n\n${message}`;

/** Bytes of a commit whose subject is not UTF-8. */
function latin(tree: string): Uint8Array {
  const text = commit(tree, person, "caf\u00e9 \u0080\u009b31m\n");
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** Trees in trees, each with the one below it `width` times. */
async function bomb(lab: Lab, depth: number, width: number): Promise<Setup> {
  await lab.begin();
  const pack = new Pack();
  let id = pack.add("blob", "boom\n");
  let mode = "100644";
  for (let level = 0; level < depth; level++) {
    const entries = Array.from(
      { length: width },
      (_, i) => entry(mode, `e${i}`, id),
    );
    id = pack.add("tree", new Uint8Array(entries.flat()));
    mode = "40000";
  }
  // One program for all objects.
  await output(["git", "index-pack", "--stdin"], {
    cwd: lab.repository.folder,
    env: gitEnvironment,
    input: pack.bytes(),
  });
  return await commitOf(lab, id);
}

const submodule = (lab: Lab, url: string, path = "sub") =>
  `[submodule "${path}"]\n\tpath = ${path}\n\turl = ${url}\n\tupdate = !${
    attack(lab)
  }\n`;

/** A link in the place of a folder. */
const linked = (target: string, directory: string) => async (lab: Lab) => {
  await lab.begin();
  await Deno.symlink(target, join(lab.repository.folder, "hosts"));
  await lab.repository.commit("A link");
  return { settings: { ...await lab.branch(), directory } };
};

export const cases: Case[] = [
  {
    name: "filters in .gitattributes",
    make: withFiles((lab) => ({
      ".gitattributes":
        "* filter=evil diff=evil merge=evil export-subst ident\n",
      ".gitconfig": `[filter "evil"]\n\tsmudge = ${
        attack(lab)
      }\n\trequired = true\n`,
      "a.txt": "$Format:%H$",
    })),
    expected: "evaluated",
  },
  {
    name: "files that look like hooks",
    make: withFiles((lab) => ({
      "hooks/post-checkout": `#!/bin/sh\n${attack(lab)}\n`,
      "hooks/reference-transaction": `#!/bin/sh\n${attack(lab)}\n`,
    })),
    expected: "evaluated",
  },
  {
    name: "a bare repository in the tree",
    make: withFiles((lab) => ({
      "HEAD": "ref: refs/heads/main\n",
      "config":
        `[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tfsmonitor = ${
          attack(lab)
        }\n[includeIf "gitdir:/"]\n\tpath = evil\n`,
      "objects/a": "",
      "refs/a": "",
    })),
    expected: "evaluated",
  },
  {
    name: "a submodule over ext::, without submodules",
    make: withFiles((lab) => ({
      ".gitmodules": submodule(lab, `ext::sh -c '${attack(lab)}'`),
    })),
    expected: broken,
  },
  {
    name: "a submodule that runs its update command",
    make: withFiles((lab) => ({
      ".gitmodules": submodule(lab, "https://127.0.0.1:1/x"),
    })),
    expected: broken,
  },
  {
    name: "a submodule whose URL is an option",
    make: withFiles(() => ({
      ".gitmodules":
        '[submodule "a"]\n\tpath = a\n\turl = --upload-pack=evil\n',
    })),
    expected: broken,
  },
  {
    name: "a submodule whose path is an option",
    make: withFiles(() => ({
      ".gitmodules":
        '[submodule "a"]\n\tpath = -a\n\turl = https://127.0.0.1:1/x\n',
    })),
    expected: broken,
  },
  {
    name: "a submodule whose name leaves the folder",
    make: withFiles(() => ({
      ".gitmodules":
        '[submodule "../../x"]\n\tpath = a\n\turl = https://127.0.0.1:1/x\n',
    })),
    expected: broken,
  },
  {
    name: ".gitmodules is a link",
    make: withTree((blob) => [entry("120000", ".gitmodules", blob)]),
    expected: broken,
  },
  ...[".git", ".GIT", "git~1", ".", ".."].map((name): Case => ({
    name: `a folder that is called ${name}`,
    make: withTree((_, tree) => [entry("40000", name, tree)]),
    expected: broken,
  })),
  {
    name: "a file whose name is a path",
    make: withTree((blob) => [entry("100644", "../../etc/cron.d/x", blob)]),
    expected: broken,
  },
  {
    name: "two files of one name",
    make: withTree((
      blob,
      tree,
    ) => [entry("100644", "a", blob), entry("40000", "a", tree)]),
    expected: broken,
  },
  {
    name: "a tree that is not in order",
    make: withTree((
      blob,
    ) => [entry("100644", "b", blob), entry("100644", "a", blob)]),
    expected: broken,
  },
  {
    name: "names with line ends and escapes",
    make: withTree((blob) =>
      [
        entry("100644", "\u001b]0;x\u0007\r\n", blob),
        entry("100644", "-rf", blob),
      ].reverse()
    ),
    expected: broken,
  },
  {
    name: "names that begin with dashes",
    make: withTree((
      blob,
    ) => [entry("100644", "--output=x", blob), entry("100644", "-rf", blob)]),
    expected: "evaluated",
  },
  {
    name: "names that are not UTF-8",
    make: async (lab) => {
      await lab.begin();
      const blob = await lab.object("blob", "x");
      const bytes = entry("100644", "x", blob);
      bytes[7] = 0xff;
      return await commitOf(
        lab,
        await lab.object("tree", new Uint8Array(bytes)),
      );
    },
    expected: "evaluated",
  },
  {
    name: "escapes in subject and author",
    make: withCommit((tree) =>
      commit(
        tree,
        "\u001b[2J\u0007Eve <e@x> 1 +0000",
        "\u001b]52;c;eA==\u0007\u001b[31mred\u009b0m\n",
      )
    ),
    expected: "evaluated",
  },
  {
    name: "marks of direction in the subject",
    make: withCommit((tree) =>
      commit(tree, person, "\u202egnihtyreve\u202c \u2066x\u2069\n")
    ),
    expected: "evaluated",
  },
  {
    name: "a priority of the journal in the subject",
    make: withCommit((tree) => commit(tree, person, "<0>emergency\r<0>more\n")),
    expected: "evaluated",
  },
  {
    name: "a subject that is not UTF-8",
    make: withCommit(latin),
    expected: "evaluated",
  },
  {
    name: "a subject of a megabyte",
    make: withCommit((tree) =>
      commit(tree, person, "x".repeat(2 ** 20) + "\n")
    ),
    expected: "evaluated",
    then: (lab) => {
      const { length } = lab.world.read("/var/lib/gitops-sync/state.json") ??
        "";
      if (length > 20_000) throw new Error(`a state of ${length} bytes`);
    },
  },
  {
    name: "no message at all",
    make: withCommit((tree) => commit(tree, person, "")),
    expected: "evaluated",
  },
  {
    name: "a commit without an author",
    make: withCommit((tree) => `tree ${tree}\ncommitter ${person}\n\nx\n`),
    expected: broken,
  },
  {
    name: "a time before all times",
    make: withCommit((tree) =>
      commit(tree, "A <a@x> 99999999999999999999 +0000", "x\n")
    ),
    expected: broken,
  },
  {
    name: "a NUL in the message",
    make: withCommit((tree) => commit(tree, person, "before\u0000after\n")),
    expected: broken,
  },
  {
    name: "ten thousand million files",
    make: (lab) => bomb(lab, 10, 10),
    expected: refused("tree-too-large"),
  },
  {
    name: "a million empty files",
    make: (lab) => bomb(lab, 6, 10),
    expected: refused("tree-too-large"),
  },
  {
    name: "two thousand folders in each other",
    make: (lab) => bomb(lab, 2000, 1),
    expected: refused("tree-too-deep"),
  },
  {
    name: "a file of zeros that is small on the way",
    make: async (lab) => {
      await lab.begin();
      const file = await Deno.create(join(lab.repository.folder, "zeros"));
      await file.truncate(64 * 2 ** 20);
      file.close();
      await lab.repository.commit("Zeros");
      return { settings: await lab.branch() };
    },
    expected: "evaluated",
  },
  {
    name: "more than the mirror may hold",
    make: async (lab) => {
      await lab.begin();
      const noise = new Uint8Array(8 * 2 ** 20);
      for (let at = 0; at < noise.length; at += 65536) {
        crypto.getRandomValues(noise.subarray(at, at + 65536));
      }
      await lab.repository.commit("Noise", { files: { noise } });
      return { settings: { ...await lab.branch(), "limits.fetch": "1MiB" } };
    },
    expected: { exit: 3, reason: "too-large" },
  },
  {
    name: "directory: a link to the host's files",
    make: linked("/etc", "hosts"),
    expected: refused("directory-link"),
  },
  {
    name: "directory: a link out of the tree",
    make: linked("../..", "hosts"),
    expected: refused("directory-link"),
  },
  {
    name: "directory: below a link",
    make: linked("/etc", "hosts/web"),
    expected: refused("directory-link"),
  },
  {
    name: "a link to the host's secrets beside the flake",
    make: async (lab) => {
      await lab.begin();
      await Deno.symlink(
        "/etc/gitops-sync/token",
        join(lab.repository.folder, "token"),
      );
      await Deno.symlink("loop", join(lab.repository.folder, "loop"));
      await lab.repository.commit("Links");
      return { settings: await lab.branch() };
    },
    expected: "evaluated",
  },
  {
    name: "a branch that begins with a dash",
    make: async (lab) => {
      await lab.begin();
      const ref = "refs/heads/--upload-pack=x";
      await lab.push("HEAD", ref);
      return { settings: { ref } };
    },
    expected: "evaluated",
  },
  {
    name: "replaced objects on the remote",
    make: async (lab) => {
      const settings = await lab.signed("eve");
      const evil = await lab.repository.head();
      await lab.begin("ada");
      await lab.repository.commit("Good");
      await lab.push("HEAD", `refs/replace/${evil}`);
      return { settings: { ...settings, ...lab.trusting("ada") } };
    },
    expected: refused("unknown-key"),
  },
  {
    name: "a repository without commits",
    make: async (lab) => {
      const empty = join(lab.inside, `${lab.name()}.git`);
      await lab.repository.git("init", "--quiet", "--bare", empty);
      return { settings: { repository: `file://${empty}` } };
    },
    expected: { exit: 3, reason: "repository-empty" },
  },
  {
    name: "a repository with a hostile configuration",
    make: async (lab) => {
      const evil = join(lab.inside, `${lab.name()}.git`);
      await lab.repository.git(
        "clone",
        "--quiet",
        "--bare",
        lab.repository.bare,
        evil,
      );
      const config = `[core]\n\tfsmonitor = ${attack(lab)}\n\tsshCommand = ${
        attack(lab)
      }\n[uploadpack]\n\tpackObjectsHook = ${attack(lab)}\n`;
      await Deno.writeTextFile(join(evil, "config"), config, { append: true });
      return { settings: { repository: `file://${evil}` } };
    },
    expected: "evaluated",
  },
  {
    name: "a repository that another user owns",
    make: async (lab) => {
      const foreign = join(lab.inside, `${lab.name()}.git`);
      await lab.repository.git(
        "clone",
        "--quiet",
        "--bare",
        lab.repository.bare,
        foreign,
      );
      await Deno.chown(foreign, 65534, 65534);
      return { settings: { repository: `file://${foreign}` } };
    },
    expected: { exit: 3, reason: "owner" },
  },
];
