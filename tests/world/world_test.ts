import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { exists } from "@std/fs";
import { makeRepository } from "./repository.ts";
import { World } from "./world.ts";

const refusal = await World.refusal();
if (refusal) console.log(`worlds are not tested here: ${refusal}`);

/** A test with a world of its own. */
function test(name: string, body: (world: World) => Promise<void>) {
  Deno.test({
    name,
    ignore: refusal !== null,
    fn: async () => {
      await using world = await World.make();
      await body(world);
    },
  });
}

test("a world is built in, switched, and its facts are read", async (world) => {
  const repository = await makeRepository(`${world.folder}/infra`);
  const revision = await repository.publish("The first system", {
    knobs: { greeting: "good morning", services: { web: "true" } },
  });
  assertEquals(world.running(), null);
  assertEquals(world.bootDefault(), null);
  assertEquals(world.bootEntry(), null);
  assertEquals(world.calls(), []);
  assertEquals(world.state(), null);

  const flake = `git+${world.urlOf(repository)}?ref=main&rev=${revision}#demo`;
  const system = await world.output(
    ["nixos-rebuild", "build", "--flake", flake],
  ).then(() => world.output(["readlink", "-f", "result"]));
  await world.output([`${system}/bin/switch-to-configuration`, "switch"]);
  const profile = "/nix/var/nix/profiles/system";
  await world.output(["nix-env", "--profile", profile, "--set", system]);

  assertEquals(world.running(), system);
  assertEquals(world.bootEntry(), system);
  assertEquals(world.bootDefault(), system);
  assertEquals(world.calls(), [{ action: "switch", system }]);
  assertEquals(world.read(`${system}/etc/greeting`), "good morning\n");
  assertEquals(world.read(`${system}/configuration-revision`), `${revision}\n`);
});

test("knobs are merged from commit to commit", async (world) => {
  const repository = await makeRepository(`${world.folder}/infra`);
  await repository.commit("One", { knobs: { greeting: "one", hang: 3 } });
  await repository.commit("Two", {
    knobs: { hang: undefined, kernel: "6.12.2" },
    files: { "hosts/demo.txt": "demo", "build.sh": null },
  });
  const knobs = JSON.parse(await repository.git("show", "HEAD:host.json"));
  assertEquals(knobs.greeting, "one");
  assertEquals(knobs.kernel, "6.12.2");
  assert(!("hang" in knobs), "hang is taken out");
  const changed = await repository.git("show", "--name-status", "--format=");
  assertStringIncludes(changed, "A\thosts/demo.txt");
  assertStringIncludes(changed, "D\tbuild.sh");
});

test("the same commits have the same revisions", async (world) => {
  const revisions = await Promise.all(["a", "b"].map(async (name) => {
    const repository = await makeRepository(`${world.folder}/${name}`);
    await repository.publish("One");
    const revision = await repository.publish("Two");
    const remote = await repository.git("ls-remote", "origin", "main");
    assertEquals(remote, `${revision}\trefs/heads/main`);
    return revision;
  }));
  assertEquals(revisions[0], revisions[1]);
});

test("a secret is encrypted for a host and installed by its system", async (world) => {
  const recipient = await world.makeKey();
  const repository = await makeRepository(`${world.folder}/infra`);
  await repository.publish("A secret", {
    knobs: { secrets: ["secrets.yaml#password"] },
    files: {
      "secrets.yaml": await world.encrypt(recipient, "password: swordfish\n"),
    },
  });
  const flake = `git+${world.urlOf(repository)}?ref=main#demo`;
  await world.output(["nixos-rebuild", "build", "--flake", flake]);
  await world.output(["result/bin/switch-to-configuration", "test"]);
  assertEquals(
    await world.output(["cat", "/run/secrets/password"]),
    "swordfish",
  );
});

test("a program gets its input and variables, and its end is told", async (world) => {
  const ended = await world.run(
    ["sh", "-c", 'cat; echo "$WORD" >&2; exit 3'],
    { input: "in", env: { WORD: "out" } },
  );
  assertEquals(ended, { code: 3, stdout: "in", stderr: "out\n" });
});

test("a program that is too slow is ended and said so", async (world) => {
  const error = await world.run(["sleep", "60"], { timeout: 200 })
    .then(() => null, (error: Error) => error);
  assertStringIncludes(error?.message ?? "", "sleep 60 took over 200 ms");
});

test("a program is watched and killed", async (world) => {
  const program = world.start(["sh", "-c", "echo begun; exec sleep 60"]);
  program.signal("SIGKILL");
  assertEquals((await program.ended).code, 137);
});

test("the configuration names the repository", async (world) => {
  const repository = await makeRepository(`${world.folder}/infra`);
  world.configure(repository, { "timeouts.build": "1m" });
  const written = world.read("/etc/gitops-sync/config.yaml");
  assertEquals(JSON.parse(written ?? ""), {
    repository: `file://${repository.bare}`,
    ref: "main",
    host: "demo",
    "health.steady": "300ms",
    "timeouts.build": "1m",
  });
});

Deno.test({
  name: "what a world was goes with it",
  ignore: refusal !== null,
  fn: async () => {
    const world = await World.make();
    const slow = world.start(["sleep", "60"]);
    await world[Symbol.asyncDispose]();
    assertEquals((await slow.ended).code, 137);
    assert(!(await exists(world.folder)), "its folder is removed");
  },
});
