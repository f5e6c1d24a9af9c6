import { assertEquals } from "@std/assert";
import {
  deployed,
  prepared,
  runs,
  says,
  standing,
  syncTo,
  test,
} from "./setting.ts";
import type { World } from "../world/world.ts";

/** A hook that writes down what it was told. */
const noting = (world: World, name: string) => [
  "sh",
  "-c",
  `env | grep ^GITOPS_SYNC_ | sort >"$1"`,
  "-",
  `${world.folder}/${name}`,
];

/** What a hook was told, and takes it away; `null` where none was run. */
function told(world: World, name: string): Record<string, string> | null {
  const text = world.read(name);
  if (text === null) return null;
  Deno.removeSync(world.path(name));
  return Object.fromEntries(
    text.trimEnd().split("\n").map((line) => {
      const [, key, value] = /^GITOPS_SYNC_(\w+?)=(.*)$/.exec(line)!;
      return [key!, value!];
    }),
  );
}

test("hooks are run around a deployment, and told of it", async (world) => {
  const { repository, system: old } = await deployed(world);
  world.configure(repository, {
    "hooks.preDeploy": [noting(world, "before")],
    "hooks.postDeploy": [["sh", "-c", "exit 3"], noting(world, "after")],
    "hooks.onFailure": [noting(world, "failed")],
  });
  const revision = await repository.publish('A "subject" with $(words)');
  const run = await syncTo(world, 0);
  const system = runs(world, revision);
  const about = {
    HOST: "demo",
    REPOSITORY: world.urlOf(repository),
    REF: "main",
    REVISION: revision,
    SUBJECT: 'A "subject" with $(words)',
    AUTHOR: "Ada",
    SIGNED_BY: "",
    SYSTEM: system,
    PREVIOUS: old,
  };
  assertEquals(told(world, "before"), { ...about, HOOK: "preDeploy" });
  assertEquals(told(world, "after"), {
    ...about,
    HOOK: "postDeploy",
    RESULT: "deployed",
  });
  assertEquals(told(world, "failed"), null);
  // What such a hook comes to changes nothing.
  says(
    run.stderr,
    'warning: hooks.postDeploy: "sh -c exit 3" ended with code 3',
  );

  // A run with nothing to do has nothing to tell.
  await syncTo(world, 0);
  assertEquals(told(world, "before"), null);
  assertEquals(told(world, "after"), null);

  const bad = await repository.publish("Bad", {
    knobs: { exit: { test: 1 } },
  });
  const { stderr } = await syncTo(world, 7);
  const [, message] = /^error: (.*)$/m.exec(stderr)!;
  const failed = told(world, "failed");
  assertEquals(failed?.["SYSTEM"], told(world, "before")?.["SYSTEM"]);
  assertEquals({ ...failed, SYSTEM: "" }, {
    ...about,
    SYSTEM: "",
    HOOK: "onFailure",
    PREVIOUS: system,
    REVISION: bad,
    SUBJECT: "Bad",
    RESULT: "failed",
    STAGE: "activate",
    REASON: "not-switched",
    EXIT: "7",
    MESSAGE: message!,
  });
  assertEquals(told(world, "after"), null);

  await repository.publish("Broken", { knobs: { build: "exit 1" } });
  await syncTo(world, 6);
  assertEquals(told(world, "before"), null);
  assertEquals(told(world, "failed")?.["STAGE"], "build");
});

test("a hook before a deployment that fails leaves the host as it is", async (world) => {
  const { repository, revision } = await prepared(world, {
    "hooks.preDeploy": [["true"], ["sh", "-c", "echo busy >&2; exit 1"]],
  });
  const before = standing(world);
  const run = await syncTo(world, 6);
  says(
    run.stderr,
    'Cannot deploy: hooks.preDeploy: "sh -c echo busy >&2; exit 1" ended with code 1',
    "  busy\n",
    "hint: Fix what the command reports. The host was not changed",
  );
  assertEquals(standing(world), before);
  assertEquals(world.state()?.holds, []);
  assertEquals(world.state()?.backoff?.failures, 1);

  world.configure(repository, {
    "hooks.preDeploy": [["sleep", "60"]],
    "timeouts.hooks": "1s",
  });
  says((await syncTo(world, 6, "sync", "--now")).stderr, "took too long");
  world.configure(repository, { "hooks.preDeploy": [["no-such-program"]] });
  says((await syncTo(world, 6, "sync", "--now")).stderr, "cannot be run");
  world.configure(repository);
  await syncTo(world, 0, "sync", "--now");
  runs(world, revision);
});
