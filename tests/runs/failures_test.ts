import { assertEquals } from "@std/assert";
import { short } from "../../lib/base/text.ts";
import type { Knobs, Service } from "../world/repository.ts";
import {
  deployed,
  prepared,
  revisionOf,
  runs,
  says,
  standing,
  syncTo,
  test,
} from "./setting.ts";

/** A commit that is no good, and what a run says of it. */
interface Bad {
  what: string;
  knobs: Knobs;
  exit: number;
  stage: string;
  reason: string;
  says: string[];
  settings?: string[];
}

/** Takes back what the rows below set. */
const good: Knobs = {
  build: undefined,
  dependencies: undefined,
  exit: undefined,
  activation: undefined,
  services: undefined,
  hangAfter: undefined,
};

const bad: Bad[] = [
  {
    what: "an evaluation that fails",
    knobs: { services: { web: {} as Service } },
    exit: 6,
    stage: "build",
    reason: "evaluation-error",
    says: ["attribute 'command' missing"],
  },
  {
    what: "a build that fails",
    knobs: { build: "echo the disk of doom; exit 1" },
    exit: 6,
    stage: "build",
    reason: "builder-failed",
    says: ["nixos-system-demo-stand-in", "the disk of doom"],
  },
  {
    what: "a dependency that fails",
    knobs: {
      dependencies: { good: "true", app: "echo no such luck; false; exit 3" },
    },
    exit: 6,
    stage: "build",
    reason: "builder-failed",
    says: ["app", "no such luck"],
  },
  {
    what: "a switch that refuses at once",
    knobs: { exit: { test: 1 } },
    exit: 7,
    stage: "activate",
    reason: "not-switched",
    says: ["it ended with code 1", "the previous system runs again"],
  },
  {
    what: "a switch that needs a reboot",
    knobs: { exit: { test: 100 } },
    exit: 11,
    stage: "activate",
    reason: "needs-reboot",
    says: ["this change needs a reboot"],
  },
  {
    what: "an activation script that fails",
    knobs: { activation: "echo no luck; exit 1" },
    exit: 7,
    stage: "activate",
    reason: "activation-script-failed",
    says: ["an activation script failed", "no luck"],
  },
  {
    what: "a service that fails",
    knobs: { services: { web: "exit 1" } },
    exit: 7,
    stage: "activate",
    reason: "units-failed",
    says: ["units failed to start: web.service"],
  },
  {
    what: "a switch that hangs",
    knobs: { hangAfter: 60 },
    exit: 7,
    stage: "activate",
    reason: "timed-out",
    says: ["it took too long and was ended"],
    settings: ["--timeouts-activate=1s"],
  },
  {
    what: "a bootloader that can't be installed",
    knobs: { exit: { boot: 1 } },
    exit: 7,
    stage: "confirm",
    reason: "boot-default",
    says: ["the boot default", "df -h /boot"],
  },
];

test("each failure leaves the host as it was, and is held until a commit", async (world) => {
  const { repository, system } = await deployed(world);
  const before = standing(world);
  for (const one of bad) {
    const knobs = { ...good, ...one.knobs };
    const revision = await repository.publish(one.what, { knobs });
    const failed = await syncTo(world, one.exit, "sync", ...one.settings ?? []);
    assertEquals(standing(world), before, one.what);
    says(failed.stderr, `${one.stage}: failed`, ...one.says);
    const { last, holds, attempt } = world.state()!;
    assertEquals(
      [last?.stage, last?.reason, last?.exit, attempt, holds[0]?.revision],
      [one.stage, one.reason, one.exit, undefined, revision],
      one.what,
    );
    const calls = world.calls().length;
    const held = await syncTo(world, 9);
    says(held.stderr, `warning: ${short(revision)} has been blocked since`);
    assertEquals(world.calls().length, calls, "a held revision is not tried");
  }
  // It ends where the host was before the first of them.
  assertEquals(world.running(), system);
  const revision = await repository.publish("A good one", { knobs: good });
  await syncTo(world, 0);
  runs(world, revision);
});

test("a held revision is tried again when a person says so", async (world) => {
  const { repository } = await deployed(world);
  const { folder } = world;
  const revision = await repository.publish("It needs a file", {
    knobs: { build: `test -e ${folder}/file || { echo no file; exit 1; }` },
  });
  await syncTo(world, 6);
  await syncTo(world, 9, "sync", "--now");
  says((await syncTo(world, 6, "retry")).stderr, "no file");
  await syncTo(world, 9);
  Deno.writeTextFileSync(`${folder}/file`, "");
  await syncTo(world, 0, "retry");
  runs(world, revision);
  assertEquals(world.state()?.holds, []);
});

test("a system that cuts the host off from the repository goes", async (world) => {
  const bare = `${world.folder}/infra.git`;
  const away = `${bare}.away`;
  // The way back is the way to the repository, too.
  const { repository } = await deployed(world, {}, {
    knobs: { activation: `test ! -e ${away} || mv ${away} ${bare}` },
  });
  const before = standing(world);
  const revision = await repository.publish("It loses the way", {
    knobs: { activation: `mv ${bare} ${away}` },
  });
  const lost = await syncTo(world, 7, "--timeouts-health=1s");
  says(lost.stderr, "health: failed", "can no longer be reached");
  assertEquals(standing(world), before);
  await syncTo(world, 9);
  assertEquals(world.state()?.holds[0]?.revision, revision);
});

test("a repository that is down for everybody holds no revision", async (world) => {
  const { repository } = await deployed(world);
  const { bare } = repository;
  await repository.publish("It goes while this is tried", {
    knobs: { activation: `mv ${bare} ${bare}.away` },
  });
  const lost = await syncTo(world, 7, "--timeouts-health=1s");
  says(lost.stderr, "does not answer the previous system either");
  Deno.renameSync(`${bare}.away`, bare);
  assertEquals(world.state()?.holds, []);
});

test("a way back that fails too needs a person, and is tried again", async (world) => {
  const flag = `${world.folder}/broken`;
  const { repository, revision } = await deployed(world, {}, {
    // Ends the whole activation, and not its group: Deno before 2.4 gives it
    // none of its own.
    knobs: { activation: `test ! -e ${flag} || kill -9 $PPID` },
  });
  const bad = await repository.publish("The bad one", {
    knobs: { activation: undefined, exit: { test: 4 } },
  });
  Deno.writeTextFileSync(flag, "");
  const broken = await syncTo(world, 8);
  says(broken.stderr, "the rollback failed too: activating", "signal 9");
  says(broken.stderr, "hint: Check the host now: `systemctl --failed`");
  assertEquals(revisionOf(world, world.running()), bad);
  assertEquals(revisionOf(world, world.bootDefault()), revision);
  const status = await syncTo(world, 0, "status");
  says(status.stdout, "Manual action is needed: the rollback failed too");

  const again = await syncTo(world, 8);
  says(
    again.stderr,
    `The rollback from ${short(bad)} failed; trying it again`,
    `error: The rollback from ${
      short(bad)
    } failed before; the rollback failed too: activating`,
  );
  Deno.removeSync(flag);
  says((await syncTo(world, 9)).stderr, "the previous system runs again");
  runs(world, revision);
  assertEquals(world.state()?.attempt, undefined);
  says((await syncTo(world, 0, "history")).stdout, "way-back-failed (7)");
});

test("a first system that is not well is not confirmed because it runs", async (world) => {
  const flag = `${world.folder}/well`;
  const { revision } = await prepared(world, {}, {
    knobs: { activation: `test -e ${flag} || { echo not well; exit 1; }` },
  });
  for (const command of ["sync", "retry", "retry"]) {
    const failed = await syncTo(world, 8, command);
    says(failed.stderr, "activate: failed", "not well", "no system ran before");
    assertEquals(revisionOf(world, world.running()), revision);
    assertEquals(world.bootDefault(), null);
    assertEquals(world.state()?.lastGood, undefined);
  }
  Deno.writeTextFileSync(flag, "");
  await syncTo(world, 0, "retry");
  runs(world, revision);
  assertEquals(world.state()?.unfit, undefined);
});

test("a directory that the repository does not have is told as such", async (world) => {
  await prepared(world);
  const failed = await syncTo(world, 6, "--directory", "hosts/web");
  says(
    failed.text,
    "there is no hosts/web/flake.nix",
    "hint: Set `directory` (or `--directory`) to the folder of flake.nix",
  );
});

/** A flake with one host, `demo`, that has this. */
const flakeWith = (config: string) =>
  `{
  outputs = { self }: {
    nixosConfigurations.demo.config = ${config};
    nixosConfigurations.web.config = { };
  };
}
`;

test("a missing host is told from a host without a system", async (world) => {
  const { repository } = await deployed(world);
  await repository.publish("A host without a system", {
    files: { "flake.nix": flakeWith("{ system.build.x = 1; }") },
  });
  const without = await syncTo(world, 6);
  says(
    without.stderr,
    "nixosConfigurations.demo has no config.system.build.toplevel",
    "hint: Define nixosConfigurations.demo with nixpkgs.lib.nixosSystem",
  );
  const missing = await syncTo(world, 6, "sync", "--host=demos", "--now");
  says(
    missing.stderr,
    "the flake has no nixosConfigurations.demos\n",
    "hint: Set `host` (or `--host`) to one of the flake's hosts: demo, web.",
  );
});

test("an evaluation error is printed once, and warnings of a good one as well", async (world) => {
  const { repository } = await deployed(world);
  const words = "this host needs a disk that nobody has given it, ".repeat(3);
  await repository.publish("A throw", {
    files: { "flake.nix": flakeWith(`throw ''${words}''`) },
  });
  const failed = await syncTo(world, 6);
  assertEquals(failed.stderr.split(words.trim()).length, 2, failed.stderr);
  const flake = await Deno.readTextFile(
    new URL("../system/flake.nix", import.meta.url),
  );
  const revision = await repository.publish("A warning", {
    files: {
      "flake.nix": flake.replace(
        "= standIn host",
        '= builtins.trace "evaluation warning: the option a is renamed to b" standIn host',
      ),
    },
  });
  const warned = await syncTo(world, 0);
  runs(world, revision);
  says(
    warned.stderr,
    "warning: The evaluation printed 1 warning\n  the option a is renamed to b",
  );
});
