import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Settings } from "../world/host.ts";
import { makeRepository } from "../world/repository.ts";
import { changes, fstab, type Units, unitsOf } from "./everyday.ts";
import { Machine } from "./machine.ts";

/** Starts for as long as it takes until all has happened. */
const gate = {
  "gate.service":
    "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'until [ -e /run/gate ]; do sleep 0.1; done'\n",
  // Nobody waits for what nothing wants.
  "gate-holder.service":
    "[Unit]\nWants=gate.service\n[Service]\nExecStart=sleep 600\n[Install]\nWantedBy=multi-user.target\n",
};

/** Asks a service of D-Bus, which starts it. */
const ask = (name: string) => [
  ...["busctl", "call", `org.freedesktop.${name}`, `/org/freedesktop/${name}`],
  ...["org.freedesktop.DBus.Peer", "Ping"],
];

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
      others: Units = {},
    ) => {
      machine.configure(repository, { ...settings, ...more });
      await repository.publish(side, {
        knobs: {
          units: { ...unitsOf(side), ...others },
          fstab: fstab[side].join("\n"),
        },
      });
      const { code, stderr } = await machine.sync();
      assertEquals(code, 0, stderr);
      return stderr;
    };
    const ignoring = { "health.ignoreUnits": failing };
    await deploy("before", ignoring);

    const byHand = ["c3.service", "h4.service", "i3.service"];
    await machine.output(["systemctl", "start", ...byHand]);
    await machine.output(["useradd", "--create-home", "ada"]);
    await machine.output(["loginctl", "enable-linger", "ada"]);
    for (const name of ["locale1", "hostname1"]) {
      await machine.output(ask(name));
    }
    const id = (await machine.output(["id", "-u", "ada"])).trim();
    const before = ["i3-helper", `user@${id}`, `user-runtime-dir@${id}`];
    await machine.output(["systemctl", "start", `user@${id}`]);
    await machine.output(["systemctl", "is-active", ...before]);
    // What happens by chance while all is looked at.
    const meanwhile = `
      systemctl kill h4.service i3.service systemd-hostnamed.service
      loginctl disable-linger ada
      systemctl start --no-block i1.service i2.service
      ! ${ask("timedate1").join(" ")}
      while systemctl is-active i3-helper user@${id} user-runtime-dir@${id}; do
        sleep 0.1
      done
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
      gate,
    );
    assertStringIncludes(said, "h5.service failed before, and fails again");
    assertStringIncludes(said, "nightly.service failed at the same time");
    assertStringIncludes(said, "d6.service failed at the same time");
    assertStringIncludes(said, "i2.service failed at the same time");
    assertStringIncludes(
      said,
      "systemd-timedated.service failed at the same time",
    );
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
