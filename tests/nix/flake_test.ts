import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { makeRepository } from "../world/repository.ts";
import { World } from "../world/world.ts";
import { Flake, system } from "./flake.ts";
import { expression } from "./package.ts";

const refusal = await World.refusal();
if (refusal) console.log(`the flake is not tested here: ${refusal}`);

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

test(
  "Nix reads the pinned nixpkgs back from flake.lock",
  async () => {
    const { locks } = JSON.parse(
      await world.output(
        ["nix", "flake", "metadata", "--json", `path:${flake.folder}`],
      ),
    );
    const { locked } = locks.nodes[locks.nodes.root.inputs.nixpkgs];
    assertEquals(locked, {
      lastModified: 1790046670,
      narHash: "sha256-MYiI+CzL0tuWgRPjGsKCDHqYs2T3OzMlMQWOYWG0qso=",
      owner: "NixOS",
      repo: "nixpkgs",
      rev: "6774f7bc253789b113a4f39285dc0fa100abeacc",
      type: "github",
    });
  },
);

test(
  "nix flake check evaluates and builds all of the flake",
  async () => {
    await world.output(
      ["nix", "flake", "check", `path:${flake.folder}`, ...flake.flags],
    );
    const shown = JSON.parse(
      await world.output(
        [
          "nix",
          "flake",
          "show",
          "--json",
          `path:${flake.folder}`,
          ...flake.flags,
        ],
      ),
    );
    assertEquals(Object.keys(shown).sort(), [
      "apps",
      "checks",
      "devShells",
      "formatter",
      "nixosModules",
      "overlays",
      "packages",
      "templates",
    ]);
    for (const name of ["devShells", "formatter"]) {
      await flake.build(
        `${name}.${system}${name === "devShells" ? ".default" : ""}`,
      );
    }
  },
);

test(
  "the hash of the dependencies is the one in nix/package.nix",
  async () => {
    const dependencies = await flake.build("gitops-sync.dependencies");
    const hash = await world.output(["nix", "hash", "path", dependencies]);
    assertStringIncludes(expression, `outputHash = "${hash}";`);
  },
);

/** What an expression makes of the package `p`. */
async function ofPackage(expression: string, from = flake): Promise<unknown> {
  const shown = await world.output([
    ...["nix", "eval", "--json", ...from.at("gitops-sync")],
    ...["--apply", `p: ${expression}`],
  ]);
  return JSON.parse(shown);
}

test("the package has what nixpkgs' reviewers ask for", async () => {
  const { version } = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  for (const which of ["p", "p.dependencies"]) {
    assertEquals(
      await ofPackage(
        `{ inherit (${which}.drvAttrs) strictDeps __structuredAttrs; }`,
      ),
      { strictDeps: true, __structuredAttrs: true },
      which,
    );
  }
  assertEquals(
    await ofPackage("[ p.name p.dependencies.name p.updateScript ]"),
    [`gitops-sync-${version}`, `gitops-sync-dependencies-${version}`, [
      ...["nix-update", "--subpackage", "dependencies"],
    ]],
  );
  assertEquals(
    await ofPackage("p.meta.platforms"),
    ["x86_64-linux", "aarch64-linux", "x86_64-darwin", "aarch64-darwin"],
    "where Deno is",
  );
  const checked = await flake.build("gitops-sync.tests.config");
  assertStringIncludes(
    await world.output(["cat", checked]),
    "https://git.example.org/infra.git",
  );
});

test("a Deno that is too old is refused, and named", async () => {
  const folder = `${world.folder}/old`;
  const old = await Flake.copy(world, folder, folder);
  const file = `${folder}/nixpkgs/tools.json`;
  const tools = JSON.parse(await Deno.readTextFile(file));
  const withVersion = (denoVersion: string) =>
    Deno.writeTextFile(file, JSON.stringify({ ...tools, denoVersion }));
  await withVersion("2.2.0");
  assertEquals(await ofPackage("p.pname", old), "gitops-sync");
  await withVersion("2.1.10");
  const error = await ofPackage("p.pname", old).then(() => "", String);
  assertStringIncludes(
    error,
    "gitops-sync needs Deno 2.2 or newer, and this nixpkgs has 2.1.10",
  );
});

/** What is written in the README of the origin; only the URLs are others. */
const overlayExample = `{
  inputs.gitops.url = "GITOPS";
  inputs.nixpkgs.url = "NIXPKGS";

  outputs = { self, nixpkgs, gitops, ... }:
    let
      system = "x86_64-linux";
      pkgs = import nixpkgs { inherit system; overlays = [ gitops.overlays.default ]; };
    in
    {
      packages.x86_64-linux.gitops-sync = pkgs.gitops-sync;
    };
}`;

test("the overlay gives pkgs.gitops-sync, the package of the flake", async () => {
  assertEquals(
    await flake.buildOf(overlayExample, "gitops-sync"),
    await flake.build("gitops-sync"),
  );
});

test(
  "nix profile install gives a program that syncs, and its completions",
  async () => {
    const profile = `${world.folder}/profile`;
    await world.output(
      [
        "nix",
        "profile",
        "install",
        "--profile",
        profile,
        ...flake.at("gitops-sync"),
      ],
    );
    const repository = await makeRepository(`${world.folder}/infra`);
    const revision = await repository.publish("A system");
    world.configure(repository, { operation: "build" });
    // Nothing but its own programs, and what it takes from the host.
    const sync = (...args: string[]) =>
      world.run([`${profile}/bin/gitops-sync`, ...args], {
        env: { HOME: "/nowhere", XDG_CACHE_HOME: "/nowhere" },
      });
    const ended = await sync("sync");
    assertEquals(ended.code, 0, ended.stderr);
    assertEquals(world.state()?.built?.revision, revision);
    // It may run what is on its list, and switching by itself is not: without
    // systemd it says so, and the host stays as it was.
    world.configure(repository, { operation: "test" });
    const refused = await sync("sync");
    assertEquals(world.running(), null);
    assertStringIncludes(
      refused.stderr,
      "may only run a fixed list of programs",
    );
    for (
      const file of [
        "bash-completion/completions/gitops-sync.bash",
        "zsh/site-functions/_gitops-sync",
        "fish/vendor_completions.d/gitops-sync.fish",
      ]
    ) {
      const text = await world.output(["cat", `${profile}/share/${file}`]);
      assertStringIncludes(text, "gitops-sync");
    }
    for (const page of ["man1/gitops-sync.1", "man5/gitops-sync.yaml.5"]) {
      const text = await world.output(
        ["gzip", "-dc", `${profile}/share/man/${page}.gz`],
      );
      assertStringIncludes(text, '.TH "GITOPS');
    }
    // What a message names is there.
    const guide = await world.run(
      [`${profile}/bin/gitops-sync`, "secrets", "edit", "x.yaml"],
      { cwd: `${world.folder}/infra` },
    );
    const named = /(\/nix\/store\/\S+secrets\.md) shows how/.exec(guide.stderr);
    assert(named, guide.stderr);
    await world.output(["test", "-s", named[1]!]);
  },
);

test(
  "the template is a host that builds as it stands",
  async () => {
    const folder = `${world.folder}/hosts`;
    await world.output(["mkdir", folder]);
    await world.output(
      ["nix", "flake", "init", "--template", `path:${flake.folder}`],
      { cwd: folder },
    );
    const inputs = [
      ["gitops", flake.folder],
      ["nixpkgs", flake.nixpkgs],
      ["sops-nix", `${import.meta.dirname}/sops-nix`],
    ].flatMap(([name, path]) => ["--override-input", name!, `path:${path}`]);
    const attribute = "nixosConfigurations.myhost.config.system.build.toplevel";
    await world.output([
      "nix",
      "build",
      `path:${folder}#${attribute}`,
      ...inputs,
      "--no-write-lock-file",
      "--out-link",
      `${folder}/result`,
    ]);
    const config = await world.output(
      ["cat", `${folder}/result/etc/gitops-sync/config.yaml`],
    );
    assertEquals(
      JSON.parse(config).repository,
      "https://git.example.org/infra.git",
    );
  },
);
