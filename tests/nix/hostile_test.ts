import { assert, assertEquals, assertMatch } from "@std/assert";
import { letIsolate } from "../machine/isolation.ts";
import { Machine } from "../machine/machine.ts";
import {
  gitEnvironment,
  makeRepository,
  type Repository,
} from "../world/repository.ts";
import { output } from "../world/program.ts";
import type { Built } from "./build_each.ts";
import { system } from "./flake.ts";
import {
  type Attack,
  attacks,
  filesOf,
  type Prey,
  redirectPort,
} from "./hostile_revisions.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`hostile revisions are not tested here: ${refusal}`);

const names = Object.keys(attacks);

/** What a secret looks like; the number is that of its revision. */
const secret = /sesame-(\d+)-of-this-host-alone/g;

/** Gives a machine a secret for each revision, and makes the revisions. */
async function prepare(machine: Machine) {
  const hunted = await hide(machine);
  const repository = await makeRepository(`${machine.shared}/infra`);
  for (const [i, name] of names.entries()) {
    await publish(repository.folder, attacks[name]!(hunted[i]!));
  }
  await publish(repository.folder, {});
  await repository.push();
  await machine.output(["sh", "-c", mirrorScript]);
  const revisions = (await repository.git("rev-list", "--reverse", "HEAD"))
    .split("\n");
  return { repository, harmless: revisions.pop()!, revisions };
}

function configure(
  machine: Machine,
  repository: Repository,
  isolate: boolean,
  submodules = false,
): void {
  machine.configure(repository, {
    "build.isolate": isolate,
    // A repository of this host could have submodules and inputs here.
    ...isolate ? { repository: "https://example.test/infra.git" } : {},
    submodules,
    // Any store path is a system then.
    operation: "build",
    "timeouts.build": "1m",
  });
}

const mirrorScript = `
umask 077
mkdir -p /var/lib/gitops-sync/build
git clone -q --no-checkout /srv/infra.git /var/lib/gitops-sync/repo
`;

/** Hides a secret in every form that one of the attacks asks for. */
async function hide(machine: Machine): Promise<Prey[]> {
  const revisions = await machine.output(["sh", "-c", hideScript], {
    env: {
      ...gitEnvironment,
      COUNT: String(names.length),
      REPOSITORIES: ` ${names.flatMap(repositoryOf).join(" ")} `,
    },
  });
  return revisions.split("\n").map((line, i) => {
    const [revision = "", carried = ""] = line.split(" ");
    const folder = `/root/secrets/${i}`;
    return {
      folder,
      file: `${folder}/secret`,
      tarball: `${folder}.tar`,
      repository: `${folder}-repository`,
      revision,
      carrier: `http://127.0.0.1:${redirectPort}/served/${i}/.git`,
      carried,
    };
  });
}

/** The number of an attack that asks for a repository; making one takes time. */
function repositoryOf(name: string, i: number): number[] {
  let isAsked = false;
  attacks[name]!({
    ...nowhere,
    get repository() {
      isAsked = true;
      return "/";
    },
    get carrier() {
      isAsked = true;
      return "/";
    },
  });
  return isAsked ? [i] : [];
}

const nowhere: Prey = {
  folder: "/",
  file: "/",
  tarball: "/",
  repository: "/",
  revision: "",
  carrier: "/",
  carried: "",
};

/** Whether the secret of an attack is in a submodule of the revision. */
function hasSubmodule(name: string): boolean {
  return attacks[name]!(nowhere).submodule !== undefined;
}

const hideScript = `
set -eu
umask 077
mkdir /root/secrets /srv/served
# So that its inputs are fetched with credentials, which it has for nothing else.
echo "machine 127.0.0.1 login nobody password nothing" >/etc/nix/netrc
cd /root/secrets
i=0
while [ $i -lt $COUNT ]; do
  mkdir $i
  echo "\\"sesame-$i-of-this-host-alone\\"" >$i/secret
  echo "{ outputs = _: { }; } # sesame-$i-of-this-host-alone" >$i/flake.nix
  tar -cf $i.tar $i
  case $REPOSITORIES in
  *" $i "*)
    git init -q $i-repository
    cp $i/secret $i-repository
    git -C $i-repository add .
    git -C $i-repository commit -qm x
    revision=$(git -C $i-repository rev-parse HEAD)
    carrier=/srv/served/$i
    git init -q $carrier
    printf '[submodule "part"]\n\tpath = part\n\turl = file:///root/secrets/%s-repository\n' $i >$carrier/.gitmodules
    git -C $carrier add .
    git -C $carrier update-index --add --cacheinfo 160000,$revision,part
    git -C $carrier commit -qm x
    git -C $carrier update-server-info
    echo $revision $(git -C $carrier rev-parse HEAD)
    ;;
  *) echo none ;;
  esac
  i=$((i + 1))
done
`;

/** Commits the revision of an attack. */
async function publish(folder: string, attack: Attack): Promise<void> {
  const git = ["git", "-C", folder];
  await output(["sh", "-c", "rm -rf -- *"], { cwd: folder });
  for (const [path, text] of Object.entries(filesOf(attack, system))) {
    await Deno.writeTextFile(`${folder}/${path}`, text);
  }
  for (const [path, to] of Object.entries(attack.links ?? {})) {
    await Deno.remove(`${folder}/${path}`).catch(() => {});
    await Deno.symlink(to, `${folder}/${path}`);
  }
  const { submodule } = attack;
  if (submodule) {
    await Deno.writeTextFile(
      `${folder}/.gitmodules`,
      `[submodule "part"]\n\tpath = part\n\turl = ${submodule.url}\n`,
    );
  } else {
    await Deno.remove(`${folder}/.gitmodules`).catch(() => {});
  }
  await output([...git, "add", "-A"], { env: gitEnvironment });
  if (submodule) {
    const entry = `160000,${submodule.revision},part`;
    await output([...git, "update-index", "--add", "--cacheinfo", entry]);
  }
  await output([...git, "commit", "-qm", "x"], { env: gitEnvironment });
}

/** Builds each revision as the machine is configured. */
async function buildAll(
  machine: Machine,
  revisions: readonly string[],
): Promise<Built[]> {
  const text = await machine.output([
    ...["deno", "run", "--quiet", "--allow-all"],
    "/opt/gitops-sync/tests/nix/build_each.ts",
    ...revisions,
  ], { env: { REDIRECT_PORT: String(redirectPort) }, timeout: 15 * 60_000 });
  return text.split("\n").map((line) => JSON.parse(line));
}

/** The attacks whose secret is where everyone can read it. */
async function leaked(machine: Machine, built: Built[]): Promise<string[]> {
  const places = ["/nix/store", "/var/cache/gitops-sync-evaluate", "/var/log"];
  const found = await machine.run([
    ...["grep", "-rhoaE", "sesame-[0-9]+-of-this-host-alone"],
    ...places,
  ]);
  const journal = await machine.output(["journalctl", "--no-pager"]);
  const said = built.map(({ said }) => said).join("\n");
  const all = `${found.stdout}\n${journal}\n${said}`;
  const numbers = [...all.matchAll(secret)].map(([, i]) => Number(i));
  return [...new Set(numbers)].map((i) => names[i]!).sort();
}

/** Nix of this computer, which is another one than the machine's. */
async function otherNix(machine: Machine): Promise<string | null> {
  const own = await machine.output(["nix", "--version"]);
  const other = await output(["nix", "--version"]).catch(() => "");
  if (other === "" || other === own) return null;
  const nix = await output(["sh", "-c", "readlink -f $(command -v nix)"]);
  const folder = machine.path("/usr/local/lib/other-nix");
  await Deno.mkdir(folder, { recursive: true });
  await output(["cp", nix, `${folder}/nix`]);
  const needed = [...(await output(["ldd", nix])).matchAll(/(\/\S+) \(0x/g)]
    .map(([, path]) => path!);
  await output(["cp", "--dereference", ...needed, folder]);
  const loader = needed.find((path) => path.includes("/ld-linux"))!
    .replace(/.*\//, "");
  const inside = "/usr/local/lib/other-nix";
  const called = ["nix", "nix-daemon", "nix-store", "nix-instantiate"];
  for (const name of called) {
    machine.write(
      `/usr/local/bin/${name}`,
      `#!/bin/sh\nexec ${inside}/${loader} --library-path ${inside} --argv0 ${name} ${inside}/nix "$@"\n`,
    );
    await machine.output(["chmod", "755", `/usr/local/bin/${name}`]);
  }
  await machine.output(["sh", "-c", useOther]);
  return await machine.output(["nix", "--version"]);
}

const useOther = `
set -e
sed -i 's|/usr/bin/nix-daemon|/usr/local/bin/nix-daemon|' /etc/systemd/system/nix-daemon.service
systemctl daemon-reload
systemctl stop nix-daemon.service
`;

/** Back to the machine's own. */
const useOwn = `
set -e
rm /usr/local/bin/nix /usr/local/bin/nix-*
sed -i 's|/usr/local/bin/nix-daemon|/usr/bin/nix-daemon|' /etc/systemd/system/nix-daemon.service
systemctl daemon-reload
systemctl stop nix-daemon.service
`;

/** Those that succeed where root evaluates, which is what this test is for. */
const successful = [
  "fetchGit URL",
  "fetchGit path",
  "fetchGit with submodules",
  "fetchTarball",
  "fetchTree file",
  "fetchTree git",
  "fetchTree path as a URL",
  "fetchTree path, wrong hash",
  "fetchTree tarball",
  "fetchurl",
  "getFlake path",
  "getFlake repository",
  "input file, not in the lock",
  "input path that is a flake, not in the lock",
  "input path, not in the lock",
  "input repository of the host",
  "input repository, not in the lock",
  "input repository, wrong hash",
  "input tarball, not in the lock",
  "submodule of a submodule",
  "submodule of the host",
  "submodule of the host, as a path",
  "submodule of the host, without a work tree",
  "submodule through the kernel",
  "the root of the parent",
];

Deno.test({
  name: "no hostile revision brings a file of root's into the store",
  ignore: refusal !== null,
  fn: async (t) => {
    assert(names.length >= 80);
    await using machine = await Machine.boot();
    await letIsolate(machine);
    const { repository, revisions, harmless } = await prepare(machine);
    const buildIsolated = async () => {
      const built: Built[] = [];
      for (const submodules of [true, false]) {
        configure(machine, repository, true, submodules);
        const chosen = revisions.filter((_, i) =>
          hasSubmodule(names[i]!) === submodules
        );
        built.push(
          ...await buildAll(
            machine,
            submodules ? chosen : [...chosen, harmless],
          ),
        );
      }
      return built;
    };
    const isHarmless = async () => {
      const built = await buildIsolated();
      assertEquals(built.length, names.length + 1);
      assertEquals(await leaked(machine, built), []);
      // Otherwise it could be that nothing was evaluated at all.
      assertMatch(built.at(-1)!.system ?? built.at(-1)!.said, /-system$/);
    };
    // The others would only say it again, and take their time.
    if (!await t.step("isolated", isHarmless)) return;
    await t.step("isolated, with another version of Nix", async () => {
      const version = await otherNix(machine);
      if (version === null) {
        return console.log("not tested: there is no other Nix here");
      }
      console.log(`with ${version}`);
      await isHarmless();
      await machine.output(["sh", "-c", useOwn]);
    });
    await t.step(
      "all steps in one, as root: the secrets are there",
      async () => {
        configure(machine, repository, false, true);
        const tried = revisions.filter((_, i) =>
          successful.includes(names[i]!)
        );
        const built = await buildAll(machine, tried);
        const said = built.map((one) => one.said.slice(-400)).join("\n\n");
        assertEquals(await leaked(machine, built), successful, said);
      },
    );
  },
});
