import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Receiver } from "../notify/receiver.ts";
import type { World } from "../world/world.ts";
import { short } from "../../lib/base/text.ts";
import { deployed, prepared, syncTo, test } from "./setting.ts";

const state = "/var/lib/gitops-sync";

const hook = ({ url }: Receiver, more = {}) => ({
  "notify.webhook.url": `${url}/hook`,
  retries: 0,
  ...more,
});

/** The events that came, with what they are about. */
const events = (receiver: Receiver) =>
  receiver.bodies.map(({ event, reason, about }) =>
    [event, reason ?? about?.event].filter((word) => word).join(" ")
  );

const waiting = (world: World) => {
  try {
    return [...Deno.readDirSync(world.path(`${state}/notify/spool`))]
      .map(({ name }) => name).sort();
  } catch {
    return [];
  }
};

test("each event is told once, and each fault once when it is over", async (world) => {
  await using receiver = new Receiver();
  const { repository, revision } = await deployed(world, hook(receiver));
  assertEquals(events(receiver), ["deployed"]);
  const [first] = receiver.bodies;
  assertEquals(first.revision, revision);
  assertEquals(first.subject, "The first system");
  assertEquals(first.version, 1);
  assertEquals([first.target.ref, first.target.host], ["main", "demo"]);
  assertEquals(first.state, "in-sync");
  assert(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(first.at), first.at);
  // Nothing to do, again and again.
  for (const _ of [1, 2]) await syncTo(world, 0);
  assertEquals(events(receiver), ["deployed"]);

  await repository.publish("Bad", { knobs: { build: "exit 1" } });
  await syncTo(world, 6);
  for (const _ of [1, 2, 3]) await syncTo(world, 9);
  await syncTo(world, 6, "retry");
  assertEquals(events(receiver).slice(1), ["failed builder-failed"]);
  assertEquals(receiver.bodies[1].subject, "Bad");
  assertEquals(receiver.bodies[1].stage, "build");

  await repository.publish("Good", { knobs: { build: "" } });
  await syncTo(world, 0);
  await syncTo(world, 0);
  assertEquals(events(receiver).slice(2), ["deployed", "recovered failed"]);
  assertEquals(receiver.bodies[3].about.id, receiver.bodies[1].id);

  await syncTo(world, 0, "rollback", "--reason", "too slow");
  assertEquals(events(receiver).slice(4), ["rolled-back"]);
  assertEquals(
    receiver.bodies[4].message,
    "root rolled this host back (too slow); the host stays there until gitops-sync resume",
  );
  const ids = receiver.bodies.map(({ id, event }) => `${id} ${event}`);
  assertEquals(new Set(ids).size, ids.length);
});

test("a receiver that is down fails no deployment, and gets all later", async (world) => {
  const down = new Receiver();
  const { port } = down;
  await down[Symbol.asyncDispose]();
  const settings = {
    "notify.webhook.url": `http://127.0.0.1:${port}/`,
    retries: 0,
  };
  const { repository } = await prepared(world, settings);
  const { text } = await syncTo(world, 0);
  assertStringIncludes(text, "Cannot deliver to the webhook");
  // A run that has nothing to do is no short one while a message waits.
  await syncTo(world, 0);
  assertEquals(world.read(`${state}/settled.json`), null);
  await repository.publish("Bad", {
    knobs: { build: "exit 1" },
  });
  await world.sync();
  assert(waiting(world).length >= 2, String(waiting(world)));
  await using receiver = new Receiver(port);
  world.write(`${state}/notify/pauses.json`, "{}");
  await world.sync();
  assertEquals(events(receiver)[0], "deployed");
  assertEquals(waiting(world), []);
});

/** Runs gitops-sync where the folder of messages has room for none. */
async function syncWithoutRoom(world: World) {
  const folder = `${state}/notify`;
  const script =
    `mkdir -p ${folder}; mount -t tmpfs -o size=4k,nr_inodes=2,mode=0700 none ${folder}; ` +
    `echo full >${folder}/pauses.json; exec gitops-sync`;
  return await world.run(["sh", "-c", script]);
}

test("a full disk stops no deployment, and what it kept is told once there is room", async (world) => {
  await using receiver = new Receiver();
  await using forge = new Receiver();
  world.write("/etc/gitops-sync/token", "t0ken\n");
  const settings = hook(receiver, {
    "commitStatus.forge": "forgejo",
    "commitStatus.url": forge.url,
    "commitStatus.project": "a/b",
    "commitStatus.tokenFile": "/etc/gitops-sync/token",
  });
  const { repository } = await deployed(world, settings);
  const revision = await repository.publish("On a full disk");
  const full = await syncWithoutRoom(world);
  assertEquals(full.code, 0, full.stderr);
  assertStringIncludes(full.stderr, "Cannot queue a message");
  assertEquals(world.state()!.lastGood?.revision, revision);
  const before = receiver.got.length;
  // Nor is a run that has nothing to do stopped, and it keeps them.
  assertEquals((await syncWithoutRoom(world)).code, 0);
  assertEquals(world.state()!.untold?.length, 2);
  assertEquals(receiver.got.length, before);
  for (const _ of [1, 2]) await syncTo(world, 0);
  assertEquals(events(receiver).slice(before), ["deployed"]);
  assertEquals(receiver.bodies.at(-1).revision, revision);
  assertStringIncludes(forge.got.at(-1)!.path, revision);
  assertEquals(forge.bodies.at(-1).state, "success");
  assertEquals(world.state()!.untold, undefined);
});

test("a repository that is silent, drift, and what has recovered", async (world) => {
  await using receiver = new Receiver();
  const settings = hook(receiver, { "alerts.unreachableAfter": "1ms" });
  const { repository, system } = await deployed(world, settings);
  const away = `${repository.bare}.away`;
  await Deno.rename(repository.bare, away);
  for (const _ of [1, 2, 3]) await syncTo(world, 3);
  await Deno.rename(away, repository.bare);
  await syncTo(world, 0);
  assertEquals(events(receiver).slice(1), [
    "unreachable not-found",
    "recovered unreachable",
  ]);
  await world.output(["ln", "-sfn", "/nix", "/run/current-system"]);
  for (const _ of [1, 2]) await syncTo(world, 0);
  // What could not be looked at is not over.
  await Deno.rename(repository.bare, away);
  await syncTo(world, 3);
  await Deno.rename(away, repository.bare);
  await syncTo(world, 0);
  await world.output(["ln", "-sfn", system, "/run/current-system"]);
  await syncTo(world, 0);
  assertEquals(events(receiver).slice(3).filter((one) => /drift/.test(one)), [
    "drift",
    "recovered drift",
  ]);
});

test("a host that needs a person says so once, and when it is back", async (world) => {
  await using receiver = new Receiver();
  const flag = `${world.folder}/broken`;
  const { repository } = await deployed(world, hook(receiver), {
    knobs: { activation: `test ! -e ${flag} || kill -9 0` },
  });
  await repository.publish("The bad one", {
    knobs: { activation: undefined, exit: { test: 4 } },
  });
  Deno.writeTextFileSync(flag, "");
  for (const _ of [1, 2]) await syncTo(world, 8);
  Deno.removeSync(flag);
  for (const _ of [1, 2]) await syncTo(world, 9);
  const told = receiver.bodies.map(({ event, severity, about }) =>
    [event, about?.event ?? severity].join(" ")
  );
  assertEquals(told, [
    "deployed info",
    "needs-person critical",
    "recovered needs-person",
    "held error",
  ]);
});

test("a suspension is told once it is long", async (world) => {
  await using receiver = new Receiver();
  const settings = hook(receiver, { "notify.suspendedAfter": "1ms" });
  await deployed(world, settings);
  await syncTo(world, 0, "suspend", "--reason", "a test");
  for (const _ of [1, 2]) await syncTo(world, 0);
  await syncTo(world, 0, "resume");
  await syncTo(world, 0);
  assertEquals(events(receiver).slice(1), ["suspended", "recovered suspended"]);
  assertEquals(receiver.bodies[1].message, "a test");
});

test("a reboot that is due is told once, however many commits come", async (world) => {
  await using receiver = new Receiver();
  const { repository, system } = await deployed(world, hook(receiver));
  const booted = world.path("/run/booted-system");
  await Deno.symlink(system, booted);
  await repository.publish("A kernel", { knobs: { kernel: "6.13.0" } });
  for (const _ of [1, 2]) await syncTo(world, 0);
  await repository.publish("And more");
  for (const _ of [1, 2]) await syncTo(world, 0);
  const reboots = () =>
    receiver.bodies.filter(({ event, about }) =>
      [event, about?.event].includes("reboot-due")
    );
  assertEquals(reboots().map(({ summary }) => summary), [
    "a reboot is needed: kernel, initrd, kernel modules",
  ]);
  // Where somebody changed the host, nobody knows what a reboot brings.
  world.configure(repository, hook(receiver, { reboot: "when-needed" }));
  const after = world.running()!;
  await world.output(["ln", "-sfn", "/nix", "/run/current-system"]);
  await syncTo(world, 0);
  await world.output(["ln", "-sfn", after, "/run/current-system"]);
  world.configure(repository, hook(receiver));
  await syncTo(world, 0);
  assertEquals(reboots().length, 1, JSON.stringify(reboots()));
  await Deno.remove(booted);
  await Deno.symlink(after, booted);
  await repository.publish("After the reboot");
  await syncTo(world, 0);
  assertEquals(reboots().map(({ event }) => event), [
    "reboot-due",
    "recovered",
  ]);
});

test("what waits for approval is told once, and when it waits no longer", async (world) => {
  await using receiver = new Receiver();
  const { repository, system } = await deployed(world, hook(receiver));
  await repository.publish("Another");
  await syncTo(world, 0);
  const settings = hook(receiver, { approval: "manual" });
  world.configure(repository, settings);
  const second = await repository.publish("Second");
  for (const _ of [1, 2, 3]) await syncTo(world, 0);
  assertEquals(events(receiver).slice(2), ["approval-wanted"]);
  const [, , wanted] = receiver.bodies;
  assertEquals([wanted.revision, wanted.subject], [second, "Second"]);
  assertStringIncludes(wanted.hints[0], `gitops-sync approve ${second}`);
  // A closed window, or nobody who answers, ends nothing.
  const closed = { "windows.deploy": ["Mon..Sun 00:00-00:01"] };
  world.configure(repository, { ...settings, ...closed });
  await world.sync();
  world.configure(repository, settings);
  const away = `${repository.bare}.away`;
  await Deno.rename(repository.bare, away);
  await syncTo(world, 3);
  await Deno.rename(away, repository.bare);
  await syncTo(world, 0);
  assertEquals(events(receiver).length, 3, String(events(receiver)));
  // Nor does it end because a run puts the host back first.
  world.configure(repository, { ...settings, drift: "correct" });
  await world.output(["ln", "-sfn", system, "/run/current-system"]);
  await syncTo(world, 0);
  await syncTo(world, 0);
  const about = () => events(receiver).filter((one) => /approval/.test(one));
  assertEquals(about().length, 1, String(events(receiver)));
  await syncTo(world, 0, "approve", second);
  await syncTo(world, 0);
  assertEquals(about(), ["approval-wanted", "recovered approval-wanted"]);
});

test("that a host may follow nothing is told while a person's word counts", async (world) => {
  await using receiver = new Receiver();
  const { repository } = await deployed(world, hook(receiver));
  for (const span of ["1h", "1ms"]) {
    const revision = await repository.publish(`The last, for ${span}`);
    await syncTo(world, 0, "accept", "--unfollow", `--for=${span}`, revision);
    await syncTo(world, 0);
  }
  assertEquals(events(receiver).slice(1), [
    "deployed",
    "unfollowed",
    "deployed",
  ]);
});

test("notify --test tries every receiver, and no forge", async (world) => {
  await using receiver = new Receiver();
  await using broken = new Receiver();
  broken.answer = () => new Response("s3cret words", { status: 500 });
  world.write("/etc/gitops-sync/token", "t0ken\n");
  const settings = hook(receiver, {
    // A filter is for events.
    "notify.webhook.events": ["failed"],
    "notify.alertmanager.url": receiver.url,
    "commitStatus.forge": "gitea",
    "commitStatus.url": receiver.url,
    "commitStatus.project": "a/b",
    "commitStatus.tokenFile": "/etc/gitops-sync/token",
  });
  const { repository } = await prepared(world, settings);
  const { stdout } = await syncTo(world, 0, "notify", "--test");
  assertEquals(
    stdout,
    "the webhook: delivered\nAlertmanager: delivered\n" +
      "commit status: not tested; the test status would stay on a commit\n",
  );
  const paths = receiver.got.map(({ path }) => path).sort();
  assertEquals(paths, ["/api/v2/alerts", "/hook"]);
  const [alert] = receiver.bodies.find(Array.isArray)!;
  assertEquals(alert.labels.alertname, "GitopsSyncTest");
  assertEquals(waiting(world), []);

  world.configure(repository, {
    ...settings,
    "notify.alertmanager.url": broken.url,
  });
  const failed = await syncTo(world, 3, "notify", "--test");
  assertStringIncludes(
    failed.stdout,
    "Alertmanager: failed: it answered with status 500\n",
  );
  const { stdout: text } = await syncTo(world, 3, "notify", "--test", "--json");
  const { exit, channels } = JSON.parse(text);
  assertEquals(exit, 3);
  assertEquals(channels, [
    { channel: "webhook", delivered: true },
    {
      channel: "alertmanager",
      delivered: false,
      why: "it answered with status 500",
    },
  ]);
  assert(!`${failed.text}${text}`.includes("s3cret"));

  world.configure(repository, {});
  const nobody = await syncTo(world, 2, "notify", "--test");
  assertStringIncludes(nobody.stderr, "no receiver is configured");
});

test("who filters gets no more than was asked for", async (world) => {
  await using receiver = new Receiver();
  const settings = hook(receiver, { "notify.webhook.severity": "error" });
  const { repository } = await deployed(world, settings);
  await repository.publish("Bad", { knobs: { build: "exit 1" } });
  await syncTo(world, 6);
  await repository.publish("Good", { knobs: { build: "" } });
  await syncTo(world, 0);
  assertEquals(events(receiver), ["failed builder-failed", "recovered failed"]);
});

test("a run that was cut off while it told tells the same again", async (world) => {
  await using receiver = new Receiver();
  // Somebody else would deliver: what is spooled stays.
  const settings = hook(receiver, { "notify.by": "unit" });
  const { repository } = await deployed(world, settings);
  await repository.publish("Bad", { knobs: { build: "exit 1" } });
  await syncTo(world, 6);
  const name = waiting(world).find((one) => one.includes("failed"))!;
  const told = `${state}/notify/told.json`;
  const { open, ...rest } = JSON.parse(world.read(told)!);
  const unsent = Object.values(open);
  // As a power cut leaves it between the two writes.
  await Deno.remove(world.path(`${state}/notify/spool/${name}`));
  world.write(told, JSON.stringify({ ...rest, open, unsent }));
  await syncTo(world, 9);
  assertEquals(waiting(world).filter((one) => one.includes("failed")), [name]);
  assertEquals(receiver.got, []);
  await syncTo(world, 0, "notify");
  assertEquals(events(receiver), ["deployed", "failed builder-failed"]);
});

test("a full state folder costs messages and no deployment", async (world) => {
  await using receiver = new Receiver();
  await prepared(world, hook(receiver));
  // In the place of the folder.
  world.write(`${state}/notify`, "");
  const { text } = await syncTo(world, 0);
  assertStringIncludes(text, "Cannot queue a message");
  assertEquals(receiver.got, []);
});

test("a status of the commit is given to the forge", async (world) => {
  await using forge = new Receiver();
  world.write("/etc/gitops-sync/token", "t0ken-of-the-forge\n");
  const settings = {
    "commitStatus.forge": "forgejo",
    "commitStatus.url": `${forge.url}/api/v1`,
    "commitStatus.project": "team/infra",
    "commitStatus.tokenFile": "/etc/gitops-sync/token",
    "notify.link": "https://git.example.org/team/infra/commit/{revision}",
    host: "demo",
  };
  const { repository, revision } = await deployed(world, settings);
  // The pending one waited as well, and says nothing any more.
  assertEquals(forge.got.length, 1);
  const { path, headers } = forge.got[0]!;
  assertEquals(path, `/api/v1/repos/team/infra/statuses/${revision}`);
  assertEquals(headers.get("authorization"), "token t0ken-of-the-forge");
  assertEquals(forge.bodies[0], {
    state: "success",
    context: "gitops-sync/demo",
    description: "runs on demo",
    target_url: `https://git.example.org/team/infra/commit/${revision}`,
  });
  const bad = await repository.publish("Bad", { knobs: { build: "exit 1" } });
  await syncTo(world, 6);
  for (const _ of [1, 2]) await syncTo(world, 9);
  await syncTo(world, 6, "retry");
  assertEquals(forge.got.length, 2, "the same is told once");
  assertStringIncludes(forge.got[1]!.path, bad);
  assertEquals(forge.bodies[1].state, "failure");
  assert(forge.bodies[1].description.length <= 140);
  const found = await world.output(["grep", "-rl", "t0ken", state])
    .catch(() => "");
  assertEquals(found, "", "the token is in no file of the state");
});

test("the forge is told that a commit waits for approval", async (world) => {
  await using forge = new Receiver();
  world.write("/etc/gitops-sync/token", "t0ken-of-the-forge\n");
  const { revision } = await prepared(world, {
    "commitStatus.forge": "forgejo",
    "commitStatus.url": `${forge.url}/api/v1`,
    "commitStatus.project": "team/infra",
    "commitStatus.tokenFile": "/etc/gitops-sync/token",
    approval: "manual",
    host: "demo",
  });
  const told = () =>
    forge.bodies.map(({ state, description }) => `${state}: ${description}`);
  for (const _ of [1, 2]) await syncTo(world, 0);
  assertEquals(told(), ["pending: waits for approval on demo"]);
  await syncTo(world, 0, "approve", revision);
  await syncTo(world, 0);
  assertEquals(told().slice(1), ["success: runs on demo"]);
});

test("no status stays pending where nothing comes any more", async (world) => {
  await using forge = new Receiver();
  world.write("/etc/gitops-sync/token", "t0ken-of-the-forge\n");
  const settings = {
    "commitStatus.forge": "forgejo",
    "commitStatus.url": `${forge.url}/api/v1`,
    "commitStatus.project": "team/infra",
    "commitStatus.tokenFile": "/etc/gitops-sync/token",
    "testing.enable": true,
    host: "demo",
  };
  const { repository, revision: first } = await deployed(world, settings);
  /** What was told last of a commit. */
  const told = (revision: string) => {
    const at = forge.got.findLastIndex(({ path }) => path.endsWith(revision));
    const { state, description } = forge.bodies[at];
    return `${state}: ${description}`;
  };
  world.configure(repository, { ...settings, approval: "manual" });
  // A person says no.
  const rejected = await repository.publish("Rejected");
  await syncTo(world, 0);
  assertEquals(told(rejected), "pending: waits for approval on demo");
  await syncTo(world, 0, "reject", rejected, "--reason", "TICKET-12");
  await syncTo(world, 0, "notify");
  assertEquals(told(rejected), "failure: rejected on demo by root: TICKET-12");
  // A newer commit takes the place of what waits.
  const passed = await repository.publish("Passed over");
  await syncTo(world, 0);
  const next = await repository.publish("Comes after it");
  await syncTo(world, 0);
  await syncTo(world, 0, "approve", next);
  await syncTo(world, 0);
  assertEquals(told(next), "success: runs on demo");
  assertEquals(
    told(passed),
    `success: replaced by ${short(next)}, which runs on demo`,
  );
  assertEquals(told(rejected).split(":")[0], "failure", "it was settled");
  // The testing branch is put aside, because it is not on top of main.
  world.configure(repository, settings);
  await repository.git("reset", "--quiet", "--hard", first);
  const aside = await repository.commit("Beside");
  await repository.push("testing/demo", { force: true });
  await syncTo(world, 0);
  assertEquals(world.history().at(-1)?.reason, "testing-aside");
  assertEquals(
    told(aside).split(":").slice(0, 2).join(":"),
    "failure: failed at fetch",
  );
  // Each commit that a rollback leaves is told.
  await syncTo(world, 0, "rollback", "--to", first);
  await syncTo(world, 0, "notify");
  assertEquals(told(next), "failure: rolled back on demo");
});
