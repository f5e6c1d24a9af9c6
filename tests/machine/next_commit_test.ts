import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Settings } from "../world/host.ts";
import { makeRepository, type Repository } from "../world/repository.ts";
import { Machine } from "./machine.ts";
import { type Module, withModule } from "./module.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`the next commit is not tested here: ${refusal}`);

interface Scene {
  machine: Machine;
  repository: Repository;
  /** Publishes a system with a module; without one, a system without. */
  publish(module?: Module): Promise<string>;
  /** Its first system, which has the module. */
  first: string;
}

/** A test with a machine on which a system with the module is deployed. */
function test(
  name: string,
  body: (scene: Scene) => Promise<void>,
  settings: Settings = {},
  module: Module = {},
) {
  Deno.test({
    name,
    ignore: refusal !== null,
    fn: async () => {
      await using machine = await Machine.boot();
      const repository = await makeRepository(`${machine.shared}/infra`);
      let count = 0;
      const publish = (module?: Module) =>
        repository.publish(`Number ${++count}`, {
          knobs: {
            ...withModule(machine, repository, module),
            greeting: `number ${count}`,
          },
        });
      machine.configure(repository, { "timeouts.health": "20s", ...settings });
      await startForge(machine);
      await publish(module);
      await sync(machine, 0);
      await body({ machine, repository, publish, first: machine.running()! });
    },
  });
}

const forge = "http://127.0.0.1:8080/infra.git";

/** Serves the repository by HTTP in the machine. */
async function startForge(machine: Machine): Promise<void> {
  const code =
    'import { gitHttp } from "/opt/gitops-sync/tests/git/servers.ts"; ' +
    'Deno.serve({ hostname: "127.0.0.1", port: 8080 }, gitHttp("/srv"))';
  machine.write("/root/forge.ts", code);
  machine.write(
    "/etc/systemd/system/forge.service",
    "[Service]\nEnvironment=HOME=/root DENO_DIR=/var/cache/deno\n" +
      "Environment=PATH=/usr/local/bin:/usr/bin:/bin\n" +
      "ExecStart=/usr/local/bin/deno run -A --no-lock /root/forge.ts\n",
  );
  await machine.output(["systemctl", "daemon-reload"]);
  await machine.output(["systemctl", "start", "forge"]);
  const asked = ["--silent", "--retry", "60", "--retry-delay", "1"];
  const refused = ["--retry-connrefused", "http://127.0.0.1:8080/"];
  await machine.run(["curl", ...asked, ...refused]);
}

/** Runs the program; gives what it wrote. */
async function sync(machine: Machine, code: number, ...args: string[]) {
  const ended = await machine.sync(...args);
  assertEquals(ended.code, code, ended.stdout + ended.stderr);
  return ended.stdout + ended.stderr;
}

test("a commit that ends what brings the next one is not confirmed", async ({ machine, repository, publish, first }) => {
  const rows: [string, Module | undefined, string, string][] = [
    [
      "a branch that is not there",
      { settings: { ref: "mian" } },
      "next-refused",
      "has no branch or tag mian",
    ],
    [
      "a repository that is not there",
      { settings: { repository: "file:///srv/other.git" } },
      "next-refused",
      "/srv/other.git",
    ],
    [
      "a server that does not answer, while the old one does",
      { settings: { repository: "http://127.0.0.1:9/infra.git", retries: 0 } },
      "next-unreachable",
      "127.0.0.1",
    ],
    [
      "a file of signers that is missing",
      {
        settings: {
          "verify.mode": "head",
          "verify.allowedSigners": "/etc/gitops-sync/signers",
        },
      },
      "next-refused",
      "/etc/gitops-sync/signers can't be read: there is no such file",
    ],
    [
      "a credential that is missing",
      {
        service: "LoadCredential=token:/root/token",
        flags: "--token-file=%d/token",
      },
      "next-service",
      "systemd reports exit-code, status 243",
    ],
    [
      "a key file of secrets that is missing",
      { settings: { "secrets.identities": ["/etc/ssh/gone.key"] } },
      "next-refused",
      "/etc/ssh/gone.key",
    ],
    [
      "a timer that comes once",
      { timer: "OnBootSec=1s\nOnUnitInactiveSec=daily" },
      "next-timer",
      "does not repeat",
    ],
    [
      "a system without the module",
      undefined,
      "next-unfollowed",
      "no longer has gitops-sync.timer",
    ],
  ];
  await repository.commit("A secret", {
    files: {
      "secrets.yaml": await machine.encrypt(
        await machine.makeKey(),
        "password: sesame\n",
      ),
    },
  });
  for (const [what, module, reason, words] of rows) {
    const revision = await publish(module);
    const said = await sync(machine, 7);
    const hold = machine.state()?.holds.find((one) =>
      one.revision === revision
    );
    assertEquals(hold?.reason, reason, `${what}: ${said}`);
    assertStringIncludes(said, words, what);
    assertEquals(machine.running(), first, what);
    assertEquals(machine.bootDefault(), first, what);
    const units = await machine.output(["ls", "/run/systemd/system"]);
    assertEquals(units.includes("gitops-sync-next"), false, what);
    await machine.output(["systemctl", "is-active", "gitops-sync.timer"]);
  }
  const revision = machine.state()!.holds.at(0)!.revision;
  // A word that is over counts no more.
  await sync(machine, 0, "accept", "--unfollow", "--for=1s", revision);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await sync(machine, 7);
  const said = await sync(machine, 0, "accept", "--unfollow", revision);
  assertStringIncludes(said, "this host gets no later commits");
  await sync(machine, 0);
  assertEquals(machine.state()?.lastGood?.revision, revision);
  assertEquals(machine.state()?.unfollow, undefined);
  // Hosts that run without the module are not concerned.
  const last = await publish();
  await sync(machine, 0);
  assertEquals(machine.state()?.lastGood?.revision, last);
});

test(
  "a repository that is down for everybody holds nothing",
  async ({ machine, publish, first }) => {
    const stop = "systemctl stop forge\n";
    const away = "rm /etc/systemd/system/forge.service\n" +
      "systemctl daemon-reload\n";
    const lost = await publish({
      settings: { repository: forge },
      activation: stop,
    });
    let said = await sync(machine, 7);
    assertEquals(machine.state()?.holds.at(0)?.revision, lost, said);
    assertEquals(machine.state()?.holds.at(0)?.reason, "remote-lost");

    const revision = await publish({
      settings: { repository: forge },
      activation: stop + away,
    });
    said = await sync(machine, 7);
    assertStringIncludes(said, "does not answer the previous system either");
    assertEquals(machine.state()?.holds.length, 1, said);
    assertEquals(machine.state()?.backoff?.revision, revision);
    assertEquals(machine.running(), first);
  },
  { repository: forge, retries: 0, "timeouts.health": "3s" },
  {
    settings: { repository: forge },
    activation: "systemctl start forge || true\n",
  },
);

test("credentials are found where the service finds them", async ({ machine, publish }) => {
  machine.write("/root/hosts", "example.org ssh-ed25519 AAAA\n");
  const revision = await publish({
    service: "LoadCredential=hosts:/root/hosts",
    settings: { knownHosts: "/run/credentials/gitops-sync.service/hosts" },
  });
  await sync(machine, 0);
  assertEquals(machine.state()?.lastGood?.revision, revision);
});

test("what an older program can't say is not taken for good", async ({ machine, publish, first }) => {
  // As one that does not know the command.
  machine.write(
    "/opt/old/gitops-sync",
    '#!/bin/sh\n[ "$1" != ready ] || { shift; set -- reddy "$@"; }\n' +
      'exec /usr/local/bin/gitops-sync "$@"\n',
  );
  const program = "/opt/old/gitops-sync";
  await machine.output(["chmod", "+x", program]);
  machine.write("/etc/signers", "");
  const head = {
    "verify.mode": "head",
    "verify.allowedSigners": "/etc/signers",
  };
  await publish({ program, settings: head });
  let said = await sync(machine, 7);
  assertStringIncludes(said, "cannot check the keys of verify.mode: head");
  assertEquals(machine.running(), first);
  await publish({ program, settings: { ref: "mian" } });
  said = await sync(machine, 7);
  assertStringIncludes(said, "has no branch or tag mian");
  const revision = await publish({ program });
  said = await sync(machine, 0);
  assertStringIncludes(said, "is older: its configuration and remote were");
  assertEquals(machine.state()?.lastGood?.revision, revision);
});

test(
  "what waits for the next boot is looked at before",
  async ({ machine, publish }) => {
    const good = machine.bootDefault();
    const settings = { operation: "boot" };
    await publish({ timer: "OnBootSec=1min", settings });
    const said = await sync(machine, 7);
    assertStringIncludes(said, "does not repeat");
    assertEquals(machine.bootDefault(), good);
    const revision = await publish({ settings });
    await sync(machine, 0);
    assertEquals(machine.state()?.lastGood?.revision, revision);
  },
  { operation: "boot" },
  { settings: { operation: "boot" } },
);
