import { assertEquals, assertStringIncludes } from "@std/assert";
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
function test(name: string, body: (scene: Scene) => Promise<void>) {
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
      machine.configure(repository, { "timeouts.health": "20s" });
      await publish({});
      await sync(machine, 0);
      await body({ machine, repository, publish, first: machine.running()! });
    },
  });
}

/** Runs the service as the timer does; gives what it wrote. */
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
      "next-program",
      "has no branch or tag mian",
    ],
    [
      "a repository that is not there",
      { settings: { repository: "file:///srv/other.git" } },
      "next-program",
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
      "next-program",
      "/etc/gitops-sync/signers can't be read: there is no such file",
    ],
    [
      "a credential that is missing",
      {
        service: "LoadCredential=token:/root/token",
        flags: "--token-file=%d/token",
      },
      "next-service",
      "systemd says exit-code, status 243",
    ],
    [
      "a key file of secrets that is missing",
      { settings: { "secrets.identities": ["/etc/ssh/gone.key"] } },
      "next-program",
      "/etc/ssh/gone.key",
    ],
    [
      "a timer that comes once",
      { timer: "OnBootSec=1s\nOnUnitInactiveSec=daily" },
      "next-timer",
      "does not come again",
    ],
    [
      "a system without the module",
      undefined,
      "next-unfollowed",
      "does not have gitops-sync.service and gitops-sync.timer any more",
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
  const said = await sync(machine, 0, "accept", "--unfollow", revision);
  assertStringIncludes(said, "this host follows nothing from now on");
  await sync(machine, 0);
  assertEquals(machine.state()?.lastGood?.revision, revision);
  assertEquals(machine.state()?.unfollow, undefined);
  // Hosts that run without the module are not concerned.
  const last = await publish();
  await sync(machine, 0);
  assertEquals(machine.state()?.lastGood?.revision, last);
});
