import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Machine } from "../machine/machine.ts";
import { systemdLines } from "../secrets/guide.ts";
import { output } from "../world/program.ts";
import { Flake, system } from "./flake.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`sops.vault is not tested here: ${refusal}`);

const socket = "/run/gitops-sync-vault/agent.sock";
const unit = "gitops-sync-vault-agent.service";

/** A host with sops-nix and the two modules. */
const hostWith = (settings: string) =>
  `{
    inputs.nixpkgs.url = "NIXPKGS";
    inputs.gitops.url = "GITOPS";
    inputs.gitops.inputs.nixpkgs.follows = "nixpkgs";
    inputs.sops-nix.url = "path:/srv/sops-nix";
    outputs = { nixpkgs, gitops, sops-nix, ... }: {
      nixosConfigurations.demo = nixpkgs.lib.nixosSystem {
        system = "${system}";
        modules = [
          gitops.nixosModules.gitops
          sops-nix.nixosModules.sops
          {
            services.gitops.enable = true;
            services.gitops.repository = "https://git.example.org/infra.git";
            sops.vault.enable = true;
            ${settings}
          }
        ];
      };
    };
  }`;

async function machineWithFlake() {
  const machine = await Machine.boot();
  const folder = `${machine.shared}/flake`;
  const flake = await Flake.copy(machine, folder, "/srv/flake");
  const sopsNix = `${import.meta.dirname}/sops-nix`;
  await output(["cp", "-r", sopsNix, `${machine.shared}/sops-nix`]);
  const build = (settings: string) =>
    flake.buildOf(
      hostWith(settings),
      "nixosConfigurations.demo.config.system.build.toplevel",
    );
  return { machine, build };
}

/** A server in the machine, with a key for sops and a way to log in. */
async function startServer(machine: Machine): Promise<string> {
  const bao = await output(["sh", "-c", "command -v bao"]);
  await output(["cp", bao, `${machine.shared}/bao`]);
  const env = { BAO_ADDR: "http://127.0.0.1:8200", BAO_TOKEN: "root" };
  await machine.output([
    ...["systemd-run", "--unit=bao", "--setenv=HOME=/root", "--"],
    ...["/srv/bao", "server", "-dev", "-dev-no-store-token"],
    "-dev-root-token-id=root",
  ]);
  const call = (...words: string[]) =>
    machine.output(["/srv/bao", ...words], { env });
  for (let i = 0;; i++) {
    const { code } = await machine.run(["/srv/bao", "status"], { env });
    if (code === 0) break;
    if (i === 300) throw new Error("the server does not come up");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await call("secrets", "enable", "-path=sops", "transit");
  await call("write", "-f", "sops/keys/host");
  await call("auth", "enable", "approle");
  machine.write(
    "/root/host.hcl",
    'path "sops/decrypt/host" { capabilities = ["update"] }\n',
  );
  await call("policy", "write", "host", "/root/host.hcl");
  const role = "auth/approle/role/host";
  await call("write", role, "token_policies=host");
  const secretId = await call(
    ...["write", "-f", "-field=secret_id", `${role}/secret-id`],
  );
  machine.write("/etc/vault/secret-id", `${secretId}\n`);
  return await call("read", "-field=role_id", `${role}/role-id`);
}

Deno.test({
  name: "sops.vault makes sops decrypt with Vault, and no token leaves it",
  ignore: refusal !== null,
  fn: async () => {
    const { machine, build } = await machineWithFlake();
    await using _ = machine;
    const roleId = await startServer(machine);
    const host = await build(`
      sops.useSystemdActivation = true;
      sops.vault.address = "http://127.0.0.1:8200";
      sops.vault.appRole.roleId = "${roleId}";
      sops.vault.appRole.secretIdFile = "/etc/vault/secret-id";
    `);
    await machine.output(["cp", "-r", `${host}/etc/systemd`, "/etc/"]);
    const verified = await machine.run(
      ["systemd-analyze", "verify", `/etc/systemd/system/${unit}`],
    );
    assertEquals(verified.code, 0, verified.stderr);
    await machine.output(["systemctl", "daemon-reload"]);
    const started = await machine.run(["systemctl", "start", unit]);
    const journal = () =>
      machine.output(["journalctl", `--unit=${unit}`, "--output=cat"]);
    assertEquals(started.code, 0, await journal());
    assertStringIncludes(await journal(), "Logged in to Vault");
    assertEquals(
      await machine.output(["stat", "--format=%a", socket]),
      "600",
    );
    const file = await machine.output(
      [
        ...["sops", "encrypt", "--input-type=yaml", "--output-type=yaml"],
        "--hc-vault-transit=http://127.0.0.1:8200/v1/sops/keys/host",
        "/dev/stdin",
      ],
      { input: "password: sesame\n", env: { VAULT_TOKEN: "root" } },
    );
    const decrypt = (...as: string[]) =>
      machine.run([
        ...as,
        ...["sops", "decrypt", "--input-type=yaml", "--output-type=yaml"],
        "/dev/stdin",
      ], {
        input: `${file}\n`,
        env: { HOME: "/var/empty", VAULT_AGENT_ADDR: `unix://${socket}` },
      });
    const opened = await decrypt();
    assertEquals(opened.stdout, "password: sesame\n", opened.stderr);
    const others = await decrypt("setpriv", "--reuid=65534", "--clear-groups");
    assert(others.code !== 0, "another user was let in");
    const rules = await machine.output([
      "cat",
      "/etc/systemd/system/sops-install-secrets.service",
    ]);
    for (
      const line of [
        `VAULT_AGENT_ADDR=unix://${socket}`,
        `After=${unit}`,
        `Wants=${unit}`,
      ]
    ) assertStringIncludes(rules, line);
    const config = JSON.parse(
      await machine.output(["cat", `${host}/etc/gitops-sync/config.yaml`]),
    );
    assertEquals(config.vault.address, "http://127.0.0.1:8200");
    assertEquals(config.vault.socket, socket);
    const report = await machine.output([
      ...["systemd-analyze", "security", "--offline=true", "--no-pager"],
      `/etc/systemd/system/${unit}`,
    ]);
    const exposure = Number(/exposure level .*: ([\d.]+)/.exec(report)?.[1]);
    assert(exposure <= 2.0, report);
    // What the guide tells to type.
    assertEquals(systemdLines().length, 2);
    for (const line of systemdLines()) await machine.output(line.split(" "));
    assertEquals((await decrypt()).code, 0);
    await machine.output(["systemctl", "stop", unit]);
    assertStringIncludes(await journal(), "Stopped");
    assertEquals(machine.read(socket), null);
  },
});
