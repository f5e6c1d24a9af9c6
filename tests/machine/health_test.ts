import { assertEquals, assertStringIncludes } from "@std/assert";
import { makeRepository, type Repository } from "../world/repository.ts";
import type { Settings } from "../world/host.ts";
import { Machine } from "./machine.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`health is not tested here: ${refusal}`);

/** A test with a machine and a repository that it follows. */
function test(
  name: string,
  body: (machine: Machine, repository: Repository) => Promise<void>,
) {
  Deno.test({
    name,
    ignore: refusal !== null,
    fn: async () => {
      await using machine = await Machine.boot();
      const repository = await makeRepository(`${machine.shared}/infra`);
      await body(machine, repository);
    },
  });
}

const simple = (command: string) => ({ command, type: "simple" as const });
const quick: Settings = { "timeouts.health": "4s" };

/** Runs gitops-sync, and says what it wrote where it ended otherwise. */
async function sync(machine: Machine, code: number, ...args: string[]) {
  const ended = await machine.sync(...args);
  assertEquals(ended.code, code, ended.stdout + ended.stderr);
  return ended;
}

test(
  "only a unit that fails since is a reason to go back",
  async (machine, repository) => {
    machine.configure(repository, quick);
    // As after a switch by hand: it is there, and fails.
    machine.write(
      "/run/systemd/system/old.service",
      "[Service]\nExecStart=false\n",
    );
    await machine.run(["systemctl", "start", "old.service"]);
    await repository.publish("First", {
      knobs: { services: { web: simple("exec sleep 600") } },
    });
    await sync(machine, 0);
    const good = machine.running();

    // It is up when the switch is over, and dies right after that.
    const web = simple("sleep 0.3; echo port 80 is taken; exit 1");
    await repository.publish("Second", { knobs: { services: { web } } });
    const ended = await sync(machine, 7);
    assertStringIncludes(
      ended.stderr,
      "The host is not healthy: 1 unit failed: web.service; the previous system",
    );
    assertStringIncludes(ended.stderr, "  web.service: port 80 is taken\n");
    assertEquals(machine.running(), good);
    assertEquals(machine.state()?.holds[0]?.reason, "units-failed");

    machine.configure(repository, {
      ...quick,
      "health.ignoreUnits": ["web.*"],
    });
    await sync(machine, 0, "retry");
    assertEquals(machine.state()?.lastGood?.subject, "Second");
  },
);

test(
  "a unit that is started again and again is not well",
  async (machine, repository) => {
    machine.configure(repository, quick);
    const flaky =
      "[Service]\nExecStart=/bin/sh -c 'echo no database; exit 1'\n" +
      "Restart=always\nRestartSec=60\n[Install]\nWantedBy=multi-user.target\n";
    await repository.publish("First");
    await sync(machine, 0);
    const good = machine.running();
    await repository.publish("Second", {
      knobs: { units: { "flaky.service": flaky } },
    });
    const ended = await sync(machine, 7);
    assertStringIncludes(ended.stderr, "1 unit keeps failing: flaky.service");
    assertStringIncludes(ended.stderr, "  flaky.service: no database\n");
    assertEquals(machine.running(), good);

    // One that was at it before is not the candidate's fault.
    const ignored = { ...quick, "health.ignoreUnits": ["flaky.service"] };
    machine.configure(repository, ignored);
    await sync(machine, 0, "retry");
    machine.configure(repository, quick);
    await repository.publish("Third", { knobs: { greeting: "three" } });
    await sync(machine, 0);
  },
);

test(
  "requests, ports, commands and the way out are looked at together",
  async (machine, repository) => {
    const server = "HOME=/root DENO_DIR=/var/cache/deno exec deno eval '" +
      'Deno.serve({ hostname: "127.0.0.1", port: 8080 }, () => ' +
      "new Response(Deno.readTextFileSync(" +
      '"/run/current-system/etc/greeting")))' + "'";
    const settings: Settings = {
      ...quick,
      "health.http": [{ url: "http://127.0.0.1:8080/greeting", body: "hello" }],
      "health.tcp": ["127.0.0.1:8080"],
      "health.commands": [
        ["sh", "-c", "env | grep ^GITOPS_SYNC | sort > /run/told"],
        ["sh", "-c", 'x=7; test "$x$#$1" = "71%n"', "-", "%n"],
      ],
    };
    machine.configure(repository, settings);
    await machine.output(
      ["ip", "route", "add", "default", "via", "10.23.0.1"],
    );
    const first = await repository.publish("First $(reboot)", {
      knobs: { services: { web: simple(server) } },
    });
    const ended = await sync(machine, 0);
    assertStringIncludes(ended.stderr, "the remote answers, 4 checks passed");
    const good = machine.running()!;
    const told = machine.read("/run/told")!.trimEnd().split("\n");
    assertEquals(told.slice(0, 1), ["GITOPS_SYNC_AUTHOR=Ada"]);
    assertEquals(told.slice(-4), [
      `GITOPS_SYNC_REVISION=${first}`,
      "GITOPS_SYNC_SIGNED_BY=",
      "GITOPS_SYNC_SUBJECT=First $(reboot)",
      `GITOPS_SYNC_SYSTEM=${good}`,
    ]);

    machine.configure(repository, {
      ...settings,
      "health.tcp": ["127.0.0.1:8081"],
      "health.commands": [["sh", "-c", "echo out of range >&2; exit 3"]],
    });
    await repository.publish("Second", {
      knobs: {
        greeting: "bye",
        activation: "ip route del default; rm -rf /srv/infra.git",
      },
    });
    const { stderr } = await sync(machine, 7);
    for (
      const part of [
        'http://127.0.0.1:8080/greeting answered without "hello"',
        "  http://127.0.0.1:8080/greeting: bye\n",
        "127.0.0.1:8081 accepts no connection: ",
        '"sh -c echo out of range >&2; exit 3" ended with code 3',
        "  sh: out of range\n",
        "the default route is gone (IPv4)",
        "the repository can't be reached any more",
      ]
    ) assertStringIncludes(stderr, part);
    assertEquals(machine.running(), good);
    assertEquals(machine.bootDefault(), good);
  },
);
