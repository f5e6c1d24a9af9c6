import { assertEquals } from "@std/assert";
import { Machine } from "../machine/machine.ts";
import { makeRepository } from "../world/repository.ts";
import { Flake } from "./flake.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`the service is not tested here: ${refusal}`);

Deno.test({
  name: "a service that can't even start is told once by systemd itself",
  ignore: refusal !== null,
  fn: async () => {
    await using machine = await Machine.boot();
    const repository = await makeRepository(`${machine.shared}/infra`);
    await repository.publish("Good");
    const folder = `${machine.shared}/flake`;
    const flake = await Flake.copy(machine, folder, "/srv/flake");
    const host = await flake.buildHost(`services.gitops = {
      enable = true;
      repository = "${machine.urlOf(repository)}";
      host = "demo";
      tokenFile = "/root/token";
      onFailure = [ "note.service" ];
    };`);
    await machine.output(["mkdir", "-p", "/etc/gitops-sync"]);
    const parts = [`${host}/etc/gitops-sync`, `${host}/etc/systemd`];
    await machine.output(["cp", "-r", ...parts, "/etc/"]);
    machine.write(
      "/etc/systemd/system/note.service",
      "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo told >>/root/told'\n",
    );
    await machine.output(["systemctl", "daemon-reload"]);
    /** Runs the service, and waits for what it sets off. */
    const runs = async (code: number) => {
      const { code: ended } = await machine.run(
        ["systemctl", "start", "gitops-sync.service"],
      );
      assertEquals(ended === 0, code === 0);
      let jobs = "";
      do {
        jobs = await machine.output(["systemctl", "list-jobs", "--no-legend"]);
      } while (jobs !== "");
      return (machine.read("/root/told") ?? "").split("\n").length - 1;
    };
    // The credential is missing.
    for (const _ of [1, 2, 3]) assertEquals(await runs(243), 1);
    machine.write("/root/token", "token");
    assertEquals(await runs(0), 1);
    await machine.output(["rm", "/root/token"]);
    assertEquals(await runs(243), 2);
    machine.write("/root/token", "token");
    await runs(0);
    // What the program tells itself is not told twice.
    await repository.publish("Bad", { knobs: { build: "exit 1" } });
    assertEquals(await runs(6), 3);
    for (const _ of [1, 2]) assertEquals(await runs(9), 3);
  },
});
