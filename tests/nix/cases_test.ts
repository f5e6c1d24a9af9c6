import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { blocks, placeOf } from "../docs/blocks.ts";
import { World } from "../world/world.ts";
import { golden, refused } from "./cases.ts";
import { Flake, flakeWith } from "./flake.ts";
import { assertGolden } from "./golden.ts";

const refusal = await World.refusal();
if (refusal) console.log(`settings are not tested here: ${refusal}`);

let world: World, flake: Flake;

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

/** The values of an expression for each of some modules, by their place. */
function forEach(
  modules: readonly string[],
  expression: string,
): Promise<unknown[]> {
  const listed = modules.map((text) => `({ lib, ... }: { ${text} })`);
  const outputs = `all = map (module:
    let inherit (hostWith module) config; in ${expression}
  ) [ ${listed.join("\n")} ];`;
  return flake.evaluate(flakeWith(outputs), "all") as Promise<unknown[]>;
}

/** What such a flake says of its error. */
function errorOf(outputs: string, attribute: string): Promise<string> {
  return flake.evaluate(flakeWith(outputs), attribute)
    .then((value) => `no error: ${value}`, (error: Error) => error.message);
}

test("what can't work is refused before anything is built", async () => {
  const messages = await forEach(
    Object.values(refused),
    "map (one: one.message) (builtins.filter (one: !one.assertion) config.assertions)",
  ) as string[][];
  const sections = Object.keys(refused).map((name, i) => {
    assert(messages[i]!.length > 0, `${name} is not refused`);
    return `# ${name}\n\n${messages[i]!.join("\n")}\n`;
  });
  await assertGolden("refused.txt", sections.join("\n"));
});

/** The NixOS modules that README and the guides show. */
const shownModules = () =>
  blocks().filter(({ language, text }) =>
    language === "nix" && !/^ *(inputs|outputs)\b/m.test(text)
  );

test("each module in the documentation works as it stands there", async () => {
  const shown = shownModules();
  assert(shown.length > 10, "the blocks are not found any more");
  const refusedBy = await forEach(
    shown.map(({ text }) => `
      imports = [ ({ lib, pkgs, ... }@args:
        let
          shown = ${text};
          own = if builtins.isFunction shown then shown args else shown;
        in {
          services.gitops = {
            enable = lib.mkDefault true;
            repository = lib.mkDefault "https://git.example.org/infra.git";
          } // own.services.gitops or { };
        }
        // lib.optionalAttrs (own ? sops.vault) { sops = { inherit (own.sops) vault; }; }
      ) ];`),
    "map (one: one.message) (builtins.filter (one: !one.assertion) config.assertions)",
  );
  for (const [i, block] of shown.entries()) {
    assertEquals(refusedBy[i], [], placeOf(block));
  }
});

test("the flake in README is whole", async () => {
  const [text, host] = blocks("README.md")
    .filter(({ language }) => language === "nix").map(({ text }) => text);
  const written = text!
    .replace(/(nixpkgs\.url = ")[^"]*/, "$1NIXPKGS")
    .replace(/(gitops\.url = ")[^"]*/, "$1GITOPS")
    .replace(
      "./myhost.nix",
      `(${host!.replace("./configuration.nix", "{ }")})`,
    );
  const settings = "nixosConfigurations.myhost.config.services.gitops";
  assertEquals(
    await flake.evaluate(written, `${settings}.repository`),
    "https://github.com/myorg/infra.git",
  );
});

test("what works is in the units as it was meant", async () => {
  const texts = await forEach(
    golden.map(({ settings }) => settings),
    "builtins.mapAttrs (_: unit: unit.text) config.systemd.units",
  ) as Record<string, string>[];
  for (const [i, { units }] of golden.entries()) {
    for (const [unit, file] of Object.entries(units)) {
      await assertGolden(file, texts[i]![unit]!);
    }
  }
});

test("no unit of sops-nix is made where it has none", async () => {
  const [names] = await forEach(
    [
      'sops.vault = { enable = true; address = "https://vault.example.com"; tokenFile = "/a"; };' +
      "sops.useSystemdActivation = true;",
    ],
    "builtins.attrNames config.systemd.units",
  );
  assertEquals(names, ["gitops-sync-vault-agent.service"]);
});

/** Settings of services.gitops, and what comes out in its configuration. */
const priorities: readonly [string, string, unknown][] = [
  ['ref = "a"; settings.ref = lib.mkDefault "b";', "ref", "b"],
  ['ref = "a"; settings.ref = lib.mkOptionDefault "b";', "ref", "b"],
  ['ref = "a"; settings.ref = lib.mkForce "b";', "ref", "b"],
  ["keep = 3; settings.keep = lib.mkDefault 4;", "keep", 4],
  [
    'settings.timeouts = lib.mkDefault { build = "9h"; };',
    "timeouts.build",
    "9h",
  ],
  [
    'health.ignoreUnits = [ "a" ]; settings.health.ignoreUnits = [ "b" ];',
    "health.ignoreUnits",
    ["b"],
  ],
  [
    'health.ignoreUnits = [ "a" ]; settings.health.ignoreUnits = lib.mkDefault [ "b" ];',
    "health.ignoreUnits",
    ["b"],
  ],
  [
    'settings.health.ignoreUnits = lib.mkOptionDefault [ "b" ];',
    "health.ignoreUnits",
    ["b"],
  ],
  ['host = "a"; settings.host = null;', "host", null],
];

test("what stands in settings takes the place of the options", async () => {
  const values = await forEach(
    priorities.map(([settings]) => `services.gitops = { ${settings} };`),
    "config.services.gitops.settings",
  );
  for (const [i, [settings, path, expected]] of priorities.entries()) {
    const value = path.split(".").reduce(
      (found: unknown, key) => (found as Record<string, unknown>)[key],
      values[i],
    );
    assertEquals(value, expected, settings);
  }
});

test("what services.gitops.vault says counts for sops.vault", async () => {
  const [merged] = await forEach(
    [
      `services.gitops.vault = { tokenFile = "/a"; namespace = "team"; };
    services.gitops.timeouts.vault = "1m";
    sops.vault = { enable = true; address = "https://vault.example.com"; };`,
    ],
    `{
    failed = builtins.filter (one: !one.assertion) config.assertions;
    service = config.systemd.services.gitops-sync-vault-agent.serviceConfig.LoadCredential;
    inherit (config.services.gitops.settings) vault;
  }`,
  ) as { vault: Record<string, unknown> }[];
  const { vault, ...rest } = merged!;
  assertEquals(rest, { failed: [], service: ["token:/a"] });
  assertEquals(vault.address, "https://vault.example.com");
  assertEquals(vault.namespace, "team");
});

test("whom to tell of a failure may stand in settings as well", async () => {
  const texts = await forEach(
    [
      'services.gitops.settings.onFailure = [ "tell.service" ];',
      'services.gitops.onFailure = [ "tell.service" ]; services.gitops.settings.onFailure = [ ];',
      "services.gitops.settings.onFailure = null;",
    ].map((settings) => `services.gitops.enable = true; ${settings}`),
    'config.systemd.units."gitops-sync-died.service".text or null',
  );
  assertStringIncludes(String(texts[0]), " tell.service");
  assertEquals(texts.slice(1), [null, null]);
});

test("names of units that are none are errors of our options", async () => {
  for (const name of ["tell me.service", "tell", "tell.exe"]) {
    for (const option of ["onFailure", "onRecovered", "onSuccess"]) {
      const error = await errorOf(
        `text = toString (hostWith { services.gitops.enable = true;
          services.gitops.${option} = [ "${name}" ]; }).config.services.gitops.settings.${option};`,
        "text",
      );
      assertStringIncludes(error, `services.gitops.${option}`);
    }
  }
});

test("specifiers in names of units are those of our service", async () => {
  const [names] = await forEach(
    [
      `services.gitops.enable = true;
      services.gitops.onSuccess = [ "tell@%n.service" "done-%p.target" ];`,
    ],
    "config.services.gitops.settings.onSuccess",
  );
  assertEquals(names, [
    "tell@gitops-sync.service.service",
    "done-gitops-sync.target",
  ]);
});

test("the module is for NixOS, and says where it comes from", async () => {
  const error = await errorOf(
    `config = (lib.evalModules {
      class = "darwin";
      modules = [ gitops.nixosModules.gitops ];
    }).config;`,
    "config",
  );
  assertStringIncludes(error, "/flake.nix#nixosModules.gitops");
  assertStringIncludes(error, 'expects class "darwin"');
});

test("a platform without a package is told, and what to write", async () => {
  const error = await errorOf(
    `package = "\${(lib.nixosSystem {
      system = "riscv64-linux";
      modules = [ gitops.nixosModules.gitops ];
    }).config.services.gitops.package}";`,
    "package",
  );
  for (
    const part of [
      "gitops-sync has no package for riscv64-linux, only for x86_64-linux",
      "services.gitops.package = pkgs.callPackage",
    ]
  ) assertStringIncludes(error, part);
});

test("apps say what they are", async () => {
  const { description } = JSON.parse(
    await world.output([
      "nix",
      "eval",
      "--json",
      ...flake.at("apps.x86_64-linux.default.meta"),
    ]),
  );
  assert(description.length > 10, description);
});
