import { assertEquals, assertStringIncludes } from "@std/assert";
import { blocks, placeOf } from "../docs/blocks.ts";
import { Flake } from "../nix/flake.ts";
import type { Ended } from "../world/program.ts";
import { output } from "../world/program.ts";
import { gitEnvironment } from "../world/repository.ts";
import { names } from "./github.ts";
import { letIsolate } from "./isolation.ts";
import { Machine } from "./machine.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`the quick start is not tested here: ${refusal}`);

/** What NixOS has, and its stand-in lacks. */
const configuration = (commands: string) =>
  `{
  system.extraSystemBuilderCmds = ${
    JSON.stringify(commands).replaceAll("${", "\\${")
  };
  system.stateVersion = "25.05";
}
`;

/** Makes the system one that can be switched to (tests/system). */
const systemCommands = (script: string) => `
mkdir -p $out/bin $out/stand-in/units
cat >$out/bin/switch-to-configuration <<'SCRIPT'
${script}SCRIPT
chmod +x $out/bin/switch-to-configuration
ln -s bin/switch-to-configuration $out/init
for part in kernel initrd kernel-modules; do echo 6.12 >$out/$part; done
for unit in $out/etc/systemd/system/*.*; do
  [ ! -f "$unit" ] || { mv "$unit" $out/stand-in/units/; ln -s "$out/stand-in/units/\${unit##*/}" "$unit"; }
done
cd $out/stand-in
touch secrets services user-activation pre-switch-checks
cat >settings <<'END'
host=demo key_file=/etc/ssh/age.key bootloader=works hang=0 hang_after=0 errno=0
release= dry_words= exit_test=0 exit_boot=0 exit_switch=0
END
cat >activation <<END
cp -r $out/etc/gitops-sync /etc/
while read -r user; do
  id "\\$user" >/dev/null 2>&1 || useradd --system --user-group "\\$user"
done <$out/etc/users
cp $out/etc/tmpfiles.d/* /etc/tmpfiles.d/
systemd-tmpfiles --create /etc/tmpfiles.d/00-nixos.conf
END
`;

/**
 * What the real nixos-rebuild does beside building. It is no file: gitops-sync
 * would take that for the one that builds.
 */
const nixosRebuild = `nixos-rebuild() {
  [ "$1 $2" = "switch --flake" ]
  local flake folder
  flake=$(cd "\${3%%#*}" && pwd)#\${3#*#}
  folder=$(mktemp -d)
  (cd "$folder" && command nixos-rebuild build --flake "$flake")
  nix-env --profile /nix/var/nix/profiles/system --set "$(readlink -f "$folder/result")"
  /nix/var/nix/profiles/system/bin/switch-to-configuration switch
}
`;

const program = (text: string) => ({ text, mode: 0o755 });

/** A person at a shell of the machine: the folder stays from line to line. */
class Person {
  #folder = "/root";

  constructor(readonly machine: Machine) {}

  async types(lines: string): Promise<Ended> {
    const script =
      `${nixosRebuild}cd ${this.#folder}\n${lines}\npwd >/run/folder`;
    const ended = await this.machine.run(["bash", "-euc", script], {
      env: {
        ...gitEnvironment,
        PATH:
          "/root/.nix-profile/bin:/run/current-system/sw/bin:/usr/local/sbin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
      },
      timeout: 300_000,
    });
    this.#folder = this.machine.read("/run/folder")?.trim() ?? this.#folder;
    return ended;
  }

  /** What must work; gives all that it wrote. */
  async does(lines: string, place = lines): Promise<string> {
    const { code, stdout, stderr } = await this.types(lines);
    assertEquals(code, 0, `${place}:\n${lines}\n${stdout}${stderr}`);
    return `${stdout}${stderr}`;
  }
}

/** Puts a folder into a repository of the stand-in for GitHub. */
async function publish(from: string, bare: string): Promise<void> {
  await output([
    "git",
    "init",
    "--quiet",
    "--bare",
    "--initial-branch=main",
    bare,
  ]);
  const git = (...words: string[]) =>
    output(["git", `--git-dir=${bare}`, `--work-tree=${from}`, ...words], {
      env: { ...Deno.env.toObject(), ...gitEnvironment },
    });
  await git("checkout", "--quiet", "--orphan", "main");
  await git("add", "--all", "--force");
  await git("commit", "--quiet", "--message", "All of it");
}

/** A machine with nothing of ours, and GitHub within its reach. */
async function prepare(machine: Machine): Promise<Person> {
  const hub = `${machine.folder}/hub`;
  const copy = `${machine.shared}/flake`;
  await Flake.copy(machine, copy, "/srv/flake");
  // It pins the real nixpkgs.
  await Deno.remove(`${copy}/gitops-sync/flake.lock`);
  await publish(`${copy}/gitops-sync`, `${hub}/yourname/gitops-sync.git`);
  await publish(`${copy}/nixpkgs`, `${hub}/NixOS/nixpkgs.git`);
  await publish(`${copy}/sops-nix`, `${hub}/Mic92/sops-nix.git`);
  const infra = `${hub}/myorg/infra.git`;
  await output(["git", "init", "--quiet", "--bare", infra]);
  await output(["git", "-C", infra, "config", "http.receivepack", "true"]);
  machine.startOutside(
    [Deno.execPath(), "run", "-A", `${import.meta.dirname}/github.ts`, hub],
    { timeout: 600_000 },
  ).ended.catch(() => {});
  const script = await Deno.readTextFile(
    `${import.meta.dirname}/../system/switch-to-configuration.sh`,
  );
  const files = {
    "/etc/nixos/configuration.nix": {
      text: configuration(systemCommands(script)),
      mode: 0o644,
    },
    "/usr/local/sbin/sudo": program('#!/bin/sh\nexec "$@"\n'),
    "/etc/hosts": {
      text: `127.0.0.1 localhost\n10.23.0.1 ${names.join(" ")}\n`,
      mode: 0o644,
    },
  };
  for (const [path, { text, mode }] of Object.entries(files)) {
    machine.write(path, text);
    Deno.chmodSync(machine.path(path), mode);
  }
  while (true) {
    try {
      const cert = await Deno.readTextFile(`${hub}/ca.pem`);
      await machine.output(
        ["sh", "-c", "cat >>/etc/ssl/certs/ca-certificates.crt"],
        { input: cert },
      );
      break;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return new Person(machine);
}

/** The commands that init prints at its end. */
const nextIn = (text: string) =>
  text.slice(text.indexOf("Run these commands next, in this order:")).split(
    "\n",
  ).slice(1)
    .filter((line) => line.startsWith("  ")).map((line) => line.trim());

/** Lets the service run until it has deployed the last commit. */
async function isDeployed(person: Person): Promise<void> {
  const head = (await person.does("git rev-parse HEAD")).trim();
  const end = Date.now() + 300_000;
  while (person.machine.state()?.lastGood?.revision !== head) {
    // What the timer has started may be at work, or may have found that
    // doctor was.
    await person.types("systemctl start gitops-sync.service");
    if (Date.now() > end) {
      throw new Error(await person.does("journalctl --unit=gitops-sync"));
    }
  }
}

const push = "git commit --all --message 'A change' && git push";

/** What the text of the page says before or after a block. */
const around: readonly {
  block: RegExp;
  before?: (person: Person) => Promise<unknown>;
  after?: (person: Person, said: string) => Promise<unknown>;
}[] = [
  {
    block: /gitops-sync init/,
    after: async (person, said) => {
      const next = nextIn(said);
      assertEquals(next.length, 3, said);
      for (const line of next.slice(0, 2)) await person.does(line);
      await isDeployed(person);
      // It would find the first run at work before.
      await person.does(next[2]!);
    },
  },
  {
    block: /gitops-sync status/,
    after: (_, said) =>
      Promise.resolve(assertStringIncludes(said, "in sync with main")),
  },
  {
    block: /gitops-sync plan/,
    before: (person) =>
      person.does(
        "sed -i '$i systemd.services.hello.serviceConfig.ExecStart = \"/bin/sleep 600\";' hosts/demo.nix",
      ),
    after: (person, said) => {
      assertStringIncludes(said, "new      hello");
      return person.does(push);
    },
  },
  {
    block: /gitops-sync sync/,
    // It would refuse to go on beside a run that the timer starts just then.
    before: (person) => person.does("systemctl stop gitops-sync.timer"),
    after: async (person, said) => {
      assertStringIncludes(said, "Deployed");
      await isDeployed(person);
    },
  },
];

Deno.test({
  name: "whoever follows the quick start word for word has a host that follows",
  ignore: refusal !== null,
  fn: async () => {
    await using machine = await Machine.boot();
    await letIsolate(machine);
    const person = await prepare(machine);
    const typed = blocks("docs/quickstart.md")
      .filter(({ language }) => language === "sh");
    const seen = new Set<unknown>();
    for (const block of typed) {
      const steps = around.filter((one) => one.block.test(block.text));
      for (const { before } of steps) await before?.(person);
      const said = await person.does(block.text, placeOf(block));
      for (const { after } of steps) await after?.(person, said);
      for (const step of steps) seen.add(step);
    }
    assertEquals(seen.size, around.length, "the page lacks a step");
  },
});
