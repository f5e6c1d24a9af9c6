import { assert, assertEquals } from "@std/assert";
import { short } from "../../lib/base/text.ts";
import type { World } from "../world/world.ts";
import { deployed, runs, says, standing, syncTo, test } from "./setting.ts";

/** A switch that switches and then says that a unit failed. */
const bad = { knobs: { exit: { test: 4 } } };

/** Runs gitops-sync with standard error, or output too, in such a place. */
async function syncInto(
  world: World,
  where: string,
  command = "sync",
): Promise<number> {
  const { code } = await world.run(
    ["sh", "-c", `exec gitops-sync ${command} ${where}`],
  );
  return code;
}

/** Runs a command with standard error on a terminal that has hung up. */
const onDeadTerminal = `import os, pty, sys
master, slave = pty.openpty()
os.close(master)
os.dup2(slave, 2)
os.dup2(slave, 1)
os.execvp(sys.argv[1], sys.argv[1:])`;

test("messages that can't be written change nothing of a rollback", async (world) => {
  const { repository } = await deployed(world);
  const before = standing(world);
  await repository.publish("Bad", bad);
  assertEquals(await syncInto(world, "2>/dev/full"), 7);
  assertEquals(standing(world), before);
  assertEquals(world.state()?.attempt, undefined);
  assertEquals(world.history().at(-1)?.result, "failed");
});

test("a terminal that has hung up changes nothing of a rollback", async (world) => {
  const { repository } = await deployed(world);
  const before = standing(world);
  await repository.publish("Bad", bad);
  const { code } = await world.run(
    ["python3", "-c", onDeadTerminal, "gitops-sync", "sync"],
  );
  assertEquals(code, 7);
  assertEquals(standing(world), before);
  assertEquals(world.state()?.attempt, undefined);
});

test("messages that can't be written change nothing of a deployment", async (world) => {
  const { repository } = await deployed(world);
  const revision = await repository.publish("Good");
  // The result can't be written either: that is told by the exit code.
  assertEquals(await syncInto(world, ">/dev/full 2>&1"), 2);
  runs(world, revision);
  assertEquals(world.state()?.last?.result, "deployed");
});

test("a result that can't be written is an error without a stack", async (world) => {
  await deployed(world);
  for (const command of ["status", "status --json", "history", "--help"]) {
    const { code, stderr } = await world.run(
      ["sh", "-c", `exec gitops-sync ${command} >/dev/full`],
    );
    assertEquals(code, 2, command);
    says(stderr, "Cannot write the result to standard output", "hint: ");
    assert(!stderr.includes("    at "), stderr);
  }
});

/** Makes every line of the history fail: there is a folder in its place. */
async function breakHistory(world: World) {
  const history = "/var/lib/gitops-sync/history.jsonl";
  await world.output(["mv", history, `${history}.away`]);
  await world.output(["mkdir", history]);
  return async () => {
    await world.output(["rmdir", history]);
    await world.output(["mv", `${history}.away`, history]);
  };
}

test("a line of the history that can't be written comes with the next run", async (world) => {
  const { repository } = await deployed(world);
  const mend = await breakHistory(world);
  const revision = await repository.publish("Good");
  const { stderr } = await syncTo(world, 0);
  says(stderr, "Cannot write the history", "the next run tries again");
  runs(world, revision);
  assertEquals(world.state()?.last?.result, "deployed");
  assertEquals(world.state()?.unwritten?.length, 1);
  // Nor does a run that has nothing to do let the next ones be short.
  for (const _ of [1, 2]) await syncTo(world, 0);
  assertEquals(world.state()?.unwritten?.length, 1);

  await mend();
  await syncTo(world, 0);
  assertEquals(world.state()?.unwritten, undefined);
  const results = world.history().map(({ revision, result }) =>
    `${result} ${short(String(revision))}`
  );
  assertEquals(results.at(-1), `deployed ${short(revision)}`);
  assertEquals(results.length, 2);
  const { stdout } = await syncTo(world, 0, "history");
  says(stdout, short(revision));
});

test("a log that can't be written changes nothing of a run", async (world) => {
  const { repository } = await deployed(world);
  const before = standing(world);
  const logs = "/var/lib/gitops-sync/attempts";
  await world.output(["rm", "-r", logs]);
  await world.output(["touch", logs]);
  await repository.publish("Bad", bad);
  const { stderr } = await syncTo(world, 7);
  says(stderr, "warning: Cannot write the log of this attempt");
  assertEquals(standing(world), before);
  assertEquals(world.history().at(-1)?.result, "failed");
  const good = { knobs: { exit: {} } };
  const revision = await repository.publish("Good", good);
  await syncTo(world, 0);
  runs(world, revision);
});

test("a umask that is open to a group stops no later run", async (world) => {
  const { repository } = await deployed(world);
  await repository.publish("Good");
  const { code } = await world.run(
    ["sh", "-c", "umask 002; exec gitops-sync sync"],
  );
  assertEquals(code, 0);
  const open = await world.output(
    ["find", "/var/lib/gitops-sync", "-perm", "/022", "-not", "-type", "l"],
  );
  assertEquals(open, "");
  await repository.publish("Better");
  await syncTo(world, 0);
});

test("a mode that only root's own group could use is mended", async (world) => {
  const { repository } = await deployed(world);
  // As an older program left it after a sync by hand with umask 002.
  await world.output(["chmod", "-R", "g+w", "/var/lib/gitops-sync"]);
  await repository.publish("Good");
  await syncTo(world, 0);
  const open = await world.output(
    ["find", "/var/lib/gitops-sync", "-perm", "/022", "-not", "-type", "l"],
  );
  assertEquals(open, "");
});
