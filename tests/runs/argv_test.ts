import { assertEquals } from "@std/assert";
import type { World } from "../world/world.ts";
import { deployed, prepared, runs, test } from "./setting.ts";
import { diedOfTracing, traced } from "./strace.ts";

/** The arguments with names in place of what differs from run to run. */
function normalised(
  started: readonly string[][],
  names: Readonly<Record<string, string>>,
): string[] {
  const lines = started.map(([program, ...args]) =>
    Object.entries(names).reduce(
      (line, [what, name]) => line.replaceAll(what, name),
      [program!.replace(/^(?!\/nix\/store).*\//, ""), ...args].join(" ")
        .replaceAll(/\/proc\/\d+\//g, "/proc/PID/")
        .replace(/( \/proc\/PID\/cmdline)+$/, "$1 …"),
    )
    // When a switch without systemd began, and what memory a program uses that
    // takes its time, is looked up beside it, at any moment.
  ).filter((line) => !/^cat -- \/proc\/PID\/stat(?:$|us )/.test(line));
  // The two looks at the host's health begin at once.
  const looks = lines.indexOf("SYSTEM/bin/switch-to-configuration test") + 1;
  if (looks === 0) return lines;
  return lines.toSpliced(looks, 2, ...lines.slice(looks, looks + 2).sort());
}

/** The store path of the running system, and its hash alone. */
function namesOf(world: World): Record<string, string> {
  const system = world.running()!;
  return { [system]: "SYSTEM", [system.slice(11, 43)]: "HASH" };
}

const state = "/var/lib/gitops-sync";
const ask =
  "git ls-remote --heads --tags -- URL refs/heads/main refs/tags/main refs/tags/main^{}";
const local = `git -C ${state}/repo`;
const build =
  `nixos-rebuild build --flake git+file://${state}/repo?rev=NEW&shallow=1#demo --log-format internal-json --no-update-lock-file --show-trace --option accept-flake-config false`;
const secrets = [
  `${local} ls-tree -r -l -z --full-tree NEW`,
  `${local} grep --files-with-matches --null --text --basic-regexp -e ^age-encryption\\.org/v1 -e ^[[:space:]]*-----BEGIN AGE ENCRYPTED FILE----- NEW --`,
  `${local} grep --files-with-matches --null --text --basic-regexp -e ENC\\[AES256_GCM, NEW --`,
  `${local} grep --files-without-match --null --text --basic-regexp -e ^age-encryption\\.org/v1 -e ^[[:space:]]*-----BEGIN AGE ENCRYPTED FILE----- -e ENC\\[AES256_GCM, NEW --`,
];
const routes = "cat /proc/net/route /proc/net/ipv6_route";
const boot = "cat -- /proc/sys/kernel/random/boot_id";
const preflight = [
  "ls -1A -- /proc",
  "head --verbose --bytes=4096 -- /proc/PID/cmdline …",
  "ls -1A -- /sys/class/power_supply",
];
const switched = [
  routes,
  "SYSTEM/bin/switch-to-configuration test",
  routes,
  ask,
];
const read =
  `${local} log -1 --no-show-signature --format=%H%x00%P%x00%s%x00%an%x00%cI refs/gitops-sync/candidate --`;
const sizes = `${local} cat-file --batch-check=%(objecttype) %(objectsize)`;
/** What an evaluation may use of it (limits.evaluation). */
const memory = "cat -- /proc/meminfo";
/** Whether flake.lock is a file of the repository. */
const lock = `${local} cat-file --batch-check --follow-symlinks`;
const paths =
  `${local} ls-tree -r -t -z --format=%(objectmode) %(objectsize) %(path) NEW`;
const fetch =
  `${local} fetch --quiet --no-tags --no-write-fetch-head --no-recurse-submodules --no-auto-maintenance`;
const confirm = [
  "nix-env --profile /nix/var/nix/profiles/system --set SYSTEM",
  "SYSTEM/bin/switch-to-configuration boot",
  `nix-store --realise SYSTEM --add-root ${state}/roots/HASH`,
  `${local} update-ref refs/gitops-sync/last-good NEW`,
];

test("a run with nothing to do asks the remote, and starts no more than it must", async (world) => {
  const { repository } = await deployed(world);
  const names = { [world.urlOf(repository)]: "URL" };
  const table: [string[], string[]][] = [
    // The first is done in full, and looks whether the host was rebooted.
    [[], [boot, ask]],
    // The second by the shortcut.
    [[], [ask]],
    [["--json"], [boot, ask]],
    [["sync", "--verbose"], [boot, ask]],
  ];
  for (const [args, expected] of table) {
    const { started, code } = await traced(world, ...args);
    assertEquals(code, 0);
    assertEquals(normalised(started, names), expected, `${args}`);
  }
});

test("a run that deploys starts these programs in this order", async (world) => {
  const { repository, revision } = await prepared(world);
  const first = await traced(world);
  if (diedOfTracing(first)) return;
  assertEquals(first.code, 0, first.stderr);
  const url = { [world.urlOf(repository)]: "URL" };
  assertEquals(
    normalised(first.started, { ...url, [revision]: "NEW", ...namesOf(world) }),
    [
      ask,
      boot,
      ...preflight,
      `git -C ${state} init --quiet --template= --initial-branch=gitops-sync --object-format=sha1 ${state}/repo`,
      `${fetch} --update-shallow --depth=1 -- URL +refs/heads/main:refs/gitops-sync/candidate`,
      sizes,
      read,
      paths,
      `${local} update-ref --no-deref HEAD NEW`,
      ...secrets,
      lock,
      memory,
      build,
      ...switched,
      ...confirm,
    ],
  );

  const recipient = await world.makeKey();
  const file = await world.encrypt(recipient, "password: swordfish\n");
  const next = await repository.publish("A secret", {
    files: { "secrets.yaml": file },
  });
  const previous = { [world.running()!]: "PREVIOUS" };
  const second = await traced(world);
  if (diedOfTracing(second)) return;
  const names = {
    ...previous,
    [revision]: "OLD",
    [next]: "NEW",
    ...url,
    ...namesOf(world),
  };
  assertEquals(normalised(second.started, names), [
    boot,
    ask,
    boot,
    ...preflight,
    `${fetch} --update-shallow -- URL +refs/heads/main:refs/gitops-sync/candidate`,
    sizes,
    read,
    paths,
    `${local} update-ref --no-deref HEAD NEW`,
    ...secrets,
    "age-keygen -y",
    `${local} cat-file --batch`,
    "sops decrypt --input-type yaml --output-type yaml /dev/stdin",
    lock,
    memory,
    build,
    `nix-store --realise PREVIOUS --add-root ${state}/previous`,
    ...switched,
    ...confirm,
  ]);
  runs(world, next);
});

test("status and what only looks at this host start no more than they need", async (world) => {
  const { repository } = await deployed(world);
  const names = { [world.urlOf(repository)]: "URL" };
  const table: [string[], string[]][] = [
    [["status"], [ask]],
    [["status", "--offline"], []],
    [["history"], []],
    // Who it was is written down.
    [["suspend"], ["cat -- /proc/self/loginuid"]],
    [["sync"], []],
    [["resume"], []],
    [["config", "check"], []],
    [["completions", "bash"], []],
    [["--help"], []],
  ];
  for (const [args, expected] of table) {
    const { started, code } = await traced(world, ...args);
    assertEquals(code, 0);
    assertEquals(normalised(started, names), expected, `${args}`);
  }
});
