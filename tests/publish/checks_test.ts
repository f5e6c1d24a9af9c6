/**
 * The steps of the CI kits that set a job up, and those that check a change: the
 * flake's inputs are stand-ins with the programs of this machine.
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { unboundGitopsSync } from "../world/gitops_sync.ts";
import { World } from "../world/world.ts";
import { Publisher } from "./setting.ts";
import { gitlabJobs, type Job, workflowsOf } from "./workflows.ts";

const refusal = await World.refusal();
if (refusal) console.log(`no step of a workflow is run here: ${refusal}`);

/** As the workflows have it; Nix asks no server for names of flakes. */
async function nixConfig(world: World): Promise<Record<string, string>> {
  const registry = `${world.folder}/registry.json`;
  await Deno.writeTextFile(registry, '{"flakes": [], "version": 2}\n');
  return {
    NIX_CONFIG:
      `experimental-features = nix-command flakes\nflake-registry = ${registry}`,
  };
}

/** A flake whose packages are programs that do the same as commands. */
async function standIn(
  world: World,
  name: string,
  commands: Readonly<Record<string, readonly string[]>>,
): Promise<string> {
  const folder = `${world.folder}/${name}`;
  await Deno.mkdir(folder);
  const packages = Object.entries(commands).map(([program, argv]) => {
    const script = `#!/bin/sh\nexec ${argv.join(" ")} "$@"\n`;
    return `${program} = derivation {
      name = "${program}";
      system = "${Deno.build.arch}-linux";
      builder = "/bin/sh";
      PATH = "/usr/bin:/bin";
      args = [ "-ec" "mkdir -p $out/bin; cp \${builtins.toFile "script" ${
      JSON.stringify(script).replaceAll("$", "\\$")
    }} $out/bin/${program}; chmod 755 $out/bin/${program}" ];
    };`;
  });
  await Deno.writeTextFile(
    `${folder}/flake.nix`,
    `{ outputs = _: { legacyPackages.${Deno.build.arch}-linux = {
${packages.join("\n")}
}; }; }\n`,
  );
  const git = ["git", "-C", folder];
  await world.output([...git, "init", "--quiet"]);
  await world.output([...git, "add", "flake.nix"]);
  await world.output([...git, "commit", "--quiet", "-m", name]);
  return `git+file://${folder}`;
}

/** Where each program is here. */
async function here(world: World, ...programs: string[]) {
  const found = programs.map(async (program) => [
    program,
    [await world.output(["sh", "-c", `command -v ${program}`])],
  ]);
  return Object.fromEntries(await Promise.all(found));
}

/** Who may read the secrets files. */
const rules = (key: string) =>
  `creation_rules:\n  - path_regex: .*\\.yaml\n    age: ${key}\n`;

/** A repository as the kits want it: with inputs, and rules for secrets. */
async function withInputs(publisher: Publisher): Promise<void> {
  const { world, repository } = publisher;
  const gitops = await standIn(world, "gitops", {
    "gitops-sync": unboundGitopsSync,
  });
  const nixpkgs = await standIn(
    world,
    "nixpkgs",
    await here(world, "jq", "curl", "git"),
  );
  const key = await world.makeKey(`${world.folder}/demo.key`);
  const flake = await Deno.readTextFile(`${repository.folder}/flake.nix`);
  await repository.commit("Inputs", {
    files: {
      "flake.nix": flake.replace(
        "outputs =",
        `inputs.gitops.url = "${gitops}";
  inputs.nixpkgs.url = "${nixpkgs}";
  outputs =`,
      ).replace("{ self }:", "{ self, ... }:"),
      ".sops.yaml": rules(key),
      "secrets.yaml": await world.encrypt(key, "password: hunter2\n"),
    },
  });
  await world.output(["nix", "flake", "lock"], { cwd: repository.folder });
  await repository.publish("Lock");
}

/** Runs steps as a runner does: a shell each, and PATH grows between them. */
async function runSteps(
  { world }: Publisher,
  job: Job,
  names: readonly string[],
  cwd: string,
  env: Record<string, string>,
) {
  const added = `${world.folder}/github-path`;
  await Deno.writeTextFile(added, "");
  let ended = { code: 0, stdout: "", stderr: "" };
  for (const { name = "", run } of job.steps) {
    if (run === undefined || !names.includes(name)) continue;
    const more = (await Deno.readTextFile(added)).trim().split("\n").reverse();
    ended = await world.run(
      ["bash", "-e", "-o", "pipefail", "-c", withPath(more, run)],
      { cwd, env: { ...env, ...await nixConfig(world), GITHUB_PATH: added } },
    );
    if (ended.code !== 0) break;
  }
  return ended;
}

const withPath = (more: readonly string[], script: string) =>
  `PATH=${more.filter((one) => one !== "").join(":")}:$PATH\n${script}`;

const forges = ["github", "forgejo"] as const;

const setUp = ["Checkout", "Tools", "Base"];

Deno.test({
  name: "each job of each forge is set up",
  ignore: refusal !== null,
  fn: async () => {
    await using publisher = await Publisher.make({ demo: {} });
    const { world, repository } = publisher;
    await withInputs(publisher);
    const commit = await repository.head();
    const done = new Set<string>();
    for (const forge of forges) {
      for (const [name, { jobs }] of Object.entries(workflowsOf(forge))) {
        for (const [id, job] of Object.entries(jobs)) {
          const steps = job.steps.filter(({ name = "", run }) =>
            run !== undefined && setUp.includes(name)
          );
          const key = JSON.stringify(steps.map(({ run }) => run));
          if (steps.length === 0 || done.has(key)) continue;
          done.add(key);
          // What an action has checked out at GitHub is a clone here.
          const cwd = `${world.folder}/${forge}-${name}-${id}`;
          const clone = ["git", "clone", "--quiet", repository.bare, cwd];
          if (forge === "github") await world.output(clone);
          else await Deno.mkdir(cwd);
          const ended = await runSteps(publisher, job, setUp, cwd, {
            COMMIT: commit,
            TOKEN: "t",
            REPOSITORY: `file://${repository.bare}`,
          });
          assertEquals(ended.code, 0, `${cwd}: ${ended.stderr}`);
          const head = ["git", "-C", cwd, "rev-parse", "HEAD"];
          assertEquals(await world.output(head), commit);
          await findsTools(publisher, cwd, forge === "forgejo");
        }
      }
    }
    assertEquals(done.size > forges.length, true, `${done.size} set-ups`);
  },
});

/** The tools of later steps are those of the inputs. */
async function findsTools(
  { world }: Publisher,
  cwd: string,
  hasAll: boolean,
): Promise<void> {
  const path = await Deno.readTextFile(`${world.folder}/github-path`);
  const programs = ["gitops-sync", ...hasAll ? ["jq", "curl", "git"] : []];
  for (const program of programs) {
    const find = withPath([path.trim()], `command -v ${program}`);
    const found = await world.output(["bash", "-c", find], { cwd });
    assertStringIncludes(found, `/nix/store/`);
  }
}

Deno.test({
  name: "the shell that checks lets a good change through, and no bad one",
  ignore: refusal !== null,
  fn: async () => {
    await using publisher = await Publisher.make({ demo: {} });
    const { world, repository } = publisher;
    await withInputs(publisher);
    const good = await repository.head();
    const names = ["Tools", "Flake", "Secrets"];
    const gitlab = gitlabJobs();
    const lines = [
      ...gitlab["default"]!.before_script!,
      ...gitlab["check"]!.script!,
    ];
    const checks = [
      ...forges.map((forge) => () =>
        runSteps(
          publisher,
          workflowsOf(forge)["check"]!.jobs["check"]!,
          names,
          repository.folder,
          {},
        )
      ),
      async () =>
        await world.run([
          "bash",
          "-e",
          "-o",
          "pipefail",
          "-c",
          lines.join("\n"),
        ], {
          cwd: repository.folder,
          env: await nixConfig(world),
        }),
    ];
    const expect = async (isGood: boolean, word: string) => {
      for (const check of checks) {
        const { code, stdout, stderr } = await check();
        assertEquals(code === 0, isGood, `${stdout}${stderr}`);
        assertStringIncludes(`${stdout}${stderr}`, word);
      }
    };
    await expect(true, "secrets.yaml");
    await Deno.writeTextFile(
      `${repository.folder}/host.json`,
      '{"hosts": [\n',
    );
    await expect(false, "parse error");
    await repository.git("reset", "--quiet", "--hard", good);
    // A host is new, and the file was not encrypted again.
    const other = await world.makeKey(`${world.folder}/other.key`);
    await repository.commit("Other", { files: { ".sops.yaml": rules(other) } });
    await expect(false, "secrets.yaml");
  },
});
