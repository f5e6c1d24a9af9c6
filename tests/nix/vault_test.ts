import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { Machine } from "../machine/machine.ts";
import { systemdLines } from "../secrets/guide.ts";
import { output } from "../world/program.ts";
import { bootUnitHost } from "./unit_host.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`sops.vault is not tested here: ${refusal}`);

const socket = "/run/gitops-sync-vault/agent.sock";
const unit = "gitops-sync-vault-agent.service";

/** Settings of a host whose secrets need Vault and are installed by a unit. */
const host = (settings: string) =>
  `services.gitops.enable = true;
  services.gitops.repository = "https://git.example.org/infra.git";
  sops.vault.enable = true;
  sops.useSystemdActivation = true;
  sops.age.keyFile = "/etc/ssh/age.key";
  sops.secrets.password = { };
  ${settings}`;

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
    await using units = await bootUnitHost();
    const { machine } = units;
    const roleId = await startServer(machine);
    const made = await units.install(host(`
      sops.vault.address = "http://127.0.0.1:8200";
      sops.vault.appRole.roleId = "${roleId}";
      sops.vault.appRole.secretIdFile = "/etc/vault/secret-id";
    `));
    const verified = await machine.run(
      ["systemd-analyze", "verify", `/etc/systemd/system/${unit}`],
    );
    assertEquals(verified.code, 0, verified.stderr);
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
      ...["systemctl", "show", "sops-install-secrets.service"],
      "--property=After,Wants,Environment",
    ]);
    for (
      const part of [
        `VAULT_AGENT_ADDR=unix://${socket}`,
        `Wants=${unit}`,
      ]
    ) assertStringIncludes(rules, part);
    assertMatch(rules, new RegExp(`^After=.*\\b${unit}`, "m"));
    const config = JSON.parse(
      await machine.output(["cat", `${made}/etc/gitops-sync/config.yaml`]),
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

Deno.test({
  name: "a network that needs a secret comes up, and what needs Vault after it",
  ignore: refusal !== null,
  fn: async () => {
    await using units = await bootUnitHost();
    const { machine } = units;
    await units.install(host(`
      sops.vault.address = "http://127.0.0.1:8200";
      sops.vault.tokenFile = "/etc/vault/token";
      services.gitops.timeouts.vault = "1s";
    `));
    machine.write("/etc/vault/token", "none\n");
    // The first attempt finds no Vault, as where the network is not there yet.
    machine.write("/etc/refuse-secrets", "");
    const notes = (name: string) => `/bin/sh -c 'echo ${name} >>/opt/order'`;
    const oneshot = (more: string, name: string) =>
      `[Unit]\n${more}\n[Service]\nType=oneshot\nRemainAfterExit=yes\n` +
      `ExecStart=${notes(name)}\n`;
    machine.write(
      "/etc/systemd/system/wifi.service",
      oneshot(
        "DefaultDependencies=no\nAfter=sops-install-secrets.service\n" +
          "Wants=network.target\nBefore=network.target",
        "wifi",
      ) + "[Install]\nWantedBy=multi-user.target\n",
    );
    machine.write(
      "/etc/systemd/system/online.service",
      oneshot(
        "After=network.target\nBefore=network-online.target",
        "online",
      ) + "[Install]\nWantedBy=network-online.target\n",
    );
    machine.write(
      "/etc/systemd/system/needs-network.service",
      oneshot(
        "After=network-online.target\nWants=network-online.target",
        "needs-network",
      ) + "[Install]\nWantedBy=multi-user.target\n",
    );
    for (const name of ["wifi", "online", "needs-network"]) {
      await machine.output(["systemctl", "enable", name]);
    }
    await machine.output(["mkdir", "-p", "/opt"]);
    await machine.powerCut();
    await machine.bootAgain();
    const log = await machine.output(["journalctl", "--boot", "--output=cat"]);
    assert(!/ordering cycle/i.test(log), log);
    assertEquals(
      machine.read("/opt/order"),
      "wifi\nonline\nneeds-network\n",
      log,
    );
    assertEquals(
      await machine.output(["systemctl", "is-active", unit]),
      "active",
    );
    // It is tried again by itself.
    assertEquals(machine.read("/run/secrets"), null);
    await machine.output(["rm", "/etc/refuse-secrets"]);
    for (let i = 0;; i++) {
      const { stdout } = await machine.run([
        "systemctl",
        "is-active",
        "sops-install-secrets",
      ]);
      if (stdout.trim() === "active") break;
      assert(i < 1000, `it is ${stdout}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  },
});
