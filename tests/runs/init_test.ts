import { assert, assertEquals, assertMatch } from "@std/assert";
import { setIn } from "../../lib/init/found.ts";
import { Flake } from "../nix/flake.ts";
import type { Ended } from "../world/program.ts";
import type { World } from "../world/world.ts";
import { says, test } from "./setting.ts";

/** A host as nixos-generate-config and its admin left it. */
const modules = {
  "configuration.nix": `{
  imports = [ ./hardware-configuration.nix ./people/ada.nix ];
  networking.hostName = "web";
  system.autoUpgrade.enable = true;
  # services.comin is no longer here
  users.groups.staff.wirelessPassword = "sesame-in-the-open";
  system.stateVersion = "24.11";
}
`,
  "hardware-configuration.nix": `{ users.users.disk = { }; }\n`,
  "people/ada.nix": `{ users.users.ada = { }; }\n`,
  "notes.txt": "a note\n",
  "flake.nix": "{ outputs = _: { }; }\n",
};

/** As the real one switches, as far as these tests look at it. */
const nixosRebuild = `#!/bin/sh
set -eu
[ "$1" = switch ] || exec "$REAL" "$@"
shift
folder=$(mktemp -d)
here=$PWD
flake=$2
case $flake in .*) flake=$here/\${flake#./} ;; esac
cd "$folder"
"$REAL" build --flake "$flake" >&2
system=$(readlink -f result)
mkdir -p /nix/var/nix/profiles
ln -sfn "$system" /nix/var/nix/profiles/system
ln -sfn "$system" /run/current-system
cp -r "$system/etc/gitops-sync/." /etc/gitops-sync/
`;

interface Place {
  infra: string;
  env: Record<string, string>;
  admin: string;
  inputs: string[];
  /** Runs shell words as a person does. */
  type: (line: string, cwd?: string) => Promise<Ended>;
}

async function place(world: World): Promise<Place> {
  const outside = `${world.folder}/flake`;
  const flake = await Flake.copy(world, outside, outside);
  const home = `${world.folder}/me`;
  const bin = `${world.folder}/bin`;
  for (const [path, text] of Object.entries(modules)) {
    const file = `${world.folder}/nixos/${path}`;
    Deno.mkdirSync(file.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(file, text);
  }
  Deno.mkdirSync(bin);
  Deno.mkdirSync(`${world.folder}/infra`);
  Deno.writeTextFileSync(`${bin}/nixos-rebuild`, nixosRebuild, { mode: 0o755 });
  const path = (await world.output(["sh", "-c", "echo $PATH"])).trim();
  const env = {
    HOME: home,
    REAL: `${import.meta.dirname}/../world/bin/nixos-rebuild`,
    PATH: `${bin}:${path}`,
  };
  const type = (line: string, cwd = `${world.folder}/infra`) =>
    world.run(["bash", "-euo", "pipefail", "-c", line], { cwd, env });
  const key = `${home}/.config/sops/age/keys.txt`;
  await type(`mkdir -p ${key.replace(/\/[^/]*$/, "")}; age-keygen -o ${key}`);
  const admin = (await type(`age-keygen -y ${key}`)).stdout.trim();
  await type(`git init --quiet --bare ${world.folder}/infra.git`);
  const inputs = [
    ...["--nixpkgs", `path:${flake.nixpkgs}`],
    ...["--gitops-sync", `path:${flake.folder}`],
    ...["--sops-nix", `path:${flake.sopsNix}`],
  ];
  return { infra: `${world.folder}/infra`, env, admin, inputs, type };
}

/** The commands that `init` prints last. */
const commandsIn = (text: string) =>
  text.slice(text.indexOf("Run these commands next, in this order:")).split(
    "\n",
  ).slice(1)
    .filter((line) => line.startsWith("  ")).map((line) => line.trim());

const filesIn = async ({ type }: Place) =>
  (await type("find . -type f -not -path './.git/*' | sort")).stdout.trim()
    .split("\n").map((line) => line.slice(2));

test("what init prints makes a host follow, word for word", async (world) => {
  const here = await place(world);
  const { type, infra, admin, inputs } = here;
  const url = `file://${world.folder}/infra.git`;
  const made = await type(
    `gitops-sync init --yes --repository ${url} --from ../nixos ${
      inputs.join(" ")
    }`,
  );
  const host = Deno.hostname();
  assertEquals(made.code, 0, made.stderr);
  assertEquals(
    await filesIn(here),
    [
      ".sops.yaml",
      "flake.lock",
      "flake.nix",
      `hosts/${host}.nix`,
      `hosts/${host}/configuration.nix`,
      `hosts/${host}/hardware-configuration.nix`,
      `hosts/${host}/people/ada.nix`,
      `secrets/${host}.yaml`,
    ].toSorted(),
  );
  says(
    made.stdout,
    `hosts/${host}/configuration.nix:4: system.autoUpgrade also switches this host`,
    `hosts/${host}/configuration.nix:6: this looks like a secret`,
    "notes.txt",
    "nixos/flake.nix is not copied",
    "Wrote /etc/ssh/age.key",
  );
  assert(!made.stdout.includes("sesame-in-the-open"));
  assert(!made.stdout.includes("comin"), "a comment switches nothing");

  // Both keys open the first secret.
  for (
    const key of [
      "/etc/ssh/age.key",
      `${world.folder}/me/.config/sops/age/keys.txt`,
    ]
  ) {
    const opened = await type(
      `HOME=/none SOPS_AGE_KEY_FILE="${key}" sops decrypt secrets/${host}.yaml`,
    );
    assertMatch(opened.stdout, /^example: [0-9a-f-]{36}$/m, opened.stderr);
  }
  const rules = Deno.readTextFileSync(`${infra}/.sops.yaml`);
  says(rules, admin, "&admin", `*${host}`);

  // As the remark says.
  await type(
    `sed -i '/autoUpgrade/d; /Password/d' hosts/${host}/configuration.nix`,
  );
  const commands = commandsIn(made.stdout);
  assertEquals(commands.length, 3, made.stdout);
  for (const line of commands.slice(0, 2)) {
    const ended = await type(line);
    assertEquals(ended.code, 0, `${line}\n${ended.stdout}${ended.stderr}`);
  }
  const config = JSON.parse(world.read("/etc/gitops-sync/config.yaml")!);
  assertEquals([config.repository, config.ref, config.host], [
    ...[url, "main", host],
  ]);
  // The host keeps its users.
  const users = world.read(`${world.running()}/etc/users`);
  says(users!, "disk", "ada");

  // The last one finds all well but what a world has not.
  const last = await type(`${commands[2]} --json`);
  const { checks } = JSON.parse(last.stdout);
  const bad = checks.filter((one: { state: string }) => one.state === "problem")
    .map((one: { name: string }) => one.name);
  // A world has no systemd, and the inputs of this flake are folders of it.
  assertEquals(bad, ["systemd", "host"], last.stdout);
  says(last.stdout, "is a path of this host");
  const secrets = checks.find((one: { name: string }) =>
    one.name === "secrets"
  );
  assertEquals(secrets.text, "1 file can be decrypted");
  // Nothing was there to be committed beside what init names.
  const status = await type("git status --porcelain");
  assertEquals(status.stdout, "");
});

test("init overwrites nothing, and writes all or nothing", async (world) => {
  const here = await place(world);
  const { type, infra, admin } = here;
  const key = (await type("age-keygen 2>/dev/null")).stdout
    .match(/public key: (age1\S+)/)![1]!;
  await type("git init --quiet && git remote add origin ssh://git@h/infra.git");
  const init =
    `gitops-sync init --host db --host-key ${key} --nixpkgs path:/nowhere`;

  // A file in the way of the last one: none is left.
  Deno.writeTextFileSync(`${infra}/hosts`, "mine");
  const refused = await type(init);
  assertEquals(refused.code, 2, refused.stdout);
  assertEquals(await filesIn(here), ["hosts"]);
  Deno.removeSync(`${infra}/hosts`);

  // The inputs can't be reached: it says what to type.
  const alone = await type(init);
  assertEquals(alone.code, 0, alone.stderr);
  assertMatch(
    commandsIn(alone.stdout)[0]!,
    /nix .* flake lock path:\. && git add/,
  );
  says(alone.stdout, "The inputs are not pinned yet", "no boot loader");
  // Nothing says what kind of machine another host is.
  says(
    alone.stdout,
    `the system of db is set to ${Deno.build.arch}-linux`,
    "--system",
  );
  says(commandsIn(alone.stdout)[1]!, "--target-host root@db");
  const before = await filesIn(here);
  assert(!before.includes("flake.lock"));

  const again = await type(init);
  assertEquals(again.code, 2);
  says(again.stderr, "hosts/db.nix already exists");

  // A second host: what is there stays, and the rest is said.
  const text = (path: string) => Deno.readTextFileSync(`${infra}/${path}`);
  const kept = ["flake.nix", ".sops.yaml", "hosts/db.nix"].map(text);
  const second = await type(
    `gitops-sync init --host my.web --host-key ${key} --admin-key ${admin} --system riscv64-linux`,
  );
  assertEquals(second.code, 0, second.stderr);
  assertEquals(["flake.nix", ".sops.yaml", "hosts/db.nix"].map(text), kept);
  says(
    second.stdout,
    'nixosConfigurations."my.web" = nixpkgs.lib.nixosSystem',
    'system = "riscv64-linux";',
    `gitops-sync secrets add-host my_web ${key} secrets/my.web.yaml`,
  );
  assert(!second.stdout.includes("the system of"), second.stdout);
  assertEquals(await filesIn(here), [...before, "hosts/my.web.nix"].toSorted());
});

Deno.test("the kind of a machine is what its own modules say", () => {
  const table: [text: string, platform: string | undefined][] = [
    [
      'nixpkgs.hostPlatform = lib.mkDefault "aarch64-linux";',
      "aarch64-linux",
    ],
    ['nixpkgs.hostPlatform.system = "i686-linux";', "i686-linux"],
    ['  # nixpkgs.hostPlatform = "i686-linux";', undefined],
    ['nixpkgs.buildPlatform = "x86_64-linux";', undefined],
    ["nixpkgs.hostPlatform = config.platform;", undefined],
  ];
  for (const [text, platform] of table) {
    const files = new Map([["hardware-configuration.nix", text]]);
    assertEquals(setIn(files).platform, platform, text);
  }
});

test("init says what it lacks", async (world) => {
  const { type, infra } = await place(world);
  const url = "https://git.example.org/infra.git";
  const key = `age1${"q".repeat(58)}`;
  const table: [line: string, ...parts: string[]][] = [
    ["", "expected the URL of the repository", "--repository https://"],
    [`--repository https://u:secretword@h/x`, "password"],
    [`--repository ${url} --host db`, "the public key of db", "--host-key"],
    [`--repository ${url} --host-key ssh-foo`, "--host-key: expected"],
    [`--repository ${url} --from /nowhere`, "no configuration.nix"],
    [
      `--repository ${url} --host db --host-key ${key} --system 'x86 64'`,
      "--system: expected",
    ],
    [`--repository ${url} nowhere`, "no such folder"],
    [`--repository ${url} --host 'a/b'`, "a/b", "expected"],
  ];
  for (const [line, ...parts] of table) {
    const { code, stderr } = await type(`gitops-sync init ${line} </dev/null`);
    assertEquals(code, 2, `${line}: ${stderr}`);
    says(stderr, ...parts);
    assert(!stderr.includes("secretword"), stderr);
  }
  const noKey = await type(
    `HOME=/none gitops-sync init --repository ${url} --host-key ${key}`,
  );
  assertEquals(noKey.code, 2);
  says(
    noKey.stderr,
    "your own key",
    "gitops-sync secrets keygen ~/.config/sops/age/keys.txt",
  );
  assertEquals([...Deno.readDirSync(infra)], []);
  assertEquals(world.read("/etc/ssh/age.key"), null);
});
