import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { short } from "../../lib/base/text.ts";
import { makeRepository } from "../world/repository.ts";
import {
  deployed,
  prepared,
  runs,
  says,
  standing,
  syncTo,
  test,
} from "./setting.ts";

test("the first run deploys, the next does nothing, a new commit is deployed", async (world) => {
  const { repository, revision } = await prepared(world);
  const first = await syncTo(world, 0);
  says(first.stdout, `Deployed ${short(revision)} "The first system" by Ada`);
  const system = runs(world, revision);
  // Judged before it is what a reboot starts.
  assertEquals(world.calls(), [
    { action: "test", system },
    { action: "boot", system },
  ]);

  const second = await syncTo(world, 0);
  assertEquals(second.text, `In sync: main is at ${short(revision)}\n`);
  assertEquals(world.calls().length, 2);
  assertEquals(world.history().length, 1);

  const next = await repository.publish("A greeting", {
    knobs: { greeting: "good evening" },
  });
  says((await syncTo(world, 0)).text, "verify: moves forward", "Deployed");
  assertNotEquals(runs(world, next), system);
  assertEquals(world.read(`${world.running()}/etc/greeting`), "good evening\n");
  assertEquals(world.state()?.lastGood?.revision, next);
  assertEquals(world.state()?.earlier.map((one) => one.revision), [revision]);
  assertEquals(world.state()?.attempt, undefined);
  assertEquals(
    world.history().map(({ revision, result, exit }) => [
      revision,
      result,
      exit,
    ]),
    [[revision, "deployed", 0], [next, "deployed", 0]],
  );
});

test("flags alone are enough, without a configuration", async (world) => {
  const repository = await makeRepository(`${world.folder}/infra`, {
    hosts: ["web"],
  });
  const revision = await repository.publish("A host named by a flag");
  const flags = ["--repository", world.urlOf(repository), "--ref", "main"];
  const inner = "/var/lib/gitops-sync/deep/state";
  await syncTo(
    world,
    0,
    ...flags,
    "--host",
    "web",
    `--state-directory=${inner}`,
  );
  runs(world, revision);
  const folder = world.path(inner);
  assertEquals(Deno.statSync(folder).mode! & 0o777, 0o700);
  for (const name of ["state.json", "history.jsonl", "lock"]) {
    assertEquals(Deno.statSync(`${folder}/${name}`).mode! & 0o777, 0o600, name);
  }
});

test("a secret of the repository is proven and installed", async (world) => {
  const { repository } = await prepared(world);
  const recipient = await world.makeKey();
  await repository.publish("A secret", {
    knobs: { secrets: ["secrets.yaml#password"] },
    files: {
      "secrets.yaml": await world.encrypt(recipient, "password: swordfish\n"),
    },
  });
  says((await syncTo(world, 0)).text, "secrets: 1 file can be decrypted");
  assertEquals(
    await world.output(["cat", "/run/secrets/password"]),
    "swordfish",
  );

  const before = standing(world);
  const secrets = await repository.git("show", "HEAD:secrets.yaml");
  await repository.publish("A secret that was changed by hand", {
    files: { "secrets.yaml": secrets.replace(/data:./, "data:") },
  });
  const broken = await syncTo(world, 5);
  assertEquals(standing(world), before);
  says(broken.text, "secrets: failed", "secrets.yaml", "hint: ");
  says((await syncTo(world, 9)).text, "has been blocked since");
  for (const name of ["state.json", "history.jsonl"]) {
    const text = world.read(`/var/lib/gitops-sync/${name}`);
    assert(!text?.includes("swordfish"), `${name} holds the secret`);
  }
});

test("a second run at the same time says who is at work", async (world) => {
  const { repository } = await deployed(world);
  await repository.publish("A build without end", {
    knobs: { build: "sleep 600" },
  });
  const slow = world.startSync([]);
  while (world.state()?.attempt?.stage !== "build") await pause();
  const second = await syncTo(world, 10);
  // The first line counts; another may be the end of a longer one.
  const [holder] = world.read("/var/lib/gitops-sync/lock")!.split("\n");
  const { pid } = JSON.parse(holder!);
  says(second.stderr, `Cannot start: sync (process ${pid}, since `, `ps -fp`);
  const json = await syncTo(world, 10, "sync", "--json");
  assertEquals(JSON.parse(json.stdout).error.reason, "locked");
  await syncTo(world, 10, "rollback");
  const status = await syncTo(world, 0, "status");
  says(
    status.stdout,
    `A run is in progress: sync, process ${pid}, at the build`,
  );
  slow.signal("SIGTERM");
  assertEquals((await slow.ended).code, 130);
});

test("a flake in a folder of the repository is deployed", async (world) => {
  const repository = await makeRepository(`${world.folder}/infra`);
  await repository.commit("The flake at the top");
  const files = (await repository.git("ls-files")).split("\n");
  await Deno.mkdir(`${repository.folder}/nix/hosts`, { recursive: true });
  await repository.git("mv", ...files, "nix/hosts");
  // The repository writes the knobs to the top.
  const revision = await repository.publish("The flake in a folder");
  world.configure(repository, { directory: "nix/hosts" });
  await syncTo(world, 0);
  runs(world, revision);

  world.configure(repository, { directory: "nix" });
  says(
    (await syncTo(world, 6)).text,
    "hint: Set `directory` (or `--directory`) to the folder of flake.nix.",
  );
  runs(world, revision);
  await syncTo(world, 9);
});

test("submodules are part of what is built, if they are asked for", async (world) => {
  const library = await makeRepository(`${world.folder}/library`);
  await library.publish("A library", { files: { "word.txt": "swallow" } });
  const repository = await makeRepository(`${world.folder}/infra`, {
    build: 'grep -q swallow "$submodule" || exit 1',
  });
  await repository.commit("A system");
  await repository.git(
    ...["-c", "protocol.file.allow=always", "submodule", "--quiet", "add"],
    library.bare,
    "library",
  );
  const system = Deno.readTextFileSync(`${repository.folder}/system.nix`);
  const revision = await repository.publish("A system with a library", {
    files: {
      "system.nix": system.replace(
        "inherit host settings;",
        "inherit host settings; submodule = ./library/word.txt;",
      ),
    },
  });
  world.configure(repository);
  await syncTo(world, 6);
  world.configure(repository, { submodules: true });
  await syncTo(world, 0, "retry");
  runs(world, revision);
});

test("the whole history is fetched where shallow is off", async (world) => {
  const { repository } = await prepared(world, { shallow: false });
  const system = Deno.readTextFileSync(`${repository.folder}/flake.nix`);
  const revision = await repository.publish("A system that counts", {
    files: {
      "flake.nix": system.replace(
        "defaults // known given //",
        "defaults // known given // { greeting = toString self.revCount; } //",
      ),
    },
  });
  await syncTo(world, 0);
  assertEquals(world.read(`${runs(world, revision)}/etc/greeting`), "2\n");
});

test("another branch, host or repository in the configuration is deployed", async (world) => {
  const { repository, revision } = await deployed(world, {}, {
    knobs: { hosts: { demo: {}, other: { greeting: "from the other" } } },
  });
  await repository.git("checkout", "--quiet", "--orphan", "unrelated");
  const unrelated = await repository.commit("An unrelated history");
  await repository.push("unrelated");
  world.configure(repository, { ref: "unrelated" });
  says((await syncTo(world, 0)).text, "nothing to compare with yet");
  runs(world, unrelated);
  world.configure(repository, { ref: "main" });
  await syncTo(world, 0);
  runs(world, revision);

  world.configure(repository, { host: "other" });
  await syncTo(world, 0);
  const system = runs(world, revision);
  assertEquals(world.read(`${system}/etc/greeting`), "from the other\n");

  const moved = await makeRepository(`${world.folder}/moved`);
  const first = await moved.publish("Another repository");
  world.configure(moved);
  await syncTo(world, 0);
  runs(world, first);
  world.configure(moved, { host: "nobody" });
  says(
    (await syncTo(world, 6)).text,
    "hint: Set `host` (or `--host`) to one of the flake's",
  );
  runs(world, first);
});

const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
