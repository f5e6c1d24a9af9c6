import { assertEquals } from "@std/assert";
import { makeRepository } from "../world/repository.ts";
import { Machine } from "./machine.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`alerts are not tested here: ${refusal}`);

Deno.test({
  name: "units are started for what is new, and for nothing else",
  ignore: refusal !== null,
  fn: async () => {
    await using machine = await Machine.boot();
    const repository = await makeRepository(`${machine.shared}/infra`);
    machine.write(
      "/etc/systemd/system/note@.service",
      "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo %i >>/root/told'\n",
    );
    await machine.output(["systemctl", "daemon-reload"]);
    const unit = (what: string) => `note@${what}.service`;
    machine.configure(repository, {
      onFailure: ["gone.service", unit("failed")],
      onSuccess: [unit("success")],
      onRecovered: [unit("recovered")],
    });
    const sync = async (code: number, after: string[]) => {
      const ended = await machine.sync();
      assertEquals(ended.code, code, ended.stderr);
      // They are started, and the program waits for none of them.
      const jobs = ["systemctl", "list-jobs", "--no-legend", "note@*"];
      while (await machine.output(jobs) !== "");
      const told = machine.read("/root/told") ?? "";
      machine.write("/root/told", "");
      const names = told.split("\n").filter((name) => name !== "");
      assertEquals(names.sort(), [...after].sort());
    };
    await repository.publish("Good", { knobs: { greeting: "one" } });
    await sync(0, ["success"]);
    await sync(0, ["success"]);
    await repository.publish("Bad", { knobs: { services: { web: "exit 1" } } });
    await sync(7, ["failed"]);
    for (const _ of [1, 2]) await sync(9, []);
    await repository.publish("Mended", { knobs: { services: {} } });
    await sync(0, ["success", "recovered"]);
    await sync(0, ["success"]);
    // Another switch at work is no success, nor is another run.
    await repository.publish("Later", { knobs: { exit: { test: 11 } } });
    await sync(10, ["failed"]);
    const lock = "/var/lib/gitops-sync/lock";
    const holder = machine.start(["flock", lock, "sleep", "600"]);
    while ((await machine.run(["flock", "-n", lock, "true"])).code === 0);
    await sync(10, []);
    holder.kill();
    await holder.ended;
  },
});
