/** `publish` to a branch, with real Nix, Git and a static binary cache. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { World } from "../world/world.ts";
import { type Hosts, Publisher, resultsOf } from "./setting.ts";

const refusal = await World.refusal();
if (refusal) console.log(`publishing is not tested here: ${refusal}`);

function test(
  name: string,
  hosts: Hosts,
  fn: (publisher: Publisher) => Promise<void>,
) {
  Deno.test({
    name,
    ignore: refusal !== null,
    fn: async () => {
      await using publisher = await Publisher.make(hosts);
      await fn(publisher);
    },
  });
}

test("hosts take what was published, signed, and build nothing", {
  demo: {},
  other: { greeting: "other" },
}, async (publisher) => {
  const { world: ci, repository, trusted, signer } = publisher;
  // The person signs what they commit, and CI what it publishes.
  const person = `${ci.folder}/person`;
  await ci.output(
    ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", person],
  );
  await repository.git("config", "gpg.format", "ssh");
  await repository.git("config", "user.signingKey", person);
  await repository.git("config", "commit.gpgSign", "true");
  await repository.publish("Signed");
  const first = await publisher.document();
  assertEquals([first.code, first.result], [0, "published"], first.stderr);
  assertEquals(resultsOf(first), { demo: "built", other: "built" });

  await using host = await World.make();
  await using plain = await World.make();
  const signers = `${host.folder}/allowed`;
  const key = (await Deno.readTextFile(`${person}.pub`)).trim();
  await Deno.writeTextFile(
    signers,
    `ada@example.org ${key}\nci@example.org ${signer}\n`,
  );
  const options = Object.entries({
    substitute: "true",
    substituters: `file://${publisher.cache}`,
    "trusted-public-keys": trusted,
  }).flatMap(([name, value]) => ["--option", name, value]);
  const settings = {
    ref: "deploy",
    "build.from": "cache",
    "build.options": options,
  };
  host.configure(repository, {
    ...settings,
    "verify.mode": "range",
    "verify.allowedSigners": signers,
  });
  // It fetches what is new alone.
  plain.configure(repository, settings);
  const sync = async () => {
    for (const one of [host, plain]) {
      const ended = await one.sync();
      assertEquals(ended.code, 0, ended.stdout + ended.stderr);
      assertEquals(one.running(), await publisher.systemOf("demo"));
      assertEquals(one.state()?.lastGood?.revision, await tipOf(publisher));
    }
  };
  await sync();
  // Every commit on the way is signed: theirs, and ours.
  await repository.publish("Greet", { knobs: { greeting: "good day" } });
  const second = await publisher.document();
  assertEquals(resultsOf(second), { demo: "built", other: "cached" });
  await sync();
  const subject = host.state()?.lastGood?.subject ?? "";
  assertStringIncludes(subject, ": Greet");
  assertEquals(host.state()?.lastGood?.author, "Ada");
  // Nothing was evaluated or built there.
  const found = ["find", "/nix/store", "-maxdepth", "1", "-name", "*.drv"];
  assertEquals(await host.output(found), "");
});

const tipOf = ({ repository }: Publisher) =>
  repository.git("ls-remote", "origin", "refs/heads/deploy")
    .then((line) => line.split("\t")[0]!);

test("the same again changes nothing, and makes no commit", {
  demo: {},
}, async (publisher) => {
  await publisher.publish();
  const tip = await tipOf(publisher);
  const again = await publisher.document();
  assertEquals([again.code, again.result], [0, "unchanged"], again.stderr);
  assertEquals(resultsOf(again), { demo: "cached" });
  assertEquals(again.commit, tip);
  assertEquals(await tipOf(publisher), tip);
  // The checkout is as it was.
  assertEquals(await publisher.repository.git("status", "--porcelain"), "");
  assertEquals(
    await publisher.repository.git(
      "for-each-ref",
      "--format=%(refname)",
      "refs/publish",
    ),
    "",
  );
});

test("a host that fails stops no other, and keeps what it has", {
  broken: {},
  elsewhere: {},
  good: {},
  odd: {},
}, async (publisher) => {
  const { repository } = publisher;
  const first = await publisher.document();
  assertEquals(first.code, 0, first.stderr);
  const before = await publisher.systemOf("odd");
  const other = Deno.build.arch === "x86_64" ? "aarch64" : "x86_64";
  const hosts = {
    broken: { build: "echo no luck; exit 1" },
    elsewhere: { system: `${other}-linux` },
    good: { greeting: "changed" },
    // No such knob: the flake throws.
    odd: { nonsense: 1 } as Record<string, unknown>,
  };
  await repository.publish("Some are bad", { knobs: { hosts } });
  const some = await publisher.document();
  assertEquals([some.code, some.result], [6, "published"], some.stderr);
  assertEquals(resultsOf(some), {
    broken: "failed",
    elsewhere: "failed",
    good: "built",
    odd: "failed",
  });
  const reasons = some.hosts.map(({ error }: { error?: { reason: string } }) =>
    error?.reason
  );
  assertEquals([reasons[0], reasons[1]], ["builder-failed", "no-builder"]);
  for (const name of ["broken", "elsewhere", "odd"]) {
    assertStringIncludes(some.stderr, ` ${name}: `);
  }
  assertStringIncludes(some.stderr, "no luck");
  assertStringIncludes(some.stderr, "unknown key nonsense");
  assertEquals(await publisher.systemOf("odd"), before);
  const text = await publisher.git("log", "-1", "--format=%b", "deploy");
  assertStringIncludes(
    text,
    "Not published, and unchanged: broken (builder-failed)",
  );

  // Where that is asked for, one is enough to write nothing.
  const tip = await tipOf(publisher);
  hosts.good.greeting = "changed again";
  await repository.publish("Still bad", { knobs: { hosts } });
  const none = await publisher.document("--all-or-nothing");
  assertEquals([none.code, none.result], [6, "not-published"], none.stderr);
  const failing = await publisher.document("--hosts", "o*,broken");
  assertEquals([failing.code, failing.result], [6, "not-published"]);
  assertEquals(Object.keys(resultsOf(failing)), ["broken", "odd"]);
  assertEquals(await tipOf(publisher), tip);
  const missing = await publisher.publish("--hosts", "good,web*");
  assertEquals(missing.code, 2);
  assertStringIncludes(missing.stderr, "Cannot publish web*");

  // A part of them may be published, and those that are gone have no file.
  const { broken: _, ...rest } = hosts;
  await repository.publish("One less", { knobs: { hosts: rest } });
  const part = await publisher.document("--hosts", "good");
  assertEquals([part.code, part.removed], [0, ["broken"]], part.stderr);
  assertEquals(await publisher.systemOf("broken"), null);
  assertEquals(await publisher.systemOf("odd"), before);
});

test("the branch moves forward alone, whoever publishes at once", {
  demo: {},
  other: {},
}, async (publisher) => {
  const { repository } = publisher;
  await publisher.publish();
  await repository.publish("Second", { knobs: { greeting: "second" } });
  // As jobs for two platforms do.
  const both = await Promise.all([
    publisher.document("--hosts", "demo"),
    publisher.document("--hosts", "other"),
  ]);
  for (const { code, result, stderr } of both) {
    assertEquals([code, result], [0, "published"], stderr);
  }
  const systems = both.map(({ hosts: [host] }) => host.system);
  assertEquals(
    [await publisher.systemOf("demo"), await publisher.systemOf("other")],
    systems,
  );
  const tip = await tipOf(publisher);

  // A job of an older commit that was late.
  await repository.git("checkout", "--quiet", "HEAD~1");
  const late = await publisher.document();
  assertEquals([late.code, late.result], [0, "older"], late.stderr);

  // Another history, on purpose and not.
  await repository.git("checkout", "--quiet", "-b", "rewritten");
  await repository.commit("Rewritten", { knobs: { greeting: "rewritten" } });
  const refused = await publisher.document();
  assertEquals([refused.code, refused.error?.reason], [4, "not-forward"]);
  assertEquals(await tipOf(publisher), tip);
  const meant = await publisher.document("--allow-force-push");
  assertEquals([meant.code, meant.result], [0, "published"], meant.stderr);
  // Hosts follow it without a word all the same.
  await publisher.git("merge-base", "--is-ancestor", tip, "deploy");
});

test("a shallow checkout is enough", { demo: {} }, async (publisher) => {
  const { world, repository } = publisher;
  await publisher.publish();
  await repository.publish("Second", { knobs: { greeting: "second" } });
  await repository.publish("Third", { knobs: { greeting: "third" } });
  const clone = `${world.folder}/clone`;
  const url = `file://${repository.bare}`;
  await world.output(
    ["git", "clone", "--quiet", "--depth=1", "--branch=main", url, clone],
  );
  const { code, stderr } = await world.sync(
    ...["publish", clone, ...publisher.usual],
  );
  assertEquals(code, 0, stderr);
  const parents = await publisher.git("log", "-1", "--format=%P", "deploy");
  assertEquals(parents.split(" ").at(-1), await repository.head());
  // All of its history is there.
  const all = await publisher.git("rev-list", "--count", "deploy");
  assertEquals(all, "5");
});

test("nothing is published that may not be", {
  demo: {},
}, async (publisher) => {
  const { world, repository } = publisher;
  const refused = async (reason: string, ...args: string[]) => {
    const ended = await publisher.document(...args);
    assertEquals([ended.code, ended.error?.reason], [2, reason], ended.stderr);
    return ended.stderr as string;
  };
  await Deno.writeTextFile(`${repository.folder}/flake.nix`, "{}");
  assertStringIncludes(await refused("not-committed"), ": flake.nix");
  await repository.git("checkout", "--quiet", "flake.nix");
  await refused("branch-of-others", "--branch", "main");
  await refused("branch-name", "--branch", "a..b");
  await refused("file-pattern", "--build-prebuilt", "systems");
  await refused("file-pattern", "--build-prebuilt", "s/{host}/{revision}");
  await refused("file-pattern", "--build-prebuilt", "https://x.example/{host}");
  await refused("jobs", "--jobs", "0");
  await refused("cache-key", "--cache-key", "/dev/null");
  await refused("commit-key", "--commit-key", `${world.folder}/cache-key`);
  await refused("place-missing", "--folder", world.folder);

  // What nobody signed is not carried over into what we sign.
  await publisher.publish();
  await repository.git("fetch", "--quiet", "origin", "deploy");
  const text = await repository.git("log", "-1", "--format=%B", "FETCH_HEAD");
  const tree = await repository.git("rev-parse", "FETCH_HEAD^{tree}");
  const forged = await repository.git(
    ...["-c", "user.name=M", "-c", "user.email=m@example.org"],
    ...["commit-tree", tree, "-p", "FETCH_HEAD", "-m", text],
  );
  await repository.git(
    "push",
    "--quiet",
    "origin",
    `${forged}:refs/heads/deploy`,
  );
  await refused("branch-not-signed");
});

test("a run that is cut off has written nothing", {
  demo: { build: "sleep 60" },
}, async (publisher) => {
  const running = publisher.start(publisher.usual);
  const isBuilding = async () => {
    const drv = ["sh", "-c", "ls /nix/store | grep -c stand-in.drv"];
    return (await publisher.world.run(drv)).stdout.trim() !== "0";
  };
  for (let i = 0; i < 200 && !await isBuilding(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  running.signal("SIGTERM");
  const { code, stdout } = await running.ended;
  assertEquals([code, stdout], [130, ""]);
  const refs = await publisher.git("for-each-ref", "--format=%(refname)");
  assertEquals(refs, "refs/heads/main");
});

test("a server that refuses the push says why", {
  demo: {},
}, async (publisher) => {
  const hook = `${publisher.repository.bare}/hooks/pre-receive`;
  await Deno.writeTextFile(hook, "#!/bin/sh\necho protected >&2\nexit 1\n", {
    mode: 0o755,
  });
  const ended = await publisher.document();
  assertEquals([ended.code, ended.error.reason], [3, "push-refused"]);
  assert(
    ended.error.details.some((line: string) => line.includes("protected")),
  );
});
