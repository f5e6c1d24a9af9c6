import { assert, assertEquals } from "@std/assert";
import { short } from "../../lib/base/text.ts";
import { passedOn } from "../../lib/process/command.ts";
import type { World } from "../world/world.ts";
import { entry } from "../world/gitops_sync.ts";
import { deployed, runs, syncTo, test } from "./setting.ts";

const settledModule = import.meta.resolve("../../lib/sync/settled.ts");

const file = "/var/lib/gitops-sync/settled.json";
const usual = "In sync: main is at ";

/** What a run says that took the shortcut: the text is put there from outside. */
const shortcut = "as it was\n";

/** Runs until there is nothing to do, and marks what the next one would say. */
async function settle(world: World): Promise<string> {
  await syncTo(world, 0);
  const settled = world.read(file);
  assert(settled !== null, "settled.json is written");
  const marked = JSON.stringify({ ...JSON.parse(settled), says: "as it was" });
  world.write(file, marked);
  return marked;
}

test("a run that finds everything as it was takes the shortcut", async (world) => {
  const { repository } = await deployed(world);
  assertEquals(world.read(file), null);
  await settle(world);
  assertEquals((await syncTo(world, 0)).text, shortcut);
  // The environment that nobody passes on does not matter.
  const ended = await world.startSync([], { env: { EDITOR: "ed" } }).ended;
  assertEquals(ended.stdout, shortcut);

  const revision = await repository.publish("News");
  await syncTo(world, 0);
  runs(world, revision);
  assertEquals(
    (await syncTo(world, 0)).stdout,
    `${usual}${short(revision)}\n`,
  );
  await settle(world);
  assertEquals((await syncTo(world, 0)).text, shortcut);
});

test("whatever a decision rests on is looked at in full once it differs", async (world) => {
  const { repository, system } = await deployed(world);
  const config = world.read("/etc/gitops-sync/config.yaml")!;
  const isFull = async (args: readonly string[] = []) => {
    const { text } = await syncTo(world, 0, ...args);
    assert(text !== shortcut, `${args}: the shortcut was taken`);
    return text;
  };
  const steps: Record<string, () => Promise<unknown>> = {
    "the configuration": async () => {
      world.write("/etc/gitops-sync/config.yaml", `${config}\n`);
      await isFull();
    },
    "a flag": () => isFull(["sync", "--keep=4"]),
    "another form of the result": () => isFull(["--json"]),
    "the state": async () => {
      const state = world.read("/var/lib/gitops-sync/state.json")!;
      world.write("/var/lib/gitops-sync/state.json", ` ${state}`);
      await isFull();
    },
    "a suspension": async () => {
      await syncTo(world, 0, "suspend");
      assert((await isFull()).startsWith("Suspended"));
      await syncTo(world, 0, "resume");
    },
    "the running system": async () => {
      await world.output(["ln", "-sfn", "/nix", "/run/current-system"]);
      assert((await isFull()).includes("by hand: the running system is /nix"));
      await world.output(["ln", "-sfn", system, "/run/current-system"]);
    },
    "the boot default": async () => {
      const profile = "/nix/var/nix/profiles/system";
      const generation = await world.output(["readlink", profile]);
      await world.output(["ln", "-sfn", "/nix", profile]);
      assert((await isFull()).includes("by hand: the boot default is /nix"));
      await world.output(["ln", "-sfn", generation, profile]);
    },
    "the answer of the remote": async () => {
      await repository.publish("News");
      assert((await isFull()).includes("Deployed"));
      await repository.git("reset", "--quiet", "--hard", "HEAD^");
      await repository.push("main", { force: true });
      await syncTo(world, 0, "--allow-force-push");
    },
    "a day that has passed": async () => {
      const settled = JSON.parse(world.read(file)!);
      const day = 24 * 3_600_000;
      world.write(file, JSON.stringify({ ...settled, at: settled.at - day }));
      await isFull();
    },
    "a clock that was set back": async () => {
      const settled = JSON.parse(world.read(file)!);
      const at = settled.at + 3_600_000;
      world.write(file, JSON.stringify({ ...settled, at }));
      await isFull();
    },
    "a file that was cut off": async () => {
      world.write(file, world.read(file)!.slice(0, -20));
      await isFull();
    },
  };
  for (const [what, step] of Object.entries(steps)) {
    await settle(world);
    assertEquals((await syncTo(world, 0)).text, shortcut, `before ${what}`);
    await step();
  }
});

test("each variable that programs get is a reason to look in full", async (world) => {
  await deployed(world);
  // The checkout's: what it writes down, no other program believes.
  await world.output([Deno.execPath(), "run", "-A", entry]);
  // All of them with one program.
  const script = `
    import { stillSettled } from ${JSON.stringify(settledModule)};
    const answers = {};
    for (const name of ${JSON.stringify(passedOn)}) {
      const before = Deno.env.get(name);
      Deno.env.set(name, \`\${name === "PATH" ? before : ""}:/none\`);
      answers[name] = await stillSettled([]) ?? "in full";
      if (before === undefined) Deno.env.delete(name);
      else Deno.env.set(name, before);
    }
    answers.none = await stillSettled([]) ?? "in full";
    console.log(JSON.stringify(answers));`;
  const said = await world.output([Deno.execPath(), "eval", script]);
  const { none, ...answers } = JSON.parse(said);
  assertEquals(none.slice(0, usual.length), usual);
  const expected = passedOn.map((name) => [name, "in full"]);
  assertEquals(answers, Object.fromEntries(expected));
});

test("the shortcut respects the lock", async (world) => {
  await deployed(world);
  await settle(world);
  const lock = "/var/lib/gitops-sync/lock";
  const holder = world.start(["flock", lock, "sleep", "60"]);
  const isFree = () => world.run(["flock", "--nonblock", lock, "true"]);
  while ((await isFree()).code === 0);
  await syncTo(world, 10);
  holder.kill();
});
