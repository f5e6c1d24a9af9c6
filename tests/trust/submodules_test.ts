/** Submodules that are made to harm, and that a real Nix fetches. */
import { assert, assertEquals } from "@std/assert";
import { gitHttp, serve, withToken } from "../git/servers.ts";
import { output } from "../world/program.ts";
import { makeRepository, type Repository } from "../world/repository.ts";
import { World } from "../world/world.ts";
import { terabyte } from "./cases/bombs.ts";
import { alone } from "./lab.ts";

const refusal = await World.refusal();
if (refusal) console.log(`submodules are not tested here: ${refusal}`);

/** Stands in a repository of the host, which nobody may read from outside. */
const word = "swordfish";

const token = "canary-3d9a";

/** Where the parts of a case are. */
interface Place {
  world: World;
  /** The URL of a server that wants the token, with a `/` at its end. */
  served: string;
  /** The URL of another server, which notes what it is offered. */
  other: string;
  /** The URL of a server whose pack is small on the way only. */
  bomb: string;
  /** The folder of a repository of the host, and its commit. */
  secret: string;
  secretCommit: string;
  /** A command that would leave a mark. */
  attack: string;
}

interface Hostile {
  name: string;
  /** What .gitmodules of the repository says, if not where `lib` is. */
  modules?: (place: Place) => string;
  /** What is in the submodule `lib`. */
  files?: (place: Place) => Record<string, string>;
  /** Changes the submodule's work tree before it is committed. */
  change?: (lib: Repository, place: Place) => Promise<unknown>;
  /** What the flake reads, if not the word in `sub`. */
  reads?: (place: Place) => string;
  /** The commit that the repository has at `sub`, if not that of `lib`. */
  commit?: (place: Place) => string;
  /** Puts something else in the place of the submodule. */
  instead?: (repository: Repository, place: Place) => Promise<unknown>;
  exit: number;
  reason?: string;
  /** Whether the secret is one that Nix may read. */
  isRead?: boolean;
  /** Whether the repository is one of this host. */
  isLocal?: boolean;
}

const module = (url: string, { name = "sub", path = "sub", more = "" } = {}) =>
  `[submodule "${name}"]\n\tpath = ${path}\n\turl = ${url}\n${more}`;

/** Where the submodule `lib` is. */
const lib = ({ served }: Place) => module(`${served}lib.git`);

const broken = { exit: 3, reason: "bad-objects" };
const unavailable = { exit: 6, reason: "input-unavailable" };

/** What the repository itself says of its submodule. */
const outer: Hostile[] = [
  {
    name: "a command",
    modules: ({ attack }) => module(`ext::sh -c "${attack}"`),
    ...unavailable,
  },
  {
    name: "an update that is a command",
    modules: ({ served, attack }) =>
      module(`${served}lib.git`, { more: `\tupdate = !${attack}\n` }),
    ...broken,
  },
  {
    name: "a URL that is an option",
    modules: () => module("-u./payload"),
    ...broken,
  },
  {
    name: "a URL that is an option after a folder",
    modules: () => module("./-u./payload"),
    ...unavailable,
  },
  {
    name: "a path that is an option",
    modules: ({ served }) => module(`${served}lib.git`, { path: "-sub" }),
    ...broken,
  },
  {
    name: "a path in Git's own folder",
    modules: ({ served }) => module(`${served}lib.git`, { path: ".git/hooks" }),
    ...unavailable,
  },
  {
    name: "a path out of the tree",
    modules: ({ served }) => module(`${served}lib.git`, { path: "../sub" }),
    ...unavailable,
  },
  {
    name: "a name out of the folder",
    modules: ({ served }) => module(`${served}lib.git`, { name: "../../x" }),
    ...broken,
  },
  {
    name: "a file of the host",
    modules: ({ secret }) => module(`file://${secret}`),
    commit: ({ secretCommit }) => secretCommit,
    ...unavailable,
  },
  {
    name: "a folder of the host",
    modules: ({ secret }) => module(secret),
    commit: ({ secretCommit }) => secretCommit,
    ...unavailable,
  },
  {
    name: "a folder of the host, from the mirror on",
    modules: ({ secret }) => module(`../../../..${secret}`),
    commit: ({ secretCommit }) => secretCommit,
    ...unavailable,
  },
  {
    name: "the folder above all",
    modules: () => module("../../.."),
    ...unavailable,
  },
  {
    name: "a link in its place",
    instead: ({ folder }, { world }) =>
      Deno.symlink(`../../..${world.folder}/etc/secret`, `${folder}/sub`),
    reads: () => "./sub",
    exit: 6,
  },
  {
    name: "a server that wants a token",
    modules: ({ other }) => module(`${other}lib.git`),
    ...unavailable,
    reason: "input-denied",
  },
  {
    name: "a delta of a terabyte",
    modules: ({ bomb }) => module(bomb),
    ...unavailable,
  },
  {
    name: "a local repository that names a command",
    modules: ({ attack }) => module(`ext::sh -c "${attack}"`),
    ...unavailable,
    isLocal: true,
  },
];

/** What the submodule says of itself, and of its own submodules. */
const inner: Hostile[] = [
  {
    name: "filters, hooks and a configuration",
    files: ({ attack }) => ({
      word: "harmless",
      ".gitattributes": "* filter=evil diff=evil merge=evil\n",
      ".gitconfig": `[filter "evil"]\n\tsmudge = ${attack}\n`,
      ".lfsconfig": `[lfs]\n\turl = ext::${attack}\n`,
      "hooks/post-checkout": `#!/bin/sh\n${attack}\n`,
      ".githooks/post-checkout": `#!/bin/sh\n${attack}\n`,
      HEAD: "ref: refs/heads/main\n",
      config: `[core]\n\tfsmonitor = ${attack}\n\tbare = true\n`,
      "objects/a": "",
      "refs/a": "",
    }),
    exit: 0,
  },
  {
    name: "a link to a file of the host",
    change: ({ folder }, { world }) =>
      Deno.symlink(`${world.folder}/etc/secret`, `${folder}/word`),
    exit: 6,
  },
  {
    name: "a link to a folder of the host",
    change: ({ folder }, { secret }) => Deno.symlink(secret, `${folder}/deep`),
    reads: () => "./sub/deep/HEAD",
    exit: 6,
  },
  ...Object.entries({
    "a command": ({ attack }: Place) => module(`ext::sh -c "${attack}"`),
    "an update that is a command": ({ served, attack }: Place) =>
      module(`${served}deep.git`, { more: `\tupdate = !${attack}\n` }),
    "a URL that is an option": () => module("-u./payload"),
    "a path that is an option": ({ served }: Place) =>
      module(`${served}deep.git`, { path: "-sub" }),
    "a name out of the folder": ({ served }: Place) =>
      module(`${served}deep.git`, { name: "../../../x" }),
    "a file of the host": ({ secret }: Place) => module(`file://${secret}`),
    "a folder of the host": ({ secret }: Place) => module(secret),
  }).map(([name, text]): Hostile => ({
    name: `nested: ${name}`,
    files: (place) => ({ word: "harmless", ".gitmodules": text(place) }),
    change: (lib, { secretCommit }) => link(lib, secretCommit),
    ...unavailable,
  })),
];

/** Reads the word of a repository that the flake asks for by itself. */
const asked = (what: string) => `"\${builtins.fetchGit { ${what} }}/word"`;

/** What the flake asks for by itself. */
const inputs: Hostile[] = [
  {
    // Whoever knows the hash may read it, as docs/security.md says.
    name: "a repository of the host, by its hash",
    reads: ({ secret, secretCommit }) =>
      asked(`url = "file://${secret}"; ref = "main"; rev = "${secretCommit}";`),
    exit: 0,
    isRead: true,
  },
  {
    name: "a repository of the host, without its hash",
    reads: ({ secret }) => asked(`url = "file://${secret}"; ref = "main";`),
    exit: 6,
  },
  {
    name: "a command",
    reads: ({ attack, secretCommit }) =>
      asked(`url = "ext::sh -c '${attack}'"; rev = "${secretCommit}";`),
    exit: 6,
  },
  {
    name: "a URL that is an option",
    reads: ({ secretCommit }) =>
      asked(`url = "--upload-pack=./payload"; rev = "${secretCommit}";`),
    exit: 6,
  },
];

/** Puts a submodule into a repository, at `sub`. */
async function link(repository: Repository, commit: string): Promise<void> {
  await Deno.mkdir(`${repository.folder}/sub`, { recursive: true });
  const entry = `160000,${commit},sub`;
  await repository.git("update-index", "--add", "--cacheinfo", entry);
}

/** A host of its own for a case, with all that the case may abuse. */
async function run(hostile: Hostile): Promise<void> {
  await using world = await World.make();
  const srv = `${world.folder}/srv`;
  const repository = await makeRepository(`${srv}/infra`);
  const library = await makeRepository(`${srv}/lib`);
  const hidden = await makeRepository(`${world.folder}/hidden`);
  const secretCommit = await hidden.publish("Hidden", { files: { word } });
  world.write("/etc/secret", word);
  await using served = serve(withToken(token, gitHttp(srv)));
  await using other = serve(withToken("another", gitHttp(srv)));
  await using bomb = serve(terabyte());
  const place: Place = {
    world,
    served: `${served.url}/`,
    other: `${other.url}/`,
    bomb: `${bomb.url}/bomb.git`,
    secret: hidden.bare,
    secretCommit,
    attack: `touch ${world.folder}/pwned`,
  };
  await hostile.change?.(library, place);
  const inLibrary = await library.publish("A library", {
    files: hostile.files?.(place) ?? { word: "harmless" },
  });
  const commit = hostile.commit?.(place) ?? inLibrary;
  if (hostile.instead) await hostile.instead(repository, place);
  else await link(repository, commit);
  const flake = await Deno.readTextFile(`${repository.folder}/flake.nix`);
  await repository.publish("A submodule", {
    files: {
      payload: `#!/bin/sh\n${place.attack}\n`,
      ".gitmodules": (hostile.modules ?? lib)(place),
      "flake.nix": flake.replace(
        'greeting = "hello"',
        `greeting = builtins.readFile ${
          hostile.reads?.(place) ?? "./sub/word"
        }`,
      ),
    },
  });
  world.write("/etc/gitops-sync/token", token);
  world.configure(repository, {
    submodules: true,
    retries: 0,
    ...(hostile.isLocal ? {} : {
      repository: `${place.served}infra.git`,
      tokenFile: "/etc/gitops-sync/token",
    }),
  });
  const ended = await world.run([...alone, "gitops-sync", "sync", "--json"]);
  const all = ended.stdout + ended.stderr;
  assertEquals(world.read("/pwned"), null, "foreign code ran");
  assert(!all.includes(word), all);
  if (!hostile.isRead) assertEquals(await secretsIn(world), "");
  const stolen = other.offered.filter((one) => one.includes(token));
  assertEquals(stolen, [], "the token went to another server");
  assertEquals(ended.code, hostile.exit, all);
  if (hostile.reason === undefined) return;
  const { error } = JSON.parse(ended.stdout);
  assertEquals(error.reason, hostile.reason, all);
  assert(error.hints.length > 0, all);
}

/** The files in the store that hold what nobody may read. */
async function secretsIn(world: World): Promise<string> {
  const store = world.path("/nix/store");
  await Deno.mkdir(store, { recursive: true });
  return await output(["sh", "-c", 'grep -rlF "$0" "$1" || true', word, store]);
}

for (const [who, cases] of Object.entries({ outer, inner, inputs })) {
  for (const hostile of cases) {
    Deno.test({
      name: `a hostile submodule, ${who}: ${hostile.name}`,
      ignore: refusal !== null,
      fn: () => run(hostile),
    });
  }
}
