import { assertEquals } from "@std/assert";
import { unboundGitopsSync } from "../world/gitops_sync.ts";
import { deployed, runs, says, standing, syncTo, test } from "./setting.ts";

test("an outcome is in the history before the state tells it", async (world) => {
  const { repository } = await deployed(world);
  const revision = await repository.publish("Second");
  // The first write to the history is the last thing that it does.
  const { code } = await world.run([
    ...["strace", "--follow-forks", "--signal=none", "--quiet=all"],
    ...["--trace-path=/var/lib/gitops-sync/history.jsonl"],
    ...["--trace=write,pwrite64", "--inject=write,pwrite64:signal=SIGKILL"],
    ...["--output=/dev/null", "--"],
    ...unboundGitopsSync,
  ]);
  assertEquals(code, 137);
  runs(world, revision);
  assertEquals(world.state()?.attempt?.stage, "confirm");
  const next = await syncTo(world, 0);
  says(next.stderr, "The host is healthy, so the deployment is confirmed now");
  assertEquals(world.history().at(-1)?.revision, revision);
  assertEquals(world.state()?.attempt, undefined);
});

test("the way back is kept from garbage collection", async (world) => {
  const { repository } = await deployed(world);
  const before = standing(world);
  // Nothing else keeps what runs: a host that is taken over, or its state lost.
  await world.output([
    "find",
    "/var/lib/gitops-sync",
    "-mindepth",
    "1",
    "-delete",
  ]);
  // The boot default is the candidate's already when garbage is collected, and
  // then its bootloader fails.
  const folder = `${world.folder}/other`;
  await Deno.mkdir(folder);
  const script =
    `#!/bin/sh\n/usr/bin/nix-env "$@" || exit\ncase $* in *" --set "*) [ -e ${folder}/done ] || { : >${folder}/done; nix-collect-garbage --delete-old; } ;; esac\n`;
  await Deno.writeTextFile(`${folder}/nix-env`, script, { mode: 0o755 });
  await repository.publish("Bad", {
    knobs: { greeting: "bad", exit: { boot: 1 } },
  });
  const bin = new URL("../world/bin", import.meta.url).pathname;
  const path = `${folder}:${bin}:${Deno.env.get("PATH")}:/usr/sbin:/sbin`;
  const ended = await world.startSync(["sync"], { env: { PATH: path } }).ended;
  assertEquals(ended.code, 7, ended.stderr);
  assertEquals(standing(world), before);
});
