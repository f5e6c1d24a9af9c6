import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { World } from "../world/world.ts";
import { Flake, system } from "./flake.ts";

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

/** A text without what differs from one machine to the next. */
const plain = (text: string) =>
  text.replace(/\/nix\/store\/[0-9a-z]{32}-/g, "/nix/store/HASH-");

async function assertGolden(name: string, text: string): Promise<void> {
  const file = new URL(`golden/${name}`, import.meta.url);
  if (Deno.env.get("GOLDEN") === "write") await Deno.writeTextFile(file, text);
  assertEquals(
    text,
    await Deno.readTextFile(file),
    `${name} has changed; if it should: GOLDEN=write ./dev test tests/nix/module_test.ts`,
  );
}

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
      await assertGolden(unit, plain(`${text}\n`));
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

/** Settings that are mistakes, and what the build of the host says. */
const mistakes: readonly [string, string, string][] = [
  ["no repository", `enable = true;`, 'services.gitops.repository = "https://'],
  [
    "a value that the program refuses",
    `enable = true; repository = "https://a.example.org/x.git"; timeouts.build = "2 lightyears";`,
    'Cannot use "2 lightyears" for timeouts.build',
  ],
  [
    "a setting that the program does not know",
    `enable = true; repository = "https://a.example.org/x.git"; settings.timeout.build = "1h";`,
    "did you mean timeouts",
  ],
  [
    "a token in the URL",
    `enable = true; repository = "https://me:hunter2@a.example.org/x.git";`,
    "the URL carries a password",
  ],
  [
    "a value of another type",
    `enable = true; repository = "https://a.example.org/x.git"; keep = "many";`,
    "services.gitops.keep' is not of type",
  ],
  [
    "a secret in the store",
    'enable = true; repository = "https://a.example.org/x.git"; tokenFile = "${builtins.storeDir}/token";',
    'services.gitops.tokenFile = "/etc/gitops-sync/token"',
  ],
  [
    "a state folder that systemd does not make",
    `enable = true; repository = "https://a.example.org/x.git"; stateDirectory = "/srv/state";`,
    'services.gitops.stateDirectory = "/var/lib/gitops-sync"',
  ],
];

test("a mistake ends the build of the host, and says what to write", async () => {
  for (const [name, settings, says] of mistakes) {
    const message = await flake.buildHost(`services.gitops = { ${settings} };`)
      .then(() => "", (error: Error) => error.message);
    assertStringIncludes(message, says, name);
  }
  const both = await flake.buildHost(
    `${example} system.autoUpgrade.enable = true;`,
  )
    .then(() => "", (error: Error) => error.message);
  assertStringIncludes(both, "system.autoUpgrade.enable = false;");
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
  assertStringIncludes(plain(unit), "-age");
});
