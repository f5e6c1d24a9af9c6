import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import {
  type Knobs,
  makeRepository,
  type Repository,
} from "../world/repository.ts";
import type { Settings } from "../world/host.ts";
import { Machine } from "./machine.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`unwell units are not tested here: ${refusal}`);

const wanted = "\n[Install]\nWantedBy=multi-user.target\n";
const daemon = `[Service]\nExecStart=sleep 600\n${wanted}`;
const fstab = "tmpfs /mnt/data tmpfs size=1m 0 0";

/** What is good: everything runs. */
const good: Knobs = {
  units: { "web.service": daemon, "other.service": daemon },
  fstab,
  userActivation: "",
  activation: "",
  errno: 0,
  exit: {},
  services: {},
};

const settings: Settings = {
  "timeouts.activate": "20s",
  "timeouts.health": "4s",
  "health.steady": "2s",
};

interface Scene {
  machine: Machine;
  repository: Repository;
  /** Publishes what is good but for this. */
  publish(knobs: Knobs): Promise<string>;
  /** Configures the machine, with what is more than usual. */
  configure(more: Settings): void;
}

function test(name: string, body: (scene: Scene) => Promise<void>) {
  Deno.test({
    name,
    ignore: refusal !== null,
    fn: async () => {
      await using machine = await Machine.boot();
      const repository = await makeRepository(`${machine.shared}/infra`);
      const publish = (knobs: Knobs) =>
        repository.publish("A change", { knobs: { ...good, ...knobs } });
      const configure = (more: Settings) =>
        machine.configure(repository, { ...settings, ...more });
      configure({});
      await publish({});
      const { code, stderr } = await machine.sync();
      assertEquals(code, 0, stderr);
      await body({ machine, repository, publish, configure });
    },
  });
}

async function isActive(machine: Machine, unit: string): Promise<boolean> {
  const { stdout } = await machine.run(["systemctl", "is-active", unit]);
  return stdout.trim() === "active";
}

const web = (text: string): Knobs => ({
  units: { ...good.units, "web.service": `${text}${wanted}` },
});

/** What was found, by its name: what changes, and what is said of it. */
const table: Readonly<Record<string, [Knobs, RegExp]>> = {
  "an option that mount does not know": [
    { fstab: fstab.replace("size=1m", "size=1m,noexecc=1") },
    /1 unit could not be started, stopped or reloaded: mnt-data\.mount/,
  ],
  "a setting that systemd refuses": [
    web("[Service]\nType=oneshot\nRestart=always\nExecStart=true"),
    /1 unit cannot be loaded: web\.service/,
  ],
  "a calendar that does not exist": [
    {
      units: {
        ...good.units,
        "new.timer":
          "[Timer]\nOnCalendar=dayly\n[Install]\nWantedBy=timers.target\n",
        "new.service": "[Service]\nExecStart=true\n",
      },
    },
    /1 unit cannot be loaded: new\.timer/,
  ],
  "an assertion": [
    web(
      "[Unit]\nAssertPathExists=/nonexistent\n[Service]\nExecStart=sleep 600",
    ),
    /1 unit did not start, because an assertion failed: web\.service/,
  ],
  "a daemon that ends well at once": [
    web("[Service]\nExecStart=true"),
    /1 unit is no longer running: web\.service/,
  ],
  "a crash loop": [
    web('[Service]\nExecStart=/bin/sh -c "sleep 0.6; exit 1"\nRestart=always'),
    /1 unit keeps failing: web\.service/,
  ],
  "one that is stopped by another": [
    {
      units: {
        ...good.units,
        "rival.service":
          `[Unit]\nConflicts=other.service\n[Service]\nExecStart=sleep 600\n${wanted}`,
      },
    },
    /1 unit is no longer running: other\.service/,
  ],
  "a user's units": [
    { userActivation: 'test "$(id -un)" != ada' },
    /1 unit failed for its user: user@ada\.service[^]*user activation for ada failed/,
  ],
  "a code 4 that says nothing": [
    { exit: { test: 4 } },
    /failed to handle a unit, but does not name it/,
  ],
  "an error of D-Bus in its midst": [{ errno: 11 }, /ended with code 11/],
};

test("what does not run any more is a reason to go back, though nothing failed", async ({ machine, publish }) => {
  const first = machine.running();
  await machine.output(["useradd", "--create-home", "ada"]);
  await machine.output(["loginctl", "enable-linger", "ada"]);
  for (const [name, [knobs, expected]] of Object.entries(table)) {
    const revision = await publish(knobs);
    const { code, stderr } = await machine.sync();
    assertEquals(code, 7, `${name}: ${stderr}`);
    assertMatch(stderr, expected, name);
    assertStringIncludes(stderr, "the previous system runs again");
    assertEquals(machine.running(), first, name);
    for (const unit of ["web.service", "other.service", "mnt-data.mount"]) {
      assert(await isActive(machine, unit), `${name}: ${unit} runs again`);
    }
    assertEquals(machine.state()?.holds[0]?.revision, revision, name);
  }
});

test("a reload that fails, and a unit that failed before and takes one with it", async ({ machine, publish, configure }) => {
  const reloaded = (word: string, code: number) =>
    web(
      `[Service]\nExecStart=/bin/sh -c "exec sleep 600 # ${word}"\n` +
        `ExecReload=/bin/sh -c "exit ${code}"\nX-ReloadIfChanged=true`,
    );
  await publish(reloaded("one", 0));
  assertEquals((await machine.sync()).code, 0);
  await publish(reloaded("two", 1));
  const ended = await machine.sync();
  assertEquals(ended.code, 7, ended.stderr);
  assertStringIncludes(ended.stderr, "Failed to reload web.service");

  const db = `[Service]\nType=oneshot\nExecStart=false\n${wanted}`;
  const withDb = (requires: string): Knobs => ({
    units: {
      "db.service": db,
      "web.service":
        `[Unit]\n${requires}\n[Service]\nExecStart=sleep 600\n${wanted}`,
    },
  });
  configure({ "health.ignoreUnits": ["db.service"] });
  await publish(withDb(""));
  const adopted = await machine.sync();
  assertEquals(adopted.code, 0, adopted.stderr);
  configure({});
  await publish(withDb("Requires=db.service\nAfter=db.service"));
  const taken = await machine.sync();
  assertEquals(taken.code, 7, taken.stderr);
  assertMatch(
    taken.stderr,
    /1 unit could not be started, stopped or reloaded: web\.service/,
  );
  assertStringIncludes(
    taken.stderr,
    "db.service failed before, and fails again",
  );
  assert(await isActive(machine, "web.service"));
});
