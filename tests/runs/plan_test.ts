import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { World } from "../world/world.ts";
import {
  deployed,
  prepared,
  runs,
  says,
  standing,
  syncTo,
  test,
} from "./setting.ts";
import { traced } from "./strace.ts";

/** All that a host has and remembers, by what a plan could change of it. */
async function all(world: World): Promise<Record<string, unknown>> {
  const list = (folder: string) =>
    world.output([
      "sh",
      "-c",
      `cd ${folder} && find . ! -path './repo/.git/objects*' | sort && find . -type f ! -path './repo/.git/objects*' -exec sha256sum {} + | sort`,
    ]);
  return {
    ...standing(world),
    state: await list("/var/lib/gitops-sync"),
    profiles: await list("/nix/var/nix/profiles"),
    calls: world.calls(),
    history: world.history(),
  };
}

async function json(world: World, code: number, ...args: string[]) {
  const { stdout } = await syncTo(world, code, "plan", "--json", ...args);
  return JSON.parse(stdout);
}

test("a plan shows what a sync does next, and changes nothing", async (world) => {
  const { repository, system } = await deployed(world, {}, {
    knobs: { dependencies: { "firefox-1.0": "true", "mc-4.8": "true" } },
  });
  await world.output(["ln", "-s", system, "/run/booted-system"]);
  await repository.publish("More", {
    knobs: {
      kernel: "6.13.0",
      dependencies: { "firefox-1.1": "true", "jq-1.7": "true" },
      dryWords: "would paint the following units: red.service",
    },
  });
  const revision = await repository.publish("And \x1b[31m`more`");
  const before = await all(world);
  const { stdout } = await syncTo(world, 0, "plan");
  says(
    stdout,
    `plan      demo: a sync would deploy ${revision.slice(0, 12)}, branch main`,
    "2 commits since ",
    "And ?[31m`more`",
    "~ firefox  1.0 → 1.1",
    "+ jq       1.7",
    "− mc       4.8",
    "would paint the following units: red.service",
    "needed for: kernel, initrd, kernel modules; gitops-sync does not reboot",
    "nothing stops it",
  );
  const plan = await json(world, 0);
  assertEquals(plan.changes, true);
  assertEquals(plan.notes, []);
  assertEquals(await all(world), before);
  const roots = await world.output([
    "nix-store",
    "--query",
    "--roots",
    plan.after,
  ]);
  assertEquals(roots, "", "nothing keeps the system");

  // Nix itself says the same, where versions are other ones.
  const told = await world.output([
    ...["nix", "--extra-experimental-features", "nix-command"],
    ...["store", "diff-closures", plan.before, plan.after],
  ]);
  for (const { name, before, after } of plan.packages.changed) {
    says(told, `${name}: ${before[0] ?? "∅"} → ${after[0] ?? "∅"}`);
  }

  await syncTo(world, 16, "diff", "--exit-code");
  await syncTo(world, 0);
  assertEquals(runs(world, revision), plan.after);
  const later = await json(world, 0, "--exit-code");
  assertEquals([later.would, later.changes], ["nothing", false]);
  says((await syncTo(world, 0, "plan")).stdout, "demo: nothing would change");
});

test("the first plan on a host leaves no state folder", async (world) => {
  const folder = "/var/lib/gitops-sync/deeper";
  const { revision } = await prepared(world, { stateDirectory: folder });
  const plan = await json(world, 0);
  assertEquals([plan.would, plan.revision], ["deploy", revision]);
  assertEquals(plan.packages.before, null);
  const { code } = await world.run(["test", "-e", folder]);
  assertEquals(code, 1);
});

test("of what is not verified the commits are shown, and nothing is evaluated", async (world) => {
  const { repository } = await deployed(world);
  const key = `${world.folder}/key`;
  await world.output([
    "ssh-keygen",
    "-q",
    "-t",
    "ed25519",
    "-N",
    "",
    "-f",
    key,
  ]);
  const signers = `${world.folder}/signers`;
  await Deno.writeTextFile(
    signers,
    `ada@example.org ${await Deno.readTextFile(`${key}.pub`)}`,
  );
  world.configure(repository, {
    "verify.mode": "head",
    "verify.allowedSigners": signers,
  });
  await repository.publish("Unsigned", { knobs: { greeting: "there" } });
  const { started, stdout, stderr, code } = await traced(world, "plan");
  assertEquals(code, 4, stderr);
  says(stdout, "at the verify stage", "Unsigned", "is not signed");
  const nix = started.filter(([program]) => /nix/.test(program!));
  assertEquals(nix, []);
  const plan = await json(world, 4);
  assertEquals([plan.after, plan.units, plan.packages], [null, null, null]);
  assertEquals(plan.failure.stage, "verify");
  assertEquals(plan.commits.list[0].signature.state, "bad");
  says(
    (await syncTo(world, 4, "plan", "--format", "markdown")).stdout,
    "**It would fail**",
    "`Unsigned` by `Ada`, `is not signed`",
  );
});

test("a look without a build evaluates nothing", async (world) => {
  const { repository } = await deployed(world);
  await repository.publish("Broken", { knobs: { build: "exit 1" } });
  const { started, code, stdout } = await traced(world, "plan", "--no-build");
  assertEquals(code, 0);
  says(stdout, "Broken", "nothing stops it");
  assertEquals(started.filter(([program]) => /nix/.test(program!)), []);
  const plan = await json(world, 0, "--no-build");
  assertEquals([plan.built, plan.changes, plan.after], [false, null, null]);
  // It may change, so it is not said that it does not.
  await syncTo(world, 16, "plan", "--no-build", "--exit-code");
  // With a build it fails as the sync does, which then holds it.
  const failed = await json(world, 6);
  assertEquals(failed.failure.stage, "build");
  assertEquals(world.state()!.holds, []);
});

test("all that stops a sync is told at once", async (world) => {
  const { repository } = await deployed(world);
  await repository.publish("Broken", { knobs: { build: "exit 1" } });
  await syncTo(world, 6);
  await syncTo(world, 0, "suspend", "--for", "2h", "--reason", "a talk");
  world.configure(repository, { "windows.deploy": ["deny Mon-Sun"] });
  const plan = await json(world, 0, "--no-build");
  assertEquals(
    plan.stops.map(({ what }: { what: string }) => what),
    ["suspended", "held", "window"],
  );
  const [suspended, , window] = plan.stops;
  assert(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(suspended.until));
  assertEquals(window.until, null);
  says(
    (await syncTo(world, 0, "plan", "--no-build")).stdout,
    "a sync would change nothing now; later it would deploy",
    "suspended (a talk), until",
    "has been blocked since",
    "no deployment window is open (windows.deploy), and none opens within two weeks",
  );
});

test("another revision is planned as if the ref named it", async (world) => {
  const { repository, revision } = await deployed(world);
  await repository.git("checkout", "--quiet", "-b", "feature/x");
  const other = await repository.commit("A feature", {
    knobs: { greeting: "new" },
  });
  await repository.push("feature/x");
  for (const name of ["feature/x", other]) {
    const plan = await json(world, 0, name);
    assertEquals(plan.revision, other);
    assertEquals(plan.commits.count, 1);
    assertEquals(plan.target.ref, "main");
  }
  says(
    (await syncTo(world, 0, "plan", "feature/x")).stdout,
    "branch feature/x, as if main pointed to it",
  );
  // Known here by its beginning.
  assertEquals((await json(world, 0, revision.slice(0, 8))).would, "nothing");
  says((await syncTo(world, 3, "plan", "nowhere")).text, "nowhere");
  runs(world, revision);
  says((await syncTo(world, 0)).text, "In sync");
});

test("a revision is planned without root, and what is not known is said", async (world) => {
  const { repository } = await deployed(world);
  const revision = await repository.publish("For a person");
  const state = "/var/lib/gitops-sync";
  await world.output(["chown", "--recursive", "12345:12345", state]);
  // A namespace in which our root is user 1000, and who owns the state is root.
  const asPerson = `mkfifo go
unshare --user sh -c 'read _ <go; exec gitops-sync "$@"' sh "$@" & pid=$!
own=$(readlink /proc/self/ns/user)
until [ "$(readlink /proc/$pid/ns/user)" != "$own" ]; do sleep 0.02; done
printf '1000 0 1\\n0 12345 1\\n' >/proc/$pid/uid_map
echo >go; rm go; wait $pid`;
  const planned = async (...args: string[]) => {
    const argv = ["plan", "--no-build", "--json", ...args];
    const { code, stdout, stderr } = await world.run(
      ["sh", "-c", asPerson, "sh", ...argv],
      { cwd: world.folder },
    );
    assertEquals(code, 0, stderr);
    return JSON.parse(stdout);
  };
  for (const args of [[], [revision]]) {
    const plan = await planned(...args);
    assertEquals([plan.revision, plan.would], [revision, "deploy"]);
    says(
      plan.notes.join("\n"),
      "without root, it is unknown what is deployed",
    );
  }
  const left = await world.output([
    "sh",
    "-c",
    "ls /tmp | grep sync-plan || :",
  ]);
  assertEquals(left, "");
});

test("secrets that are re-keyed are told from those with other values", async (world) => {
  const key = await world.makeKey();
  const other = await world.makeKey("/etc/ssh/other.key");
  const rules = (...to: string[]) =>
    `creation_rules:\n  - path_regex: secrets/.*\n    age: ${to.join(",")}\n`;
  const [kept, changed] = ["secrets/kept.yaml", "secrets/changed.yaml"];
  const secret = await world.encrypt(key, "password: sesame\n");
  const { repository } = await deployed(world, {}, {
    files: {
      ".sops.yaml": rules(key),
      [kept]: secret,
      [changed]: await world.encrypt(key, "password: before\n"),
    },
  });
  const place = `${world.folder}/people`;
  await Deno.mkdir(`${place}/secrets`, { recursive: true });
  await Deno.writeTextFile(`${place}/.sops.yaml`, rules(key, other));
  await Deno.writeTextFile(`${place}/${kept}`, secret);
  await world.output(["sops", "updatekeys", "--yes", kept], {
    cwd: place,
    env: { SOPS_AGE_KEY_FILE: "/etc/ssh/age.key" },
  });
  await repository.publish("Another reader", {
    files: {
      ".sops.yaml": rules(key, other),
      [kept]: await Deno.readTextFile(`${place}/${kept}`),
      [changed]: await world.encrypt(key, "password: after\n"),
    },
  });
  const { secretFiles } = await json(world, 0, "--no-build");
  assertEquals(secretFiles, {
    added: [],
    removed: [],
    changed: [changed],
    rekeyed: [kept],
  });
  says(
    (await syncTo(world, 0, "plan", "--no-build")).stdout,
    `re-keyed file  ${kept}`,
  );
});

test("a plan does not ask the switch while a run is under way", async (world) => {
  const { repository } = await deployed(world);
  await repository.publish("Later", { knobs: { greeting: "there" } });
  const run = world.start([
    ...["flock", "/var/lib/gitops-sync/lock"],
    ...["sh", "-c", "echo locked; exec sleep 600"],
  ]);
  while (
    (await world.run(["flock", "-n", "/var/lib/gitops-sync/lock", "true"]))
      .code === 0
  );
  const plan = await json(world, 0);
  run.kill();
  await run.ended;
  assertEquals(plan.units, null);
  assertNotEquals(plan.packages, null);
  says(plan.notes.join("\n"), "a run is in progress");
});

test("two plans at once are one too many, and a killed one leaves nothing", async (world) => {
  const { repository } = await deployed(world);
  await repository.publish("Slow", {
    knobs: { build: "touch /run/builds; sleep 600" },
  });
  const first = world.startSync(["plan"]);
  while (world.read("/run/builds") === null) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { text } = await syncTo(world, 10, "plan");
  says(text, "plan (process ");
  first.signal("SIGKILL");
  await first.ended;
  await syncTo(world, 0, "plan", "--no-build");
  const { code } = await world.run(["test", "-e", "/var/lib/gitops-sync/plan"]);
  assertEquals(code, 1);
});

test("a folder is planned with what is not committed, and never asked", async (world) => {
  const { repository, system } = await deployed(world, {}, {
    knobs: { services: { web: "true", old: "true" } },
  });
  await repository.commit("Not pushed", {
    knobs: { services: { web: "true # 2", new: "true" } },
  });
  await Deno.writeTextFile(
    `${repository.folder}/host.json`,
    (await Deno.readTextFile(`${repository.folder}/host.json`))
      .replace("true # 2", "true # 3"),
  );
  const calls = world.calls();
  const plan = await json(world, 0, repository.folder);
  assertEquals(plan.before, system);
  assertEquals(plan.unitFiles.system, {
    added: ["new.service"],
    removed: ["old.service"],
    changed: ["web.service"],
  });
  assertEquals([plan.units, plan.target, plan.revision], [null, null, null]);
  says(plan.notes.join("\n"), "uncommitted", "never runs");
  assertEquals(world.calls(), calls);
  // With another system than the one that runs here.
  const same = await json(world, 0, repository.folder, "--before", plan.after);
  assertEquals(same.packages.changed, []);
  assertEquals(same.unitFiles.system.changed, []);
  says(
    (await syncTo(world, 2, "plan", repository.folder, "--before", "/etc"))
      .text,
    "expected the store path of a system on this machine",
  );
  says(
    (await syncTo(world, 2, "plan", "main", "--before", system)).text,
    "expected a FOLDER",
  );
  // A lock file is taken as it stands, and no link is left.
  assertEquals(await repository.git("status", "--porcelain"), " M host.json");
  says(
    (await syncTo(world, 2, "plan", "./nowhere")).text,
    "it has no flake.nix",
  );
  await world.output(["chown", "1000", repository.folder]);
  says(
    (await syncTo(world, 2, "plan", repository.folder)).text,
    "user 1000 owns it, and its code would run as root",
  );
});

test("a folder without a flake is planned by the file that build.file names", async (world) => {
  const { repository, system } = await deployed(world);
  const settings = {
    "build.file": "hosts.nix",
    "build.attribute": "of.{host}",
  };
  world.configure(repository, settings);
  says(
    (await syncTo(world, 2, "plan", repository.folder)).text,
    "it has no hosts.nix",
  );
  await repository.commit("A file", {
    knobs: { greeting: "there" },
    files: {
      "hosts.nix":
        "{ }: { of = (builtins.getFlake (toString ./.)).nixosConfigurations; }\n",
    },
  });
  const plan = await json(world, 0, repository.folder);
  assertEquals([plan.before, plan.changes], [system, true]);
  world.configure(repository, { ...settings, "build.attribute": "nowhere" });
  const { text } = await syncTo(world, 6, "plan", repository.folder);
  says(text, "nowhere");
});
