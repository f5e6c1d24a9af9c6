import { assert, assertEquals } from "@std/assert";
import type { Knobs } from "../world/repository.ts";
import { makeRepository, type Repository } from "../world/repository.ts";
import { letIsolate } from "./isolation.ts";
import { type Change, changes, fstab, type Units } from "./everyday.ts";
import { Machine } from "./machine.ts";
import { madeFolder } from "../world/gitops_sync.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`plans are not tested on systemd here: ${refusal}`);

/**
 * What happens by chance, or again and again, is in no plan. Nor are conditions
 * looked at: they may hold by the time of the switch.
 */
const byChance =
  /condition|meanwhile|by itself|by hand|every moment|second try|logs out|run out|goes on/;

/** Units of which a plan says what a sync then does. */
const planned: readonly Change[] = [
  ...changes.filter(([name]) => !byChance.test(name)),
  [
    "a service goes with what it is a part of",
    {
      "p1.service": daemon("1"),
      "p1-part.service": daemon("1", "PartOf=p1.service"),
    },
    {
      "p1.service": daemon("2"),
      "p1-part.service": daemon("1", "PartOf=p1.service"),
    },
  ],
  [
    "a service brings what it wants",
    { "p2.service": daemon("1"), "p2-more.service": idle("1") },
    {
      "p2.service": daemon("1", "Wants=p2-new.service p2-more.service"),
      "p2-more.service": idle("1"),
      "p2-new.service": idle("1"),
    },
  ],
  [
    "a service may not be stopped",
    { "p3.service": daemon("1", "RefuseManualStop=true") },
    { "p3.service": daemon("2", "RefuseManualStop=true") },
  ],
  [
    "what needs a service goes with it",
    {
      "p4.service": daemon("1"),
      "p4-needs.service": idle("1", "Requires=p4.service\nAfter=p4.service"),
    },
    { "p4-needs.service": idle("1", "Requires=p4.service\nAfter=p4.service") },
  ],
  [
    "the service of a socket is changed while somebody uses it",
    { "p5.socket": socket("p5"), "p5.service": idle("1") },
    { "p5.socket": socket("p5"), "p5.service": idle("2") },
  ],
];

function daemon(word: string, unit = ""): string {
  return `${idle(word, unit)}[Install]\nWantedBy=multi-user.target\n`;
}

/** A service that nothing wants. */
function idle(word: string, unit = ""): string {
  return `[Unit]\n${unit}\n[Service]\nExecStart=/bin/sh -c "exec sleep 600 # ${word}"\n`;
}

function socket(name: string): string {
  return `[Socket]\nListenStream=/run/${name}.sock\n[Install]\nWantedBy=sockets.target\n`;
}

/** What the host has on one side of the changes. */
function knobs(side: "before" | "after"): Knobs {
  const units: Units = Object.assign(
    {},
    ...planned.map(([, before, after]) => side === "before" ? before : after),
  );
  return {
    units,
    fstab: fstab[side].join("\n"),
    kernel: side === "before" ? "6.12.1" : "6.13.0",
    dependencies: side === "before"
      ? { "firefox-118.0": "true", "mc-4.8.29": "true", "same-1.0": "true" }
      : { "firefox-119.0": "true", "jq-1.7": "true", "same-1.0": "true" },
  };
}

interface Versions {
  name: string;
  before: readonly string[];
  after: readonly string[];
}

type Effect =
  | "start"
  | "start again"
  | "stop"
  | "stop until its socket is used"
  | "restart"
  | "reload"
  | "none";

/** What a plan says, by unit. */
function saidOf(units: Record<string, string[]>): Map<string, Effect> {
  const said = new Map<string, Effect>();
  const lists: readonly (readonly [string, Effect])[] = [
    ["start", "start"],
    ["again", "start again"],
    ["restart", "restart"],
    ["onDemand", "stop until its socket is used"],
    ["stop", "stop"],
    ["reload", "reload"],
    ["keep", "none"],
  ];
  for (const [list, effect] of lists) {
    for (const unit of units[list]!) said.set(unit, effect);
  }
  return said;
}

interface Stand {
  runs: boolean;
  invocation: string;
}

/**
 * What belongs to the runs themselves; and targets and slices, which have no
 * process, come and go with other units, and are told by nobody; and the Nix daemon, which
 * its socket starts for whoever builds.
 */
const leftOut =
  /^(?:gitops-sync-|nix-daemon|run-|session-|user-|user@)|\.(?:target|slice)$/;

/** How systemd has each unit in its own record. */
async function recordOf(machine: Machine): Promise<Map<string, Stand>> {
  const shown = await machine.output([
    ...["systemctl", "show", "--all"],
    ...["--property=Id,ActiveState,InvocationID,FragmentPath", "--", "*"],
  ]);
  const units = new Map(
    shown.split(/\n\n+/).map((block) => {
      const value = (name: string) =>
        new RegExp(`^${name}=(.*)$`, "m").exec(block)?.[1] ?? "";
      const runs = ["active", "activating", "reloading"]
        .includes(value("ActiveState"));
      const stand = { runs, invocation: value("InvocationID") };
      // In NixOS all units are the system's; those of Debian are in no system.
      const isDebians = value("FragmentPath").startsWith("/usr/lib/");
      const isOut = isDebians || leftOut.test(value("Id"));
      return [isOut ? "" : value("Id"), stand];
    }),
  );
  units.delete("");
  return units;
}

/** The unit files that the host has, also those that nothing needed so far. */
async function filesOf(machine: Machine): Promise<Set<string>> {
  const list = await machine.output([
    ...["systemctl", "list-unit-files", "--no-legend", "--no-pager"],
  ]);
  return new Set(list.split("\n").map((line) => line.split(" ")[0]!));
}

/** Units of which systemd did a job of some type: one is skipped by conditions. */
async function jobsOf(
  machine: Machine,
  since: string,
  ...types: string[]
): Promise<Set<string>> {
  const lines = await machine.output([
    ...["journalctl", "--quiet", "--output=json", `--since=@${since}`],
    ...types.map((type) => `JOB_TYPE=${type}`),
    "JOB_RESULT=done",
  ]);
  return new Set(
    lines.split("\n").filter((line) => line !== "")
      .map((line) => JSON.parse(line))
      .filter(({ MESSAGE }) => !/ was skipped /.test(MESSAGE))
      .map(({ UNIT }) => UNIT),
  );
}

function effectOf(
  before: Stand | undefined,
  after: Stand | undefined,
  { isKnown, isStarted, isReloaded, hasSocket }: {
    /** Whether the host had its file before. */
    isKnown: boolean;
    isStarted: boolean;
    isReloaded: boolean;
    /** Whether its socket listens afterwards. */
    hasSocket: boolean;
  },
): Effect {
  const ran = before?.runs ?? false, runs = after?.runs ?? false;
  const isOther = (after?.invocation ?? "") !== "" &&
    after?.invocation !== before?.invocation;
  // A job that has ended runs no more, and systemd may have forgotten it.
  if (ran && !runs) {
    if (isStarted) return "restart";
    return hasSocket ? "stop until its socket is used" : "stop";
  }
  if (!ran) {
    if (!runs && !isStarted) return "none";
    return isKnown ? "start again" : "start";
  }
  if (isOther) return "restart";
  return isReloaded ? "reload" : "none";
}

/** A person without root plans what they work on, and a revision. */
async function byPerson(machine: Machine, repository: Repository) {
  await machine.output(["useradd", "--create-home", "ada"]);
  const url = machine.urlOf(repository);
  await machine.output([
    ...["git", "clone", "--quiet", "-c", "safe.directory=*", url],
    "/home/ada/infra",
  ]);
  await machine.output(["chown", "-R", "ada:", "/home/ada/infra"]);
  await machine.output(["mkdir", "/home/ada/deno"]);
  await machine.output(["cp", "-r", "/var/cache/deno/npm", "/home/ada/deno/"]);
  await machine.output(["chown", "-R", "ada:", "/home/ada/deno"]);
  await machine.output(["chmod", "600", "/etc/gitops-sync/config.yaml"]);
  const before = machine.calls();
  const { code, stdout, stderr } = await machine.run([
    ...["runuser", "-u", "ada", "--", "env", "NIX_REMOTE=daemon"],
    ...["HOME=/home/ada", "DENO_DIR=/home/ada/deno", "gitops-sync"],
    ...["plan", "/home/ada/infra", "--host", "demo", "--json"],
  ], { cwd: "/home/ada" });
  assertEquals(code, 0, stdout + stderr);
  const plan = JSON.parse(stdout);
  assertEquals(plan.before, machine.running());
  assertEquals([plan.units, plan.stops], [null, []]);
  assertEquals(plan.unitFiles.system.changed, []);
  assertEquals(machine.calls(), before);
}

Deno.test({
  name: "what a plan says is what happens, there and back",
  ignore: refusal !== null,
  fn: async () => {
    assert(planned.length >= 30);
    await using machine = await Machine.boot();
    const repository = await makeRepository(`${machine.shared}/infra`);
    const failing = ["h5.service", "h6.service", "h7.service"];
    machine.configure(repository, {
      "timeouts.health": "60s",
      "health.steady": "300ms",
      "health.ignoreUnits": failing,
    });
    await letIsolate(machine);
    const recipient = await machine.makeKey();
    const secret = (yaml: string) => machine.encrypt(recipient, yaml);
    const sync = async () => {
      const { code, stderr } = await machine.sync();
      assertEquals(code, 0, stderr);
    };
    const plan = async () => {
      const { code, stdout, stderr } = await machine.sync("plan", "--json");
      assertEquals(code, 0, stdout + stderr);
      return JSON.parse(stdout);
    };
    await repository.publish("before", {
      knobs: {
        ...knobs("before"),
        manifest: "script",
        secrets: ["s.yaml#stays", "s.yaml#other", "s.yaml#goes"],
      },
      files: { "s.yaml": await secret("stays: a\nother: b\ngoes: c\n") },
    });
    await sync();
    // A container has none: what was booted is what runs now.
    await machine.output([
      ...["cp", "--no-dereference", "/run/current-system"],
      "/run/booted-system",
    ]);
    const ask = async () => {
      const was = await recordOf(machine);
      const found = await plan();
      assertEquals(await recordOf(machine), was, "a plan touches no unit");
      return { found, was, files: await filesOf(machine) };
    };
    /** Does what was planned, and compares. */
    const compare = async (
      { found, was, files }: Awaited<ReturnType<typeof ask>>,
    ) => {
      assertEquals(found.notes, []);
      const since = (await machine.output(["date", "+%s"])).trim();
      await sync();
      const is = await recordOf(machine);
      const reloads = await jobsOf(machine, since, "reload");
      const starts = await jobsOf(machine, since, "start", "restart");
      const said = saidOf(found.units);
      const wrong: string[] = [];
      for (
        const unit of new Set([...was.keys(), ...is.keys(), ...said.keys()])
      ) {
        if (leftOut.test(unit)) continue;
        const happened = effectOf(
          was.get(unit),
          is.get(unit),
          {
            isKnown: files.has(unit),
            isStarted: starts.has(unit),
            isReloaded: reloads.has(unit),
            hasSocket: is.get(unit.replace(/\.service$/, ".socket"))?.runs ===
              true,
          },
        );
        const told = said.get(unit) ?? "none";
        if (told !== happened) {
          wrong.push(
            `${unit}: the plan says ${told}, and ${happened} happened`,
          );
        }
      }
      assertEquals(wrong, []);
      assertEquals(found.after, machine.running());
    };

    await repository.publish("after", {
      knobs: {
        ...knobs("after"),
        secrets: ["s.yaml#stays", "s.yaml#other", "s.yaml#comes"],
      },
      files: { "s.yaml": await secret("stays: a\nother: d\ncomes: e\n") },
    });
    await machine.output(["systemctl", "start", "p5.service"]);
    const there = await ask();
    // Their files changed, and they run on: "none" happened to them.
    assertEquals(there.found.units.keep, ["a8.service", "p3.service"]);
    await compare(there);
    const { packages, reboot, secrets } = there.found;
    assertEquals(
      packages.changed.map(({ name, before, after }: Versions) =>
        `${name} ${before} → ${after}`
      ),
      [
        "firefox 118.0 → 119.0",
        "jq  → 1.7",
        "linux 6.12.1 → 6.13.0",
        "mc 4.8.29 → ",
      ],
    );
    assertEquals(secrets, {
      added: ["comes"],
      removed: ["goes"],
      changed: ["other"],
      // It has another data key.
      rekeyed: ["stays"],
    });
    assertEquals(reboot.changed, ["kernel", "initrd", "kernel modules"]);
    await repository.publish("before again", {
      knobs: { ...knobs("before"), secrets: ["s.yaml#stays"] },
    });
    await compare(await ask());
    if (madeFolder) {
      console.log("no plan of a person here: only root may enter the package");
    } else await byPerson(machine, repository);
  },
});
