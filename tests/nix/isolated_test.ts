import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { makeKey } from "../git/servers.ts";
import { letIsolate } from "../machine/isolation.ts";
import { Machine } from "../machine/machine.ts";
import type { Settings } from "../world/host.ts";
import { type Program, start } from "../world/program.ts";
import { output } from "../world/program.ts";
import {
  gitEnvironment,
  makeRepository,
  type Repository,
} from "../world/repository.ts";
import { system } from "./flake.ts";
import type { Ready } from "./private_servers.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`isolation is not tested here: ${refusal}`);

const unit = "gitops-sync-evaluate.service";
const token = "token-of-this-host-alone";

/** A flake whose system is a folder with the text of this expression. */
function flake(code: string, inputs = ""): string {
  return `{
  inputs = { ${inputs} };
  outputs = inputs: {
    nixosConfigurations.demo.config.system.build.toplevel = derivation {
      name = "system";
      system = "${system}";
      builder = "/bin/sh";
      args = [ "-c" "/bin/mkdir $out; printf %s \\"$text\\" > $out/text" ];
      text = ${code};
    };
  };
}
`;
}

const built = (script: string) =>
  `"\${derivation { name = "part"; system = "${system}"; builder = "/bin/sh"; args = [ "-c" "${script}" ]; }}"`;

/** Evaluates for hours, in little memory and without waiting for anybody. */
const endless =
  "let xs = builtins.genList (x: x) 200000; in toString (builtins.foldl' (a: _: builtins.foldl' (b: y: b + y) a xs) 0 xs)";

interface Scene {
  machine: Machine;
  repository: Repository;
  /** Publishes files, and gives the revision. */
  publish(files: Record<string, string | null>): Promise<string>;
  configure(settings?: Settings): void;
}

/** Runs `sync`; gives the system that was built, or why there is none. */
async function sync({ machine }: Scene, env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await machine
    .startSync(["retry", "--json"], { env }).ended;
  const { reason = "", system = "" } = outcomeOf(stdout);
  const text = system ? machine.read(`${system}/text`) : null;
  return { code, reason, system, text, stderr };
}

function outcomeOf(json: string): { reason?: string; system?: string } {
  try {
    const { error, system, deployment } = JSON.parse(json);
    return { reason: error?.reason, system: system ?? deployment?.system };
  } catch {
    return {};
  }
}

async function isGone(machine: Machine): Promise<boolean> {
  const list = await machine.output(
    ["systemctl", "list-units", "--all", "--plain", "--no-legend", unit],
  );
  return list === "";
}

/** Waits for at most a minute, so that a fault ends the test. */
async function until(isTrue: () => boolean | Promise<boolean>) {
  const end = Date.now() + 60_000;
  while (!await isTrue()) {
    if (Date.now() > end) throw new Error(`in vain: ${isTrue}`);
    await sleep(50);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function evaluates(machine: Machine): Promise<void> {
  await until(async () => {
    const { stdout } = await machine.run(["systemctl", "is-active", unit]);
    return stdout.trim() === "active";
  });
}

/** Steps that share a machine, since each alone would boot one. */
Deno.test({
  name: "revisions are evaluated without the host's power",
  ignore: refusal !== null,
  fn: async (t) => {
    await using machine = await Machine.boot();
    const repository = await makeRepository(`${machine.shared}/infra`);
    await repository.publish("What a host is made of");
    const settings: Settings = { operation: "build", retries: 0 };
    const scene: Scene = {
      machine,
      repository,
      publish: (files) => repository.publish("A change", { files }),
      configure: (more = {}) =>
        machine.configure(repository, { ...settings, ...more }),
    };
    await t.step("without build users", () => withoutBuildUsers(scene));
    await letIsolate(machine);
    await t.step("the same system", () => sameSystem(scene));
    await t.step("a netrc file of the daemon", () => daemonNetrc(scene));
    await t.step("settings in other files", () => includedSettings(scene));
    await t.step("a state folder with a space", () => oddFolder(scene));
    await t.step("parts that are built meanwhile", () => builtParts(scene));
    await t.step("a probe", () => proves(scene));
    await t.step("options of root", () => optionsOfRoot(scene));
    await t.step("a daemon that trusts or refuses", () => oddDaemon(scene));
    await t.step("ended from outside", () => endedFromOutside(scene));
    await t.step("too long, too large", () => tooMuch(scene));
    await t.step("a run that is stopped or killed", () => cutOff(scene));
    await t.step("without systemd", () => withoutSystemd(scene));
    await t.step("private inputs", () => privateInputs(scene));
  },
});

async function withoutBuildUsers(scene: Scene) {
  const { machine, configure, publish } = scene;
  await publish({ "flake.nix": flake('"one"') });
  configure({ "build.isolate": true });
  const refused = await sync(scene);
  assertEquals(refused.code, 6, refused.stderr);
  assertEquals(refused.reason, "not-isolated");
  assertStringIncludes(
    refused.stderr,
    "the user gitops-sync-eval does not exist",
  );
  configure();
  const first = await sync(scene);
  assertEquals(first.text, "one", first.stderr);
  const why = "the user gitops-sync-eval does not exist";
  assertStringIncludes(first.stderr, why);
  const status = await machine.sync("status", "--offline");
  assertStringIncludes(status.stdout, why);
  await publish({ "flake.nix": flake('"two"') });
  const second = await sync(scene);
  assertEquals(second.text, "two", second.stderr);
  assert(!second.stderr.includes(why), "it is told once");
}

async function sameSystem(scene: Scene) {
  const { configure, publish, machine } = scene;
  const revision = await publish({
    "flake.nix": flake("inputs.self.rev + toString inputs.self.lastModified")
      // NixOS's configurationRevision.
      .replace("text =", "revision = inputs.self.rev; text ="),
  });
  configure({ "build.isolate": true });
  const isolated = await sync(scene);
  assertStringIncludes(isolated.text ?? "", revision, isolated.stderr);
  const derivation = async () =>
    await machine.output(
      ["nix-store", "--query", "--deriver", isolated.system],
    );
  const drv = await derivation();
  assertMatch(drv, /\.drv$/);
  await forget(machine, isolated.system, drv);
  const status = await machine.sync("status", "--offline");
  assert(!status.stdout.includes("isolated"), status.stdout);
  // Another operation of the same revision is another attempt.
  await machine.output(["rm", "-r", "/var/lib/gitops-sync"]);
  configure({ "build.isolate": false });
  const direct = await sync(scene);
  assertEquals(direct.system, isolated.system, direct.stderr);
  assertEquals(await derivation(), drv);
}

/** Removes a system and how it is made, so that both come anew. */
async function forget(machine: Machine, ...paths: string[]): Promise<void> {
  await machine.output(["rm", "-rf", "/var/lib/gitops-sync/roots"]);
  await machine.output(["rm", "-rf", "/var/lib/gitops-sync/build"]);
  await machine.output(["nix-store", "--delete", ...paths]);
}

/** What a host's nix.conf must include is not in the unit. */
async function includedSettings({ machine, ...scene }: Scene) {
  const { configure, publish } = scene;
  const conf = machine.read("/etc/nix/nix.conf")!;
  machine.write("/etc/nix/tokens.conf", `access-tokens = x.test=${token}\n`);
  await machine.output(["chmod", "600", "/etc/nix/tokens.conf"]);
  machine.write("/etc/nix/nix.conf", `${conf}\ninclude tokens.conf\n`);
  configure({ "build.isolate": true });
  await publish({ "flake.nix": flake('"with tokens"') });
  const ended = await sync({ machine, ...scene });
  assertEquals(ended.text, "with tokens", ended.stderr);
  machine.write("/etc/nix/nix.conf", conf);
  await machine.output(["rm", "/etc/nix/tokens.conf"]);
}

/** Nix 2.8 reads no such path in a URL. */
async function oddFolder(scene: Scene) {
  const { configure, publish } = scene;
  configure({
    "build.isolate": true,
    stateDirectory: "/var/lib/git ops",
  });
  const revision = await publish({
    "flake.nix": flake('inputs.self.rev + " there"'),
  });
  const ended = await sync(scene);
  assertEquals(ended.text, `${revision} there`, ended.stderr);
}

/** The daemon hands it to the builder "fetchurl", which reads files. */
async function daemonNetrc({ machine, ...scene }: Scene) {
  const { configure, publish } = scene;
  configure({ "build.isolate": true });
  machine.write("/etc/nix/netrc", "machine x login y password z\n");
  await publish({ "flake.nix": flake('"with a netrc"') });
  const ended = await sync({ machine, ...scene });
  assertEquals(ended.text, "with a netrc", ended.stderr);
  const told = await machine.sync("status", "--offline");
  assertStringIncludes(told.stdout, "A revision can read /etc/nix/netrc");
  await machine.output(["rm", "/etc/nix/netrc"]);
  await publish({ "flake.nix": flake('"without one"') });
  assertEquals((await sync({ machine, ...scene })).text, "without one");
  const silent = await machine.sync("status", "--offline");
  assert(!silent.stdout.includes("netrc"), silent.stdout);
}

/** What a candidate asks before it is confirmed. */
async function proves({ machine, configure }: Scene) {
  configure({ "build.isolate": true });
  const probe = () =>
    machine.run(
      ["deno", "eval", "--config=/opt/gitops-sync/deno.json", probeModule],
      { timeout: 60_000 },
    );
  const well = await probe();
  assertEquals(well.stdout.trim(), "well", well.stderr);
  const socket = "/nix/var/nix/daemon-socket/socket";
  await machine.output(["chmod", "600", socket]);
  const ill = await probe();
  await machine.output(["chmod", "666", socket]);
  assertStringIncludes(ill.stdout, "Cannot isolate the evaluation", ill.stderr);
}

const probeModule = `
const at = "/opt/gitops-sync/lib/";
const { refuseUnlessEvaluates } = await import(at + "nix/probe.ts");
const { loadConfig } = await import(at + "config/config.ts");
const { run } = await import(at + "process/run_command.ts");
const config = await loadConfig("/etc/gitops-sync/config.yaml", []);
try {
  await refuseUnlessEvaluates({ run }, config);
  console.log("well");
} catch (error) {
  console.log(error.message);
}
`;

async function builtParts(scene: Scene) {
  const { configure, publish } = scene;
  await publish({
    "flake.nix": flake(`builtins.readFile ${built("printf part > $out")}`),
  });
  configure({ "build.isolate": true, "nix.importFromDerivation": false });
  const refused = await sync(scene);
  assertEquals(refused.code, 6, refused.stderr);
  assertEquals(refused.reason, "evaluation-error");
  configure({ "build.isolate": true });
  assertEquals((await sync(scene)).text, "part");
}

/** What the daemon takes from root alone counts all the same. */
async function optionsOfRoot(scene: Scene) {
  const { configure, publish } = scene;
  const features = ["--option", "system-features", "of-this-host"];
  const needs = flake('"needed"').replace(
    "derivation {",
    'derivation { requiredSystemFeatures = [ "of-this-host" ];',
  );
  await publish({ "flake.nix": needs });
  configure({ "build.isolate": true });
  assertNotEquals((await sync(scene)).code, 0);
  configure({ "build.isolate": true, "build.options": features });
  const ended = await sync(scene);
  assertEquals(ended.text, "needed", ended.stderr);
}

async function oddDaemon(scene: Scene) {
  const { machine, configure, publish } = scene;
  await publish({ "flake.nix": flake('"never"') });
  const conf = machine.read("/etc/nix/nix.conf")!;
  configure({ "build.isolate": true });
  const odd: [line: string, why: string][] = [
    ["trusted-users = root *", "trusts gitops-sync-eval"],
    ["allowed-users = root", "refuses gitops-sync-eval"],
    ["build-users-group =", "has no build users"],
  ];
  try {
    for (const [line, why] of odd) {
      machine.write("/etc/nix/nix.conf", `${conf}\n${line}\n`);
      const { reason, stderr } = await sync(scene);
      assertEquals(reason, "not-isolated", stderr);
      assertStringIncludes(stderr, why);
    }
  } finally {
    machine.write("/etc/nix/nix.conf", conf);
  }
}

async function endedFromOutside(scene: Scene) {
  const { machine, configure, publish } = scene;
  await publish({ "flake.nix": flake(endless) });
  configure({ "build.isolate": true });
  const ways = [
    ["systemctl", "stop", unit],
    ["systemctl", "kill", "--signal=KILL", unit],
  ];
  for (const how of ways) {
    const run = sync(scene);
    await evaluates(machine);
    await machine.output(how);
    const ended = await run;
    assertEquals(ended.code, 6, ended.stderr);
    assertEquals(ended.reason, "evaluation-ended", ended.stderr);
    assertEquals((await machine.state())?.holds, []);
    assert(await isGone(machine));
  }
}

async function tooMuch(scene: Scene) {
  const { machine, configure, publish } = scene;
  configure({ "build.isolate": true, "timeouts.build": "2s" });
  const late = await sync(scene);
  assertEquals(late.reason, "timed-out", late.stderr);
  assert(await isGone(machine));
  await publish({
    "flake.nix": flake(
      'builtins.foldl\' (a: _: a + a) "aaaaaaaa" (builtins.genList (x: x) 40)',
    ),
  });
  for (const isolate of [true, false]) {
    configure({ "build.isolate": isolate, "limits.evaluation": "256M" });
    const large = await sync(scene);
    assertEquals(large.reason, "out-of-memory", large.stderr);
  }
  assert(await isGone(machine));
  assertEquals(await machine.health(), "running");
}

async function cutOff(scene: Scene) {
  const { machine, configure, publish } = scene;
  await publish({ "flake.nix": flake(`${endless} + "!"`) });
  configure({ "build.isolate": true });
  const service = ["--unit=gitops-run", "--service-type=oneshot", "--no-block"];
  for (const how of [["stop"], ["kill", "--signal=KILL"]]) {
    await machine.output(
      ["systemd-run", "--quiet", "--collect", ...service, "gitops-sync"],
    );
    await evaluates(machine);
    await machine.output(["systemctl", ...how, "gitops-run.service"]);
    await until(() => isGone(machine));
  }
  // By hand there is no unit that would take it along.
  const run = machine.startSync(["sync", "--now"]);
  await evaluates(machine);
  run.signal("SIGKILL");
  await run.ended;
  assert(!await isGone(machine));
  await publish({ "flake.nix": flake('"after all"') });
  const ended = await sync(scene);
  assertEquals(ended.text, "after all", ended.stderr);
  assert(await isGone(machine));
}

/** The nearest that the kernel itself can do. */
async function withoutSystemd(scene: Scene) {
  const { machine, configure, publish } = scene;
  machine.write("/root/word", "of root's");
  await publish({
    "flake.nix": flake(`builtins.readFile ${built("printf made > $out")}`),
  });
  const hidden = [
    ...["unshare", "--mount", "sh", "-c"],
    'mount -t tmpfs tmpfs /run/systemd && exec "$@"',
    "hidden",
  ];
  const run = async () => {
    const { stdout, stderr } = await machine.run(
      [...hidden, "gitops-sync", "retry", "--json"],
    );
    const { system, reason } = outcomeOf(stdout);
    const text = system ? machine.read(`${system}/text`) : null;
    return { text, reason, stderr };
  };
  configure({ "build.isolate": true });
  const ended = await run();
  assertEquals(ended.text, "made", ended.stderr);
  assertStringIncludes(ended.stderr, "only by namespaces of the kernel");
  const zeros = "0".repeat(52);
  await publish({
    "flake.nix": flake(
      `builtins.fetchurl { url = "file:///root/word"; sha256 = "${zeros}"; }`,
    ),
  });
  const hostile = await run();
  assertStringIncludes(hostile.stderr, "Couldn't open file", hostile.stderr);
  await publish({ "flake.nix": flake(endless) });
  configure({ "build.isolate": true, "timeouts.build": "2s" });
  assertEquals((await run()).reason, "timed-out");
  const left = await machine.run(["pgrep", "-u", "gitops-sync-eval"]);
  assertEquals(left.stdout, "");
}

/** A repository with one file, and the hash that Nix has of its tree. */
async function makeDependency(folder: string, word: string) {
  const tree = `${folder}/${word}`;
  await Deno.mkdir(tree);
  await Deno.writeTextFile(`${tree}/word`, word);
  const hash = await output([
    "nix",
    "--extra-experimental-features",
    "nix-command",
    ...["hash", "path", "--sri", "--type", "sha256", tree],
  ]);
  await output(["tar", "-czf", `${tree}.tar.gz`, "-C", folder, word]);
  const git = ["git", "-C", tree];
  const env = gitEnvironment;
  await output([...git, "init", "-q", "--initial-branch=main"], { env });
  await output([...git, "add", "."], { env });
  await output([...git, "commit", "-qm", "x"], { env });
  const rev = await output([...git, "rev-parse", "HEAD"]);
  const bare = `${tree}.git`;
  await output(["git", "clone", "-q", "--bare", tree, bare], { env });
  return { narHash: hash, rev, revCount: 1, lastModified: 1 };
}

async function startServers(machine: Machine, folder: string) {
  const key = await makeKey(`${folder}/key`);
  const program: Program = start([
    ...["nsenter", `--target=${machine.init}`, "--net"],
    ...[Deno.execPath(), "run", "--quiet", "--allow-all"],
    new URL("private_servers.ts", import.meta.url).pathname,
    ...[folder, key, token],
  ], { timeout: 10 * 60_000 });
  const ended = program.ended.catch(() => {});
  let text = "";
  await until(async () => {
    text = await Deno.readTextFile(`${folder}/ready.json`).catch(() => "");
    return text !== "";
  });
  return {
    ...JSON.parse(text) as Ready,
    [Symbol.asyncDispose]: async () => {
      program.signal("SIGTERM");
      await ended;
    },
  };
}

async function privateInputs(scene: Scene) {
  const { machine, configure, publish, repository } = scene;
  const folder = `${machine.folder}/private`;
  await Deno.mkdir(folder);
  const keyed = await makeDependency(folder, "keyed");
  const tokened = await makeDependency(folder, "tokened");
  const { narHash } = await makeDependency(folder, "netrc");
  await using servers = await startServers(machine, folder);
  const { ssh, git, files } = servers;
  const key = await Deno.readTextFile(`${folder}/key`);
  machine.write("/etc/ssh/deploy", key);
  machine.write("/etc/ssh/pinned", servers.knownHosts);
  machine.write("/etc/gitops-sync/token", token);
  machine.write(
    "/etc/nix/netrc",
    `machine 127.0.0.1 login git password ${token}\n`,
  );
  const ca = await Deno.readTextFile(`${folder}/ca.pem`);
  machine.write("/etc/company.pem", ca);
  await machine.output(
    ["chmod", "600", "/etc/ssh/deploy", "/etc/gitops-sync/token"],
  );
  await machine.output(["chmod", "600", "/etc/nix/netrc"]);
  await output(["ln", "-s", repository.bare, `${folder}/infra.git`]);

  const locked: Record<string, Record<string, unknown>> = {
    keyed: { type: "git", url: `${ssh}${folder}/keyed.git`, ...keyed },
    tokened: { type: "git", url: `${git}/tokened.git`, ...tokened },
    netrc: {
      type: "tarball",
      url: `${files}/netrc.tar.gz`,
      narHash,
      lastModified: 1,
    },
  };
  const names = Object.keys(locked);
  const inputs = names.map((name) => {
    const { type, url } = locked[name]!;
    const prefix = type === "git" ? "git+" : "";
    return `${name} = { url = "${prefix}${url}"; flake = false; };`;
  });
  const nodes = Object.fromEntries(names.map((name) => {
    const { type, url } = locked[name]!;
    const original = { type, url };
    return [name, { flake: false, locked: locked[name], original }];
  }));
  const root = {
    inputs: Object.fromEntries(names.map((name) => [name, name])),
  };
  await publish({
    "flake.nix": flake(
      names.map((name) => `builtins.readFile "\${inputs.${name}}/word"`)
        .join(" + "),
      inputs.join(" "),
    ),
    "flake.lock": JSON.stringify({
      nodes: { ...nodes, root },
      root: "root",
      version: 7,
    }),
  });
  const env = { NIX_SSL_CERT_FILE: "/etc/company.pem" };
  const settings: Settings = {
    "build.isolate": true,
    repository: `${git}/infra.git`,
    knownHosts: "/etc/ssh/pinned",
    tokenFile: "/etc/gitops-sync/token",
  };
  configure(settings);
  const keyless = await sync(scene, env);
  assertEquals(keyless.code, 6, "the unit has no key of its own");
  // Without a network in the second step all comes from the first.
  configure({
    ...settings,
    sshKeyFile: "/etc/ssh/deploy",
    "build.network": false,
  });
  const ended = await sync(scene, env);
  assertEquals(ended.text, "keyedtokenednetrc", ended.stderr);

  await namedCredentials(scene, settings, env);
  await privateSubmodule(scene, settings, env);
  const found = await machine.run([
    ...["grep", "-rlF", "-e", token, "-e", key.split("\n")[2]!],
    ...["/nix/store", "/var/cache/gitops-sync-evaluate", "/var/log"],
  ]);
  assertEquals(found.stdout, "");
}

/** The same inputs with credentials that are named for inputs alone. */
async function namedCredentials(
  scene: Scene,
  settings: Settings,
  env: Record<string, string>,
) {
  const { machine, configure, publish, repository } = scene;
  await forgetSources(machine);
  await machine.output(["mv", "/etc/nix/netrc", "/etc/inputs-netrc"]);
  await machine.output(["mv", "/etc/ssh/deploy", "/etc/ssh/input"]);
  const lock = `${repository.folder}/flake.lock`;
  const { nodes } = JSON.parse(await Deno.readTextFile(lock));
  const text = await Deno.readTextFile(`${repository.folder}/flake.nix`);
  await publish({ "flake.nix": `${text}# again\n` });
  configure({ ...settings, "build.network": false });
  const without = await sync(scene, env);
  assertEquals(without.code, 6, "there is no credential for them");
  configure({
    ...settings,
    "build.network": false,
    "inputs.sshKeys": { [nodes.keyed.locked.url]: "/etc/ssh/input" },
    "inputs.netrcFile": "/etc/inputs-netrc",
  });
  const ended = await sync(scene, env);
  assertEquals(ended.text, "keyedtokenednetrc", ended.stderr);
}

/** What was fetched is fetched again. */
async function forgetSources(machine: Machine): Promise<void> {
  await machine.output(["rm", "-rf", "/var/lib/gitops-sync/roots"]);
  await machine.output(["rm", "-rf", "/var/lib/gitops-sync/build"]);
  await machine.output(["rm", "-rf", "/root/.cache/nix"]);
  await machine.output(
    ["sh", "-c", "rm -rf /var/cache/gitops-sync-evaluate/*; nix-store --gc"],
  );
}

/** A private submodule that is named relative to the repository. */
async function privateSubmodule(
  scene: Scene,
  settings: Settings,
  env: Record<string, string>,
) {
  const { configure, publish, repository } = scene;
  const rev = await output([
    ...["git", "-C", `${scene.machine.folder}/private/tokened.git`],
    ...["rev-parse", "main"],
  ]);
  await repository.git(
    ...["update-index", "--add", "--cacheinfo", `160000,${rev},part`],
  );
  await Deno.mkdir(`${repository.folder}/part`, { recursive: true });
  await publish({
    ".gitmodules":
      '[submodule "part"]\n\tpath = part\n\turl = ../tokened.git\n',
    "flake.nix": flake("builtins.readFile ./part/word"),
    "flake.lock": null,
  });
  configure({ ...settings, submodules: true, "build.network": false });
  const ended = await sync(scene, env);
  assertEquals(ended.text, "tokened", ended.stderr);
}
