import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { World } from "../world/world.ts";
import { Flake, system } from "./flake.ts";
import { assertGolden } from "./golden.ts";

const refusal = await World.refusal();
if (refusal) console.log(`the module is not tested here: ${refusal}`);

let world: World, flake: Flake;

// One world for all of them: each would build the package anew.
Deno.test.beforeAll(async () => {
  if (refusal) return;
  world = await World.make();
  const folder = `${world.folder}/flake`;
  flake = await Flake.copy(world, folder, folder);
});

Deno.test.afterAll(async () => await world?.[Symbol.asyncDispose]());

function test(name: string, fn: () => Promise<void>) {
  Deno.test({ name, ignore: refusal !== null, fn });
}

/** The settings that the README of the origin shows. */
const example = `services.gitops = {
  enable = true;
  repository = "https://github.com/myorg/infra.git";
  ref = "main";            # or a tag
  frequency = "30m";       # how often to check for changes
};`;

test(
  "the four options of the origin alone make a service and a timer",
  async () => {
    const host = await flake.buildHost(example);
    const units = ["gitops-sync.service", "gitops-sync.timer"];
    for (const unit of units) {
      const text = await world.output([
        "cat",
        `${host}/etc/systemd/system/${unit}`,
      ]);
      await assertGolden(unit, `${text}\n`);
    }
    const config = JSON.parse(
      await world.output(["cat", `${host}/etc/gitops-sync/config.yaml`]),
    );
    assertEquals(config.repository, "https://github.com/myorg/infra.git");
    assertEquals(config.ref, "main");
    const paths = units.map((unit) => `${host}/etc/systemd/system/${unit}`);
    const verified = await world.run(["systemd-analyze", "verify", ...paths]);
    assertEquals(verified.code, 0, verified.stderr);
    assert(!verified.stderr.includes("gitops-sync"), verified.stderr);
  },
);

test(
  "systemd finds the service exposed by 2.0 at most",
  async () => {
    const host = await flake.buildHost(example);
    const report = await world.output([
      "systemd-analyze",
      "security",
      "--offline=true",
      "--no-pager",
      `${host}/etc/systemd/system/gitops-sync.service`,
    ]);
    const exposure = Number(/exposure level .*: ([\d.]+)/.exec(report)?.[1]);
    assert(exposure <= 2.0, report);
  },
);

test("options reach the configuration and the units", async () => {
  const host = await flake.buildHost(`services.gitops = {
    enable = true;
    repository = "ssh://git@git.example.org/infra.git";
    frequency = "90s";
    timeouts.build = "2h";
    secrets.identities = [ "/etc/ssh/age.key" ];
    sshKeyFile = "/run/secrets/deploy-key";
    credentials.netrc = "/etc/nix/netrc";
    environment.NIX_CONFIG = "netrc-file = /run/credentials/gitops-sync.service/netrc";
    settings.timeouts.activate = "3m";
    onFailure = [ "tell.service" ];
    onSuccess = [ "note.service" ];
  };`);
  const config = JSON.parse(
    await world.output(["cat", `${host}/etc/gitops-sync/config.yaml`]),
  );
  assertEquals(config.timeouts.build, "2h");
  assertEquals(config.timeouts.activate, "3m");
  assertEquals(config.secrets.identities, ["/etc/ssh/age.key"]);
  assertEquals("host" in config, false, "left to the program");
  // The program starts them, which knows what is new.
  assertEquals(config.onFailure, ["tell.service"]);
  assertEquals(config.onSuccess, ["note.service"]);
  const service = await world.output(
    ["cat", `${host}/etc/systemd/system/gitops-sync.service`],
  );
  for (
    const line of [
      "/bin/gitops-sync sync --ssh-key-file=%d/ssh-key\n",
      "\nLoadCredential=ssh-key:/run/secrets/deploy-key\n",
      "\nLoadCredential=netrc:/etc/nix/netrc\n",
      '\nEnvironment="NIX_CONFIG=netrc-file = ',
    ]
  ) assertStringIncludes(service, line);
  assertStringIncludes(service, "\nOnFailure=gitops-sync-died.service\n");
  const died = await world.output(
    ["cat", `${host}/etc/systemd/system/gitops-sync-died.service`],
  );
  assertStringIncludes(died, "/bin/systemctl start --no-block -- ");
  const timer = await world.output(
    ["cat", `${host}/etc/systemd/system/gitops-sync.timer`],
  );
  assertStringIncludes(timer, "\nOnUnitInactiveSec=90s\n");
});

/** Settings of services.gitops that only a build finds wrong, and what it says. */
const mistakes: readonly [string, string][] = [
  [
    'timeouts.build = "2 lightyears";',
    'Cannot use "2 lightyears" for timeouts.build',
  ],
  ['settings.timeout.build = "1h";', "did you mean timeouts"],
  ['settings.keep = "many";', 'Cannot use "many" for keep'],
  ["settings.retries = [ 1 ];", "for retries: expected"],
  ["settings.keep = 4000;", "set these options in NixOS under services.gitops"],
  [
    'repository = lib.mkForce "https://me:hunter2@a.example.org/x.git";',
    "the URL contains a password",
  ],
  ['frequency = "5mm";', 'Cannot use "5mm" for services.gitops.frequency'],
  ['frequency = "5m and 3s";', "hint: for example: services.gitops.frequency"],
  ['frequency = "1/2h";', "for services.gitops.frequency"],
  ['frequency = "0h 0min";', "a time span greater than zero"],
  ['timeout = "12 hourss";', "for services.gitops.timeout"],
  ['randomizedDelay = "5 apples";', "for services.gitops.randomizedDelay"],
  ['dates = "dayly";', 'Cannot use "dayly" for services.gitops.dates'],
  [
    'dates = [ "daily" "04:61" ];',
    'Cannot use "04:61" for services.gitops.dates',
  ],
  ['dates = "Mon Europe/Atlantis";', "for services.gitops.dates"],
  ['dates = "2019-01-01";', "a calendar event in the future"],
];

/** Settings of sops.vault, the same. */
const vaultMistakes: readonly [string, string][] = [
  [
    'address = "vault.example.com";',
    'Cannot use "vault.example.com" for vault.address',
  ],
  ['address = "http://vault.example.com";', "for vault.address"],
  ['engines = [ "/sops/" ];', "for vault.engines"],
  ['appRole.mount = "a b";', "for vault.appRole.mount"],
  ['namespace = "";', "under sops.vault"],
];

/** A host with the least that it needs, and these settings. */
const least = (settings: string) =>
  `imports = [ ({ lib, ... }: { ${settings} }) ];
  services.gitops.enable = true;
  services.gitops.repository = "https://git.example.org/infra.git";`;

/** What the build of a host says of its error. */
function errorOf(settings: string): Promise<string> {
  return flake.buildHost(least(settings))
    .then(() => "it is built", (error: Error) => error.message);
}

test("a mistake ends the build of the host, and says what to write", async () => {
  for (const [settings, says] of mistakes) {
    const message = await errorOf(
      `services.gitops = { ${settings} };`,
    );
    assertStringIncludes(message, says, settings);
  }
  for (const [settings, says] of vaultMistakes) {
    const message = await errorOf(
      `sops.vault = { ${settings} };
      imports = [ { sops.vault = {
        enable = true;
        address = lib.mkDefault "https://vault.example.com";
        tokenFile = "/etc/vault/token";
      }; } ];`,
    );
    assertStringIncludes(message, says, settings);
  }
  // As it is told without a build.
  assertStringIncludes(
    await errorOf("system.autoUpgrade.enable = true;"),
    "system.autoUpgrade.enable = false;",
  );
});

test("times that systemd takes are taken", async () => {
  for (
    const settings of [
      'frequency = "1.5h";',
      'frequency = "2 weeks 3s";',
      'frequency = "90";',
      'randomizedDelay = "0";',
      'timeout = "infinity";',
      'dates = "Mon..Fri *-*-* 04:40:00 Europe/Berlin";',
      'dates = [ "daily" "*:0/15 UTC" ];',
    ]
  ) {
    await flake.buildHost(least(`services.gitops = { ${settings} };`));
  }
});

test("who evaluates is a user without rights, whom Nix lets in", async () => {
  const lines = async (host: string, name: string) =>
    (await world.output(["cat", `${host}/etc/${name}`])).split("\n");
  const user = "gitops-sync-eval";
  const open = await flake.buildHost(example);
  assertEquals(await lines(open, "users"), [user]);
  assertEquals(await lines(open, "allowed-users"), ["*"]);
  const closed = await flake.buildHost(
    `${example} nix.settings.allowed-users = [ "@wheel" ];`,
  );
  assertEquals(await lines(closed, "allowed-users"), ["@wheel", user]);
});

test("plugins of age are on the path of the service", async () => {
  const host = await flake.buildHost(`${example}
    services.gitops.secrets.plugins = [ nixpkgs.legacyPackages.${system}.age ];`);
  const unit = await world.output([
    "cat",
    `${host}/etc/systemd/system/gitops-sync.service`,
  ]);
  assertStringIncludes(unit, "-age");
});
