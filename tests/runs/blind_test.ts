import { assertEquals } from "@std/assert";
import type { World } from "../world/world.ts";
import { deployed, runs, says, standing, syncTo, test } from "./setting.ts";

/** Runs gitops-sync with another program in place of one of its own. */
async function syncWith(world: World, program: string, script: string) {
  const folder = `${world.folder}/other`;
  await Deno.mkdir(folder, { recursive: true });
  const text = `#!/bin/sh\n${script}\n`;
  await Deno.writeTextFile(`${folder}/${program}`, text, { mode: 0o755 });
  const bin = new URL("../world/bin", import.meta.url).pathname;
  const path = `${folder}:${bin}:${Deno.env.get("PATH")}:/usr/sbin:/sbin`;
  const ended = await world.startSync(["retry"], { env: { PATH: path } }).ended;
  return { ...ended, text: `${ended.stdout}${ended.stderr}` };
}

/** Git, but for one of its commands. */
const gitWithout = (command: string, script: string) =>
  `case " $* " in *" ${command} "*) ${script} ;; esac\nexec /usr/bin/git "$@"`;

test("a build that ends well and builds nothing is not the build before", async (world) => {
  const { repository } = await deployed(world);
  const before = standing(world);
  const revision = await repository.publish("Second", {
    knobs: { greeting: "second" },
  });
  const { code, text } = await syncWith(world, "nixos-rebuild", "exit 0");
  assertEquals(code, 6, text);
  says(text, "Cannot use the build", "is missing");
  assertEquals(standing(world), before);
  await syncTo(world, 0, "sync", "--now");
  runs(world, revision);
});

test("a Git that is killed is not taken for a no", async (world) => {
  const { repository } = await deployed(world);
  await repository.publish("Second", { knobs: { greeting: "second" } });
  for (const command of ["cat-file", "rev-list", "merge-base"]) {
    const script = gitWithout(command, "kill -KILL $$");
    const { code, text } = await syncWith(world, "git", script);
    if (code !== 0) assertEquals(code, 3, `${command}: ${text}`);
    if (code === 0) await repository.publish("Another");
    assertEquals(world.state()?.holds, [], command);
  }
  await syncTo(world, 0, "sync", "--now");
  runs(world, await repository.head());
});

test("a Git that ends with 1 and says nothing has not looked", async (world) => {
  const { repository } = await deployed(world, { shallow: false });
  const before = standing(world);
  // No more than a merge tells that Git has to be asked for what is between.
  await repository.git("checkout", "--quiet", "-b", "side");
  await repository.commit("Aside", { knobs: { greeting: "second" } });
  await repository.git("checkout", "--quiet", "main");
  await repository.git("merge", "--quiet", "--no-ff", "--no-edit", "side");
  await repository.push();
  for (const [command, exit] of [["merge-base", 3], ["grep", 5]] as const) {
    const git = gitWithout(command, "exit 1");
    const { code, text } = await syncWith(world, "git", git);
    assertEquals(code, exit, `${command}: ${text}`);
    assertEquals(standing(world), before);
    assertEquals(world.state()?.holds, [], command);
  }
  await syncTo(world, 0, "sync", "--now");
  runs(world, await repository.head());
});

test("a Git that says nothing is not taken for a yes", async (world) => {
  const { repository } = await deployed(world);
  const before = standing(world);
  // A history that was rewritten.
  await repository.git("checkout", "--quiet", "--orphan", "other");
  await repository.commit("Another history", { knobs: { greeting: "other" } });
  await repository.push("main", { force: true });
  for (const command of ["cat-file", "rev-list", "merge-base"]) {
    const { code, text } = await syncWith(
      world,
      "git",
      gitWithout(command, "exit 0"),
    );
    assertEquals([3, 4, 9].includes(code), true, `${command}: ${code} ${text}`);
    assertEquals(standing(world), before, command);
  }
});

test("a Git that lists no files, or is killed meanwhile, has not listed them", async (world) => {
  const { repository } = await deployed(world);
  const before = standing(world);
  await repository.publish("Second", { knobs: { greeting: "second" } });
  const all = [["ls-tree", 3], ["grep", 5]].flatMap(([command, exit]) =>
    ["exit 0", "kill -KILL $$"].map((script) => [command, script, exit])
  );
  for (const [command, script, exit] of all) {
    const git = gitWithout(String(command), String(script));
    const { code, text } = await syncWith(world, "git", git);
    assertEquals(code, exit, `${command} ${script}: ${text}`);
    assertEquals(standing(world), before);
    assertEquals(world.state()?.holds, []);
  }
});
