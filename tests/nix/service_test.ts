import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { letIsolate } from "../machine/isolation.ts";
import { Machine } from "../machine/machine.ts";
import { makeRepository, type Repository } from "../world/repository.ts";
import { mustFitSchema } from "../schema.ts";
import { bootUnitHost } from "./unit_host.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`the service is not tested here: ${refusal}`);

/** A machine with the units of the module, which follow a repository. */
async function machineWith(settings: string) {
  const units = await bootUnitHost();
  const { machine, flake } = units;
  const repository = await makeRepository(`${machine.shared}/infra`);
  const host = await units.install(`services.gitops = {
    enable = true;
    repository = "${machine.urlOf(repository)}";
    host = "demo";
    ${settings}
  };`);
  return { machine, repository, flake, host };
}

/** Starts the service and waits for its end; gives its exit status. */
async function runOnce(machine: Machine): Promise<string> {
  await machine.run(["systemctl", "start", "gitops-sync.service"]);
  return await machine.output([
    "systemctl",
    "show",
    "gitops-sync.service",
    "--property=ExecMainStatus",
    "--value",
  ]);
}

function journal(machine: Machine): Promise<string> {
  return machine.output(["journalctl", "--unit=gitops-sync", "--output=cat"]);
}

async function deploys(machine: Machine, revision: string): Promise<string> {
  const code = await runOnce(machine);
  assertEquals(code, "0", await journal(machine));
  assertEquals(machine.state()?.lastGood?.revision, revision);
  const system = machine.running();
  assertEquals(machine.bootDefault(), system);
  assertEquals(machine.bootEntry(), system);
  return system!;
}

/** Starts a server in the machine that says it is well. */
async function serveWell(machine: Machine): Promise<void> {
  const code = 'Deno.serve({ hostname: "127.0.0.1", port: 8080 }, ' +
    '() => new Response("well"))';
  const env = ["--setenv=HOME=/root", "--setenv=DENO_DIR=/var/cache/deno"];
  await machine.output(
    ["systemd-run", "--quiet", ...env, "deno", "eval", code],
  );
}

async function story(machine: Machine, repository: Repository) {
  const recipient = await machine.makeKey();
  const good = await repository.publish("A good system", {
    knobs: {
      secrets: ["secrets.yaml#password"],
      services: { web: { command: "exec sleep 600", type: "simple" } },
    },
    files: {
      "secrets.yaml": await machine.encrypt(recipient, "password: sesame\n"),
    },
  });
  const system = await deploys(machine, good);
  assertEquals(
    await machine.output(["cat", "/run/secrets/password"]),
    "sesame",
  );
  assertEquals(machine.read("/etc/deployed"), "", "hooks run outside of it");
  // The second run finds nothing to do; so does the third, by what it wrote.
  for (const _ of [2, 3]) assertEquals(await runOnce(machine), "0");

  await repository.publish("A system with a unit that fails", {
    knobs: { services: { web: "exit 1" } },
  });
  assertEquals(await runOnce(machine), "7", await journal(machine));
  assertEquals(machine.running(), system);
  assertEquals(machine.bootDefault(), system);
  assertEquals(
    await machine.output(["systemctl", "is-active", "web"]),
    "active",
  );
  assertEquals(await runOnce(machine), "9", "it is held");
}

/** Who is not root is told what the service has published, and when is next. */
async function tellsNobody(machine: Machine, program: string): Promise<void> {
  // No run meanwhile.
  await machine.output(["systemctl", "stop", "gitops-sync.timer"]);
  const at = Math.floor(Date.now() / 1000) + 3600;
  const drop = "/run/systemd/system/gitops-sync.timer.d/later.conf";
  const never = "OnBootSec=\nOnActiveSec=\nOnUnitInactiveSec=\n";
  machine.write(drop, `[Timer]\n${never}OnCalendar=@${at}\n`);
  await machine.output(["systemctl", "daemon-reload"]);
  await machine.output(["systemctl", "start", "gitops-sync.timer"]);
  const ended = await machine.run([
    "setpriv",
    ...["--reuid=nobody", "--regid=nogroup", "--clear-groups"],
    ...["env", "HOME=/tmp/nobody", "DENO_DIR=/tmp/nobody"],
    ...[program, "status", "--json", "--exit-code"],
  ]);
  assertEquals(ended.code, 9, ended.stderr);
  mustFitSchema(ended.stdout);
  const { state, published, nextRun, checked } = JSON.parse(ended.stdout);
  assertEquals([state, published, checked.answered], ["held", true, true]);
  assertEquals([nextRun.why, Date.parse(nextRun.at)], [null, at * 1000]);
}

/** Waits until the timer has run the service once more, for half a minute. */
async function firesAgain(machine: Machine): Promise<void> {
  const begun = () =>
    machine.output([
      "systemctl",
      "show",
      "gitops-sync.service",
      "--property=ExecMainStartTimestampMonotonic",
      "--value",
    ]);
  const before = await begun();
  await machine.output(["systemctl", "start", "gitops-sync.timer"]);
  for (let i = 0; i < 150; i++) {
    if (await begun() !== before) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error("the timer did not fire");
}

Deno.test({
  name: "in its sandbox the service deploys, rolls back and reads secrets",
  ignore: refusal !== null,
  fn: async () => {
    const { machine, repository, host } = await machineWith(`
      frequency = "1s";
      randomizedDelay = "0";
      sshKeyFile = "/root/deploy-key";
      health.http = [ { url = "http://127.0.0.1:8080/"; body = "well"; } ];
      health.tcp = [ "127.0.0.1:8080" ];
      health.commands = [ [ "systemctl" "is-active" "web" ] ];
      hooks.postDeploy = [
        [ "/usr/bin/touch" "/etc/deployed" ]
        [ "/bin/sh" "-c" "/usr/bin/env >/etc/told" ]
      ];
      bootEntries = 2;
      reboot = "when-needed";
      timeouts.health = "15s";
      build.isolate = true;
    `);
    await using _ = machine;
    await letIsolate(machine);
    // Which systemd hands over; only its owner may read it.
    machine.write("/root/deploy-key", "no key is needed here");
    await serveWell(machine);
    await story(machine, repository);
    const told = machine.read("/etc/told") ?? "";
    assertStringIncludes(told, "GITOPS_SYNC_RESULT=deployed\n");
    await firesAgain(machine);
    const log = await journal(machine);
    assert(!log.includes("sesame"), "a secret is in the journal");

    // By hand, outside of the sandbox, with the same configuration.
    const status = await machine.output([
      `${host}/sw/bin/gitops-sync`,
      "status",
      "--json",
    ]);
    assertStringIncludes(status, `"system": "${machine.running()}"`);
    mustFitSchema(status);
    await tellsNobody(machine, `${host}/sw/bin/gitops-sync`);
  },
});

Deno.test({
  name: "the newer Nix checks the flake, and what it installs syncs",
  ignore: refusal !== null,
  fn: async () => {
    await using host = await bootUnitHost();
    const { machine, flake } = host;
    await machine.output(
      ["nix", "flake", "check", `path:${flake.folder}`, ...flake.flags],
    );
    await machine.output(
      ["nix", "profile", "install", ...flake.at("gitops-sync")],
    );
    const repository = await makeRepository(`${machine.shared}/infra`);
    const revision = await repository.publish("A system");
    machine.configure(repository);
    // From the user's own profile, and with no flag or file but /etc's.
    const ended = await machine.run(["/root/.nix-profile/bin/gitops-sync"]);
    assertEquals(ended.code, 0, ended.stderr);
    assertEquals(machine.state()?.lastGood?.revision, revision);
    assertEquals(machine.bootDefault(), machine.running());
  },
});
