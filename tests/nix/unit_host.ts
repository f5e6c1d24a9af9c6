/**
 * A machine with the units of a host that the module made.
 *
 * @module
 */
import { Machine } from "../machine/machine.ts";
import { Flake } from "./flake.ts";

/** A machine, and how a host becomes its units. */
export interface UnitHost extends AsyncDisposable {
  machine: Machine;
  flake: Flake;
  /**
   * Builds a host with these settings, as Nix text, and puts its units and its
   * configuration in the place of those that are there.
   *
   * @returns The store path of the host.
   */
  install(settings: string): Promise<string>;
}

/** Boots a machine with a copy of the flake. */
export async function bootUnitHost(): Promise<UnitHost> {
  const machine = await Machine.boot();
  await forgetDenoDir(machine);
  const folder = `${machine.shared}/flake`;
  const flake = await Flake.copy(machine, folder, "/srv/flake");
  return {
    machine,
    flake,
    async install(settings) {
      const host = await flake.buildHost(settings);
      await machine.output(["mkdir", "-p", "/etc/gitops-sync"]);
      await machine.output(["cp", "-r", `${host}/etc/.`, "/etc/"]);
      await makeUsers(machine);
      await machine.output(["systemctl", "daemon-reload"]);
      // As NixOS does on each switch and boot.
      const rules = "/etc/tmpfiles.d/00-nixos.conf";
      if (machine.read(rules) !== null) {
        await machine.output(["systemd-tmpfiles", "--create", rules]);
      }
      return host;
    },
    [Symbol.asyncDispose]: () => machine[Symbol.asyncDispose](),
  };
}

/**
 * Removes the folder of Deno's cache from the environment of all units. Other
 * machines name it in DefaultEnvironment, which no real host does. It is
 * read-only in the unit of the module, so each run compiled all modules again.
 */
async function forgetDenoDir(machine: Machine) {
  const drop = "/etc/systemd/system.conf.d/zz-no-deno-dir.conf";
  const rest = "DENO_NO_UPDATE_CHECK=1 SOPS_DISABLE_VERSION_CHECK=1";
  machine.write(
    drop,
    `[Manager]\nDefaultEnvironment=\nDefaultEnvironment=${rest}\n`,
  );
  await machine.output(["systemctl", "daemon-reload"]);
}

/** Makes the users of the host that the machine does not have yet. */
async function makeUsers(machine: Machine) {
  const names = machine.read("/etc/users")?.split("\n") ?? [];
  for (const name of names.filter((one) => one !== "")) {
    const { code } = await machine.run(["id", name]);
    if (code === 0) continue;
    await machine.output(["useradd", "--system", "--user-group", name]);
  }
}
