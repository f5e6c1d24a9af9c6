import { dirname } from "node:path";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import {
  credentialOptions,
  publicOptions,
  trustedOptions,
} from "../../lib/nix/arguments.ts";
import {
  fetchable,
  machinesIn,
  needsCredential,
} from "../../lib/nix/inputs.ts";
import { inputsIn, inputsOf, refuseOutside } from "../../lib/nix/lock_file.ts";
import { refuseToCopy } from "../../lib/nix/room.ts";
import { settingsIn } from "../../lib/nix/settings.ts";
import { run } from "../../lib/process/run_command.ts";
import type { Run } from "../../lib/run/run.ts";
import type { Readable } from "../../lib/run/stages.ts";
import { output } from "../world/program.ts";
import { gitEnvironment } from "../world/repository.ts";

const hash = `sha256-${"A".repeat(43)}=`;
const rev = "1".repeat(40);

Deno.test("the inputs of a lock file are those that are locked", () => {
  const inputs = inputsIn(JSON.stringify({
    nodes: { root: { inputs: { a: "a" } }, a: { locked: { type: "github" } } },
  }));
  assertEquals(inputs, [{ name: "a", locked: { type: "github" } }]);
  for (const text of ["", "[]", '{"nodes":[]}', '{"nodes":{"a":1}}']) {
    assertEquals(inputsIn(text), undefined, text);
  }
});

function reasonOf(
  locked: Record<string, unknown>,
  repository: string,
  directory = "",
): string | undefined {
  try {
    refuseOutside(rev, [{ name: "a", locked }], { repository, directory });
    return undefined;
  } catch (error) {
    return (error as SyncError).reason;
  }
}

Deno.test("an input that is a place of the host is refused", () => {
  const remote = "https://git.example.org/infra.git";
  const outside: Record<string, unknown>[] = [
    { type: "path", path: "/etc" },
    { type: "path", path: "../etc" },
    { type: "path", path: "a/../../etc" },
    { type: "path" },
    { type: "file", url: "file:///etc/shadow" },
    { type: "tarball", url: "FILE:///x.tar" },
    { type: "tarball", url: "/x.tar" },
    { type: "git", url: "file:///srv/x" },
    { type: "hg", url: "file:///srv/x" },
  ];
  for (const locked of outside) {
    const text = JSON.stringify(locked);
    assertEquals(reasonOf(locked, remote), "input-outside", text);
  }
  const inside: Record<string, unknown>[] = [
    { type: "path", path: "./a" },
    { type: "path", path: "a/../b" },
    { type: "github", owner: "a", repo: "b", rev },
    { type: "git", url: "ssh://git@example.org/x" },
    { type: "tarball", url: "https://example.org/x.tar" },
  ];
  for (const locked of inside) {
    assertEquals(reasonOf(locked, remote), undefined, JSON.stringify(locked));
  }
  const beside = { type: "path", path: "../b" };
  assertEquals(reasonOf(beside, remote, "hosts"), undefined);
  // Where the repository is on the host, its neighbours may be inputs.
  const neighbour = { type: "git", url: "file:///srv/x", rev };
  assertEquals(reasonOf(neighbour, "file:///srv/infra.git"), undefined);
});

Deno.test("only what names a server and a hash is fetched with credentials", () => {
  const good: Record<string, unknown>[] = [
    { type: "github", owner: "NixOS", repo: "nixpkgs", rev, narHash: hash },
    { type: "gitlab", owner: "a/b", repo: "c", rev, narHash: hash },
    {
      type: "git",
      url: "ssh://git@example.org/x.git",
      rev,
      ref: "main",
      narHash: hash,
      revCount: 3,
      lastModified: 1,
      submodules: true,
    },
    {
      type: "tarball",
      url: "https://example.org:8443/x.tar?a=b",
      narHash: hash,
    },
  ];
  for (const locked of good) {
    assertEquals(fetchable(locked), locked, JSON.stringify(locked));
  }
  const withDir = { ...good[0], dir: "lib", __final: true };
  assertEquals(fetchable(withDir), good[0]);
  const bad: Record<string, unknown>[] = [
    { type: "path", path: "/etc", narHash: hash },
    { type: "indirect", id: "nixpkgs", narHash: hash },
    { type: "git", url: "file:///srv/x", rev, narHash: hash },
    { type: "git", url: "/srv/x", rev, narHash: hash },
    { type: "git", url: "ext::sh -c x", rev, narHash: hash },
    { type: "git", url: "ssh://-oProxyCommand=x/y", rev, narHash: hash },
    { type: "git", url: "ssh://a:b@example.org/y", rev, narHash: hash },
    { type: "git", url: "ssh://example.org/y", rev },
    { type: "git", url: "ssh://example.org/y", rev: "--x", narHash: hash },
    { type: "git", url: "ssh://example.org/y", ref: "-x", narHash: hash },
    { type: "git", url: "ssh://example.org/y", narHash: hash, odd: 1 },
    { type: "file", url: "file:///etc/shadow", narHash: hash },
    { type: "file", url: "https://example.org/y" },
    { type: "github", owner: "a", repo: "../b", rev, narHash: hash },
    { type: "github", host: "a/b", owner: "a", repo: "b", rev, narHash: hash },
    { type: "toString" },
    {},
  ];
  for (const locked of bad) {
    assertEquals(fetchable(locked), undefined, JSON.stringify(locked));
  }
});

Deno.test("credentials are used where there is one for the server", () => {
  const none = { servers: [] };
  const tree = { type: "github", owner: "a", repo: "b" };
  assertEquals(needsCredential(tree, none), false);
  assertEquals(needsCredential(tree, { servers: ["github.com"] }), true);
  assertEquals(needsCredential(tree, { servers: ["api.github.com"] }), true);
  assertEquals(needsCredential(tree, { servers: ["*"] }), true);
  const ssh = { type: "git", url: "ssh://example.org/x" };
  assertEquals(needsCredential(ssh, none), true);
  const https = { type: "git", url: "https://example.org:8443/x" };
  assertEquals(needsCredential(https, none), false);
  assertEquals(needsCredential(https, { servers: ["example.org"] }), true);
  assertEquals(
    machinesIn("machine a.example login x password machine\ndefault login y"),
    ["a.example", "default", "*"],
  );
});

Deno.test("arguments are sorted by who may have them", () => {
  const options = [
    ...["--max-jobs", "1", "--option", "netrc-file", "/n", "-L"],
    ...["--access-tokens", "a=b", "--option", "cores", "2"],
  ];
  assertEquals(credentialOptions(options), [
    ...["--option", "netrc-file", "/n", "--access-tokens", "a=b"],
  ]);
  assertEquals(publicOptions(options), [
    ...["--max-jobs", "1", "-L", "--option", "cores", "2"],
  ]);
  assertEquals(trustedOptions(options), undefined);
  assertEquals(trustedOptions(["--builders", ""]), undefined);
  assertEquals(
    trustedOptions([...options, "--option", "sandbox", "false"]),
    [
      ...["--max-jobs", "1", "--option", "netrc-file", "/n"],
      ...["--option", "cores", "2", "--option", "sandbox", "false"],
    ],
  );
  assertEquals(trustedOptions(["--builders", "ssh://b", "-k"]), [
    ...["--builders", "ssh://b", "-k"],
  ]);
});

Deno.test("the settings of Nix are read, whatever they look like", () => {
  assertEquals(settingsIn("no JSON"), undefined);
  assertEquals(
    settingsIn(JSON.stringify({
      "build-users-group": { value: "nixbld" },
      "allowed-users": { value: ["*"] },
      "trusted-users": { value: "root @wheel" },
      "access-tokens": { value: { "github.com/a": "t" } },
      "netrc-file": { value: "/etc/nix/netrc" },
    })),
    {
      buildUsersGroup: "nixbld",
      allocatesUsers: false,
      allowedUsers: ["*"],
      trustedUsers: ["root", "@wheel"],
      netrcFile: "/etc/nix/netrc",
      tokenPlaces: ["github.com/a"],
    },
  );
  assertThrows(
    () =>
      refuseOutside(rev, [{ name: "a", locked: { type: "path" } }], {
        repository: "https://example.org/x",
        directory: "",
      }),
    SyncError,
  );
});

/** The inputs of a repository with these files and links, or why there are none. */
async function lockOf(
  files: Record<string, string>,
  links: Record<string, string>,
  directory = "",
) {
  const mirror = await Deno.makeTempDir();
  try {
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(dirname(`${mirror}/${path}`), { recursive: true });
      await Deno.writeTextFile(`${mirror}/${path}`, text);
    }
    for (const [path, to] of Object.entries(links)) {
      await Deno.symlink(to, `${mirror}/${path}`);
    }
    const git = ["git", "-C", mirror];
    const env = gitEnvironment;
    await output([...git, "init", "-q"], { env });
    await output([...git, "add", "-A"], { env });
    await output([...git, "commit", "-qm", "x", "--allow-empty"], { env });
    const revision = await output([...git, "rev-parse", "HEAD"]);
    return await inputsOf(
      { config: { directory }, effects: { run } } as unknown as Run,
      { mirror, commit: { revision } } as unknown as Readable,
    );
  } finally {
    await Deno.remove(mirror, { recursive: true });
  }
}

Deno.test("a lock file is read from the repository alone", async () => {
  const lock = JSON.stringify({ nodes: { a: { locked: { type: "x" } } } });
  const expected = [{ name: "a", locked: { type: "x" } }];
  assertEquals(await lockOf({}, {}), []);
  assertEquals(await lockOf({ "flake.lock": lock }, {}), expected);
  assertEquals(await lockOf({ "a/flake.lock": lock }, {}, "a"), expected);
  assertEquals(
    await lockOf({ real: lock }, { "flake.lock": "real" }),
    expected,
  );
  const bad: [() => Promise<unknown>, string][] = [
    [() => lockOf({}, { "flake.lock": "/dev/zero" }), "lock-outside"],
    [() => lockOf({}, { "flake.lock": "../../etc/shadow" }), "lock-outside"],
    [() => lockOf({}, { "flake.lock": "gone" }), "lock-outside"],
    [() => lockOf({ "flake.lock/x": "" }, {}), "lock-unreadable"],
    [() => lockOf({ "flake.lock": "{" }, {}), "lock-unreadable"],
    [() => lockOf({ "flake.lock": " ".repeat(5e6) }, {}), "lock-unreadable"],
  ];
  for (const [asked, reason] of bad) {
    const error = await assertRejects(asked, SyncError);
    assertEquals((error as SyncError).reason, reason);
  }
});

Deno.test("a revision of more files than can be made is not copied", () => {
  refuseToCopy(1, 100, 0, { bytes: 2, files: 30_000 });
  refuseToCopy(1, 1e9, 0, { bytes: 2, files: Infinity });
  const error = assertThrows(
    () => refuseToCopy(1, 20_000, 0, { bytes: 2, files: 30_000 }),
    SyncError,
  );
  const { reason, next } = error as SyncError;
  assertEquals([reason, next], ["inodes-low", "retry"]);
});
