import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Settings } from "../world/host.ts";
import { makeRepository } from "../world/repository.ts";
import { changes, fstab, unitsOf } from "./everyday.ts";
import { Machine } from "./machine.ts";

/** Starts for as long as it takes until all has happened. */
const gate =
  "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'until [ -e /run/gate ]; do sleep 0.1; done'\n";

const refusal = await Machine.refusal();
if (refusal) console.log(`everyday changes are not tested here: ${refusal}`);

Deno.test({
  name: "no change of everyday life is taken for a fault, there and back",
  ignore: refusal !== null,
  fn: async () => {
    assert(changes.length >= 40);
    await using machine = await Machine.boot();
    const repository = await makeRepository(`${machine.shared}/infra`);
    const settings = { "timeouts.health": "60s", "health.steady": "2s" };
    const failing = ["a21.service", "h5.service", "h6.service", "h7.service"];
    const deploy = async (
      side: "before" | "after",
      more: Settings,
      activation = "",
    ) => {
      machine.configure(repository, { ...settings, ...more });
      await repository.publish(side, {
        knobs: {
          units: { ...unitsOf(side), "gate.service": gate },
          fstab: fstab[side].join("\n"),
          activation,
        },
      });
      const { code, stderr } = await machine.sync();
      assertEquals(code, 0, stderr);
      return stderr;
    };
    const ignoring = { "health.ignoreUnits": failing };
    await deploy("before", ignoring);

    await machine.output(["systemctl", "start", "c3.service", "h4.service"]);
    // What happens by chance while all is looked at.
    const meanwhile = `
      systemctl kill h4.service
      systemctl start d6.service
      systemd-run --quiet --unit=nightly --on-active=0 \\
        --timer-property=AccuracySec=1us --property=Type=oneshot false
      bash -c "true >/dev/tcp/127.0.0.1/7005"
      until systemctl is-failed nightly && systemctl is-failed 'c5@*'; do
        sleep 0.1
      done
      touch /run/gate`;
    const said = await deploy(
      "after",
      { "health.commands": [["sh", "-c", meanwhile]] },
      "systemctl start --no-block gate.service",
    );
    assertStringIncludes(said, "h5.service failed before, and fails again");
    assertStringIncludes(said, "nightly.service failed meanwhile");
    assertStringIncludes(said, "d6.service failed meanwhile");
    const { stdout } = await machine.run([
      "systemctl",
      "is-active",
      ...["a1", "a3-new", "a13", "a14", "f1@1", "h1", "h7"],
      ...["mnt-added.mount", "mnt-optional.mount"],
    ]);
    assertEquals(stdout.trim().split("\n"), Array(9).fill("active"));

    await machine.run(["rm", "-rf", "/run/a13"]);
    await deploy("before", ignoring);
  },
});
