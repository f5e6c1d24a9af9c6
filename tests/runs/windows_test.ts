import { assert, assertEquals, assertThrows } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { refuseOutside } from "../../lib/run/not_now.ts";
import { deployed, runs, says, standing, syncTo, test } from "./setting.ts";

const shut = { "windows.deploy": ["deny Mon-Sun"] };
const settled = "/var/lib/gitops-sync/settled.json";

test("outside of its windows a host stays as it is, and says until when", async (world) => {
  const { repository } = await deployed(world);
  const before = standing(world);
  const revision = await repository.publish("Later");
  const then = new Date(Date.now() + 48 * 3_600_000);
  const day = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][
    then.getUTCDay()
  ];
  world.configure(repository, { "windows.deploy": [`${day} UTC`] });
  const at = new Date(then);
  at.setUTCHours(0, 0, 0, 0);
  const run = await syncTo(world, 0);
  says(run.stdout, "nothing was done; the next window opens at ");
  const asJson = JSON.parse((await syncTo(world, 0, "sync", "--json")).stdout);
  assertEquals(asJson.result, "outside");
  assertEquals(asJson.opening, at.toISOString().replace(".000Z", "Z"));
  says(
    (await syncTo(world, 0, "status")).stdout,
    "waits for a deployment window",
    "The next window opens at ",
    "Run `gitops-sync sync --now`",
  );
  assertEquals(standing(world), before);
  assertEquals(world.history().length, 1, "no attempt was begun");
  assertEquals(world.read(settled), null, "it is not done with it");
  // A person who does not want to wait.
  await syncTo(world, 0, "sync", "--now");
  runs(world, revision);
});

test("a host that was switched by hand is corrected in a window alone", async (world) => {
  const { repository, system, revision } = await deployed(world);
  await repository.publish("By hand");
  const cwd = { cwd: world.folder };
  const flake = `git+file://${repository.bare}?ref=main#demo`;
  await world.output(["nixos-rebuild", "build", "--flake", flake], cwd);
  await world.output([
    `${world.folder}/result/bin/switch-to-configuration`,
    "test",
  ]);
  await repository.git("reset", "--quiet", "--hard", revision);
  await repository.push("main", { force: true });
  world.configure(repository, { ...shut, drift: "correct" });
  const run = await syncTo(world, 0);
  says(run.text, "switched this host by hand", "no window opens within");
  assert(!run.text.includes("--drift correct"), "it is corrected anyway");
  world.configure(repository, { drift: "correct" });
  await syncTo(world, 0);
  assertEquals(world.running(), system);
});

Deno.test("a window that closes while a system is built stops it there", () => {
  const at = (time: string) => () =>
    refuseOutside({
      config: { "windows.deploy": ["Mon 12:00-13:00 UTC"] },
      effects: { now: () => new Date(`2024-01-01T${time}Z`) },
    });
  at("12:59")();
  assertThrows(at("13:00"), SyncError, "The deployment window closed during");
});
