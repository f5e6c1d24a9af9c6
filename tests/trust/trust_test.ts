import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { short } from "../../lib/base/text.ts";
import { madeFolder } from "../world/gitops_sync.ts";
import { makeRepository, type Repository } from "../world/repository.ts";
import { World } from "../world/world.ts";
import { Keys } from "./keys.ts";
import { alone } from "./lab.ts";

const refusal = await World.refusal();
if (refusal) console.log(`trust is not tested here: ${refusal}`);

interface Scene {
  world: World;
  repository: Repository;
  keys: Keys;
  /** Publishes a commit, signed by Ada or not. */
  publish: (message: string, isSigned?: boolean) => Promise<string>;
  /** Configures a host that trusts Ada. */
  configure: (settings?: Record<string, unknown>) => void;
}

/** A test with real builds, a repository, and Ada's key. */
function test(name: string, body: (scene: Scene) => Promise<void>) {
  Deno.test({
    name,
    ignore: refusal !== null,
    fn: async () => {
      await using world = await World.make();
      await using keys = await Keys.make(join(world.folder, "keys"));
      const repository = await makeRepository(`${world.folder}/infra`);
      await repository.git("config", "gpg.format", "ssh");
      await repository.git("config", "user.signingkey", keys.path("ada"));
      world.write("/etc/gitops-sync/signers", keys.signerLine("ada"));
      await body({
        world,
        repository,
        keys,
        publish: async (message, isSigned = true) => {
          await repository.git("config", "commit.gpgsign", String(isSigned));
          return await repository.publish(message);
        },
        configure: (settings) =>
          world.configure(repository, {
            "verify.mode": "range",
            "verify.allowedSigners": "/etc/gitops-sync/signers",
            ...settings,
          }),
      });
    },
  });
}

/** Runs gitops-sync where no other test's processes are seen. */
function sync(world: World, ...args: string[]) {
  return world.run([...alone, "gitops-sync", ...args]);
}

/** What a run wrote with --json. */
async function json(world: World, ...args: string[]) {
  const { stdout } = await sync(world, ...args, "--json");
  return JSON.parse(stdout);
}

test("the signer and the key are told by sync, status, history, JSON and to hooks", async (scene) => {
  const { world, keys, publish, configure } = scene;
  await publish("Signed");
  const file = `${world.folder}/told`;
  const note = 'printf %s "$GITOPS_SYNC_SIGNED_BY" >"$1"';
  configure({ "hooks.postDeploy": [["sh", "-c", note, "-", file]] });
  const key =
    (await world.output(["ssh-keygen", "-lf", `${keys.path("ada")}.pub`]))
      .split(" ")[1]!;
  const signers = [{ kind: "ssh", name: "ada@example.org", key }];

  const synced = await sync(world);
  assertEquals(synced.code, 0, synced.stderr);
  assertStringIncludes(synced.stderr, `signed by ada@example.org (${key})`);
  assertEquals(world.read("told"), `ada@example.org (${key})`);

  const status = await sync(world, "status");
  assertStringIncludes(status.stdout, `signed by ada@example.org (${key})`);
  const { lastGood, running } = await json(world, "status");
  assertEquals(lastGood.signers, signers);
  assertEquals(running.deployment.signers, signers);

  const history = await sync(world, "history");
  assertStringIncludes(history.stdout, "SIGNED BY");
  assertStringIncludes(history.stdout, "ada@example.org");
  const { attempts } = await json(world, "history");
  assertEquals(attempts[0].signers, signers);
});

test("what is not signed starts no Nix program, and the host stays as it is", async (scene) => {
  const { world, publish, configure } = scene;
  await publish("Signed");
  configure();
  assertEquals((await sync(world)).code, 0);
  const before = [world.running(), world.bootDefault(), world.calls().length];

  const revision = await publish("Not signed", false);
  // Everything that the run starts, and what that starts.
  const traced = await world.run([
    ...alone,
    "strace",
    "-f",
    "-qq",
    "-e",
    "trace=execve",
    "-o",
    `${world.folder}/trace`,
    "gitops-sync",
    "sync",
    "--json",
  ]);
  assertEquals(traced.code, 4, traced.stderr);
  const { error } = JSON.parse(traced.stdout);
  assertEquals(error.reason, "unsigned");
  const started = [
    ...(world.read("/trace") ?? "").matchAll(/execve\("([^"]+)".*= 0$/gm),
  ]
    .map(([, program]) => program!.split("/").at(-1)!);
  // The compiled program is no Deno.
  const all = madeFolder ? ["git", "gitops-sync"] : ["git", "deno"];
  assert(all.every((one) => started.includes(one)), started.join());
  assertEquals(started.filter((program) => program.startsWith("nix")), []);

  assertEquals(
    [world.running(), world.bootDefault(), world.calls().length],
    before,
  );
  const store = await world.output(["sh", "-c", "ls /nix/store"]);
  assert(!store.includes(revision), "nothing of it is in the store");
  const status = await sync(world, "status");
  assertStringIncludes(status.stdout, "is not signed");
});

test("a move is refused, accepted once, recorded, and refused again", async (scene) => {
  const { world, repository, publish, configure } = scene;
  configure({ "verify.mode": "head" });
  const first = await publish("One");
  assertEquals((await sync(world)).code, 0);
  const second = await publish("Two");
  assertEquals((await sync(world)).code, 0);

  await repository.git(
    "push",
    "--quiet",
    "--force",
    "origin",
    `${first}:refs/heads/main`,
  );
  const refused = await json(world, "sync");
  assertEquals([refused.exit, refused.error.reason], [4, "not-forward"]);
  assert(
    refused.error.hints.some((hint: string) =>
      hint.includes(`accept ${first}`)
    ),
  );

  const accepted = await json(world, "accept", first.slice(0, 12));
  assertEquals([accepted.exit, accepted.result, accepted.revision], [
    0,
    "accepted",
    first,
  ]);
  const synced = await sync(world);
  assertEquals(synced.code, 0, synced.stderr);
  assertStringIncludes(synced.stderr, "allowed by gitops-sync accept");
  assertEquals(world.state()?.lastGood?.revision, first);
  assertEquals(world.state()?.accepted, []);
  assertEquals(
    world.history().map(({ command, result }) => [command, result]),
    [
      ["sync", "deployed"],
      ["sync", "deployed"],
      ["sync", "failed"],
      ["accept", "accepted"],
      ["sync", "deployed"],
    ],
  );

  // Forward, and back once more: what was accepted is used up.
  await repository.git(
    "push",
    "--quiet",
    "origin",
    `${second}:refs/heads/main`,
  );
  assertEquals((await sync(world)).code, 0);
  await repository.git(
    "push",
    "--quiet",
    "--force",
    "origin",
    `${first}:refs/heads/main`,
  );
  const again = await json(world, "sync");
  assertEquals([again.exit, again.error.reason], [4, "not-forward"]);
});

test("what was accepted and did not build is built on without another word", async (scene) => {
  const { world, repository, publish, configure } = scene;
  configure({ "verify.mode": "head" });
  await publish("Zero");
  await publish("One");
  assertEquals((await sync(world)).code, 0);
  await repository.git("reset", "--quiet", "--hard", "HEAD^");
  const broken = await repository.commit("Broken", {
    knobs: { build: "exit 1" },
  });
  await repository.push("main", { force: true });
  assertEquals((await json(world, "sync")).error.reason, "not-forward");
  assertEquals((await sync(world, "accept", broken)).code, 0);
  assertEquals((await sync(world)).code, 6);
  assertEquals(world.state()?.accepted?.length, 1);

  const fixed = await repository.publish("Fixed", {
    knobs: { build: undefined },
  });
  const synced = await sync(world);
  assertEquals(synced.code, 0, synced.stderr);
  assertStringIncludes(synced.stderr, "allowed by gitops-sync accept");
  assertEquals(world.state()?.lastGood?.revision, fixed);
  assertEquals(world.state()?.accepted, []);
});

test("what was rolled back from does not come again under another hash", async (scene) => {
  const { world, repository, publish, configure } = scene;
  configure({ "verify.mode": "head" });
  const first = await publish("One");
  assertEquals((await sync(world)).code, 0);
  const second = await publish("Two");
  assertEquals((await sync(world)).code, 0);
  assertEquals((await sync(world, "rollback", "--until-next-commit")).code, 0);
  assertEquals(world.state()?.lastGood?.revision, first);

  // The same signature, in lines of another length.
  const text = await repository.git("cat-file", "commit", second) + "\n";
  const other = text.replace(
    /(BEGIN SSH SIGNATURE-----\n)([^]*?)( -----END)/,
    (_, begin, lines, end) => `${begin} ${lines.replace(/\s/g, "")}\n${end}`,
  );
  const file = `${world.folder}/twin`;
  await Deno.writeTextFile(file, other);
  const twin = await repository.git("hash-object", "-wt", "commit", file);
  assert(twin !== second);
  const move = (revision: string) =>
    repository.git("push", "-qf", "origin", `${revision}:refs/heads/main`);
  await move(twin);
  const calls = world.calls().length;
  const refused = await json(world, "sync");
  assertEquals([refused.exit, refused.error.reason], [9, "held-twin"]);
  assertEquals(world.calls().length, calls, "nothing of it is built");
  assertEquals(world.state()?.lastGood?.revision, first);
  // It is held under that hash, too, and what comes after it is not.
  assertEquals((await json(world, "sync")).exit, 9);
  await repository.git("checkout", "--quiet", "--detach", second);
  const third = await repository.commit("Three");
  await move(third);
  const synced = await sync(world);
  assertEquals(synced.code, 0, synced.stderr);
  assertEquals(world.state()?.lastGood?.revision, third);
});

test("a tag that becomes a branch is a tag that was moved", async (scene) => {
  const { world, repository, publish, configure } = scene;
  configure({ "verify.mode": "head", ref: "v1" });
  const first = await publish("One");
  await repository.git("push", "--quiet", "origin", `${first}:refs/tags/v1`);
  assertEquals((await sync(world)).code, 0);

  await repository.git("push", "--quiet", "origin", ":refs/tags/v1");
  const second = await publish("Two");
  await repository.git("push", "--quiet", "origin", `${second}:refs/heads/v1`);
  const refused = await json(world, "sync");
  assertEquals([refused.exit, refused.error.reason], [4, "tag-moved"]);
  assertStringIncludes(refused.error.message, "The tag v1 is a branch now");

  // Allowed once, it is a branch, and moves as branches do.
  assertEquals((await sync(world, "accept", second)).code, 0);
  assertEquals((await sync(world)).code, 0);
  const third = await publish("Three");
  await repository.git("push", "--quiet", "origin", `${third}:refs/heads/v1`);
  const synced = await sync(world);
  assertEquals(synced.code, 0, synced.stderr);
  assertEquals(world.state()?.lastGood?.revision, third);
});

test("a rollback lets no older revision of the ref come", async (scene) => {
  const { world, repository, publish, configure } = scene;
  configure({ "verify.mode": "head" });
  const first = await publish("One");
  assertEquals((await sync(world)).code, 0);
  const second = await publish("Two");
  configure({ "verify.mode": "head", ref: "stable" });
  const move = (revision: string) =>
    repository.git(
      ...["push", "--quiet", "--force", "origin"],
      `${revision}:refs/heads/stable`,
    );
  await move(second);
  assertEquals((await sync(world)).code, 0);
  // This host never runs it, so a rollback does not block it.
  const passed = await publish("Passed over");
  const third = await publish("Three");
  await move(third);
  assertEquals((await sync(world)).code, 0);

  // Across the change of the ref, and what it runs put in place once more.
  assertEquals(
    (await sync(world, "rollback", "--until-next-commit", "--to", first)).code,
    0,
  );
  const { system } = world.state()!.earlier[0]!;
  await world.output(["ln", "-sfn", system, "/run/current-system"]);
  const corrected = await json(world, "sync", "--drift", "correct");
  assertEquals(corrected.result, "corrected");
  await move(second);
  const held = await json(world, "sync");
  assertEquals(
    [held.exit, held.hold.reason, held.hold.revision],
    [9, "rolled-back", second],
  );
  await move(passed);
  const refused = await json(world, "sync");
  assertEquals([refused.exit, refused.error.reason], [4, "not-forward"]);
  assertStringIncludes(refused.error.message, `older than ${short(third)}`);

  // On from what it was rolled back from.
  await publish("Four");
  await move("HEAD");
  const synced = await sync(world);
  assertEquals(synced.code, 0, synced.stderr);
});

test("keys rotate in the repository, from one run to the next", async (scene) => {
  const { world, repository, keys, configure } = scene;
  configure({ "verify.keysFrom": "keys" });
  await repository.git("config", "commit.gpgsign", "true");
  const set = (name: string) => ({
    files: { "keys/allowed_signers": keys.signerLine(name) },
  });
  await repository.publish("The set", set("ada"));
  assertEquals((await sync(world)).code, 0);
  await repository.publish("Another set", set("bob"));
  assertEquals((await sync(world)).code, 0);

  await repository.publish("By the old key");
  const old = await json(world, "sync");
  assertEquals([old.exit, old.error.reason], [4, "unknown-key"]);

  await repository.git("reset", "--quiet", "--hard", "HEAD^");
  await repository.git("config", "user.signingkey", keys.path("bob"));
  await repository.commit("By the new key");
  await repository.push("main", { force: true });
  const synced = await sync(world);
  assertEquals(synced.code, 0, synced.stderr);
  assertStringIncludes(synced.stderr, "signed by bob@example.org");
});

test("a flake's nixConfig counts only where it is allowed", async (scene) => {
  const { world, repository, configure } = scene;
  // Even where the machine's own configuration would take it.
  const conf = world.read("/nix.conf");
  world.write("/nix.conf", `${conf}accept-flake-config = true\n`);
  const hook = join(world.folder, "hook");
  await Deno.writeTextFile(hook, `#!/bin/sh\ntouch ${world.folder}/pwned\n`);
  await Deno.chmod(hook, 0o755);
  const flake = await Deno.readTextFile(`${repository.folder}/flake.nix`);
  const hostile = flake.replace(
    "outputs =",
    `nixConfig = { post-build-hook = "${hook}"; substituters = "https://127.0.0.1:1"; allow-import-from-derivation = true; };\n  outputs =`,
  );
  await repository.publish("Settings", { files: { "flake.nix": hostile } });
  configure({ "verify.mode": "none", "verify.allowedSigners": null });
  const synced = await sync(world);
  assertEquals(synced.code, 0, synced.stderr);
  assertEquals(world.read("/pwned"), null);

  await repository.publish("More", { knobs: { greeting: "more" } });
  const allowed = await sync(world, "--nix-accept-flake-config");
  assertEquals(allowed.code, 0, allowed.stderr);
  assertEquals(world.read("/pwned"), "");
});

test("an evaluation builds nothing where that is forbidden", async (scene) => {
  const { world, repository, configure } = scene;
  configure({ "verify.mode": "none", "verify.allowedSigners": null });
  const flake = await Deno.readTextFile(`${repository.folder}/flake.nix`);
  const made =
    `builtins.readFile (derivation { name = "made"; system = given.system; ` +
    `builder = "/bin/sh"; args = [ "-c" "echo built meanwhile > $out" ]; })`;
  const building = flake.replace(
    "(builtins.readFile ./host.json)",
    (all) => `${all} // { greeting = ${made}; }`,
  );
  await repository.publish("Build", { files: { "flake.nix": building } });
  const refused = await sync(world, "--no-nix-import-from-derivation");
  assertEquals(refused.code, 6, refused.stderr);
  assertStringIncludes(refused.stderr, "allow-import-from-derivation");
  const allowed = await sync(world, "retry");
  assertEquals(allowed.code, 0, allowed.stderr);
  assertEquals(
    world.read(`${world.running()}/etc/greeting`),
    "built meanwhile\n\n",
  );
});

test("an evaluation reads nothing of the host", async (scene) => {
  const { world, repository, configure } = scene;
  configure({ "verify.mode": "none", "verify.allowedSigners": null });
  world.write("/etc/gitops-sync/secret", "swordfish\n");
  const flake = await Deno.readTextFile(`${repository.folder}/flake.nix`);
  const secret = "/etc/gitops-sync/secret";
  await Deno.symlink(secret, `${repository.folder}/link`);
  const attempts = [
    `builtins.readFile ${secret}`,
    `builtins.readFile (builtins.fetchurl "file://${secret}")`,
    `builtins.readFile (builtins.fetchTarball "file://${secret}")`,
    `builtins.readFile (builtins.path { path = ${secret}; })`,
    `builtins.readFile ./link`,
    `builtins.getEnv "HOME" + throw "nothing"`,
    `toString (builtins.fetchGit "ext::touch ${world.folder}/pwned")`,
    `builtins.exec [ "touch" "${world.folder}/pwned" ]`,
  ];
  for (const attempt of attempts) {
    const hostile = flake.replace(
      "builtins.fromJSON (builtins.readFile ./host.json)",
      (all) => `${all} // { greeting = ${attempt}; }`,
    );
    assert(hostile.includes(attempt), "the attempt is not in the flake");
    await repository.publish(attempt, { files: { "flake.nix": hostile } });
    const ended = await sync(world);
    assertEquals(ended.code, 6, `${attempt}\n${ended.stdout}${ended.stderr}`);
    assert(!`${ended.stdout}${ended.stderr}`.includes("swordfish"), attempt);
  }
  assertEquals(world.read("/pwned"), null);
  assertEquals(world.running(), null);
});

test("what a run with nothing to do relies on must be nobody else's", async (scene) => {
  const { world, publish, configure } = scene;
  await publish("Signed");
  configure();
  for (let run = 0; run < 2; run++) assertEquals((await sync(world)).code, 0);
  const path = world.path("/var/lib/gitops-sync/settled.json");
  const settled = JSON.parse(await Deno.readTextFile(path));
  const mark = `${world.folder}/pwned`;
  const state = world.path("/var/lib/gitops-sync/state.json");
  const stateText = await Deno.readTextFile(state);
  const suspended = world.path("/var/lib/gitops-sync/suspended.json");
  const question = { program: "touch", args: [mark], timeout: 5000 };
  const planted = JSON.stringify({ ...settled, question, answer: "" });
  // As if the host had been suspended when that was written down.
  const suspend = async (change: () => Promise<void>) => {
    const text = '{"since":"2026-01-01T00:00:00Z","until":null,"reason":null}';
    await Deno.writeTextFile(suspended, text);
    const grounds = JSON.parse(settled.grounds);
    const at = grounds.indexOf(stateText) + 1;
    assertEquals(grounds[at], null);
    grounds[at] = text;
    const all = { ...JSON.parse(planted), grounds: JSON.stringify(grounds) };
    await Deno.writeTextFile(path, JSON.stringify(all));
    await change();
  };
  const plant = async (change: () => Promise<void>) => {
    await Deno.writeTextFile(path, planted);
    await change();
    return await sync(world);
  };
  // Root's own file is believed, word for word: so much rests on whose it is.
  assertEquals((await plant(async () => {})).code, 0);
  assertEquals(world.read("/pwned"), "");
  await Deno.remove(mark);
  assertEquals((await plant(() => suspend(async () => {}))).code, 0);
  assertEquals(world.read("/pwned"), "");
  await Deno.remove(mark);
  await Deno.remove(suspended);

  const changes: [string, () => Promise<void>][] = [
    ["of another user", () => Deno.chown(path, 65534, 65534)],
    ["that others may write", () => Deno.chmod(path, 0o622)],
    [
      "beside a state of another user",
      () => Deno.chown(state, 65534, 65534),
    ],
    ["beside a state that others may write", () => Deno.chmod(state, 0o646)],
    ["beside a state that is a link", async () => {
      await Deno.rename(state, `${world.folder}/state.json`);
      await Deno.symlink(`${world.folder}/state.json`, state);
    }],
    [
      "beside a suspension of another user",
      () => suspend(() => Deno.chown(suspended, 65534, 65534)),
    ],
    [
      "beside a suspension that others may write",
      () => suspend(() => Deno.chmod(suspended, 0o666)),
    ],
    [
      "in a folder of another user",
      () => Deno.chown(world.path("/var/lib/gitops-sync"), 65534, 65534),
    ],
    [
      "in a folder that others may write",
      () => Deno.chmod(world.path("/var/lib/gitops-sync"), 0o777),
    ],
    ["that is a link", async () => {
      await Deno.writeTextFile(`${world.folder}/elsewhere`, planted);
      await Deno.remove(path);
      await Deno.symlink(`${world.folder}/elsewhere`, path);
    }],
  ];
  for (const [what, change] of changes) {
    const ended = await plant(change);
    assertEquals(ended.code, 2, `${what}\n${ended.stdout}${ended.stderr}`);
    assertStringIncludes(ended.stderr, "Cannot trust", what);
    assertEquals(world.read("/pwned"), null, what);
    await Deno.remove(path);
    await Deno.remove(suspended).catch(() => {});
    await Deno.remove(state);
    await Deno.writeTextFile(state, stateText, { mode: 0o600 });
    await Deno.chown(world.path("/var/lib/gitops-sync"), 0, 0);
    await Deno.chmod(world.path("/var/lib/gitops-sync"), 0o700);
  }
});

test("a testing branch is verified, and may be pushed by force", async (scene) => {
  const { world, repository, publish, configure } = scene;
  const main = await publish("Signed");
  configure({ "testing.enable": true, "verify.mode": "range" });
  assertEquals((await sync(world)).code, 0);
  const tryOut = async (message: string, isSigned: boolean) => {
    await repository.git("config", "commit.gpgsign", String(isSigned));
    const revision = await repository.commit(message);
    await repository.push("testing/demo", { force: true });
    return revision;
  };
  const first = world.running();
  const bad = await tryOut("Not signed", false);
  const refused = await json(world, "sync");
  assertEquals([refused.exit, refused.error.reason], [4, "unsigned"]);
  assertEquals(world.running(), first);
  // What is signed on top of it brings it in.
  await tryOut("Signed on top", true);
  assertEquals((await json(world, "sync")).error.reason, "unsigned");
  assertEquals(world.running(), first);
  assertEquals((await sync(world)).code, 9);
  await repository.git("reset", "--quiet", "--hard", main);
  const good = await tryOut("Signed", true);
  assertEquals((await json(world, "sync")).result, "tested");
  const { testing, lastGood, holds } = world.state()!;
  assertEquals([testing?.deployment?.revision, lastGood?.revision], [
    good,
    main,
  ]);
  assertEquals(testing?.deployment?.signers?.length, 1);
  assert(holds.some(({ revision }) => revision === bad));
});
