/**
 * What hosts keep of a version of the program: a story that fills the state
 * folder, and the files that are kept of it as `tests/upgrade/VERSION`. Each
 * later version must read them (upgrade_test.ts).
 *
 *     deno run -A tests/upgrade/story.ts VERSION    writes them
 *
 * @module
 */
import { join } from "node:path";
import { makeRepository, type Repository } from "../world/repository.ts";
import { World } from "../world/world.ts";

/** The state folder of every world. */
export const stateFolder = "/var/lib/gitops-sync";

/** The files of the state folder that later versions read. */
export const stateFiles = [
  "state.json",
  "history.jsonl",
  "suspended.json",
  "lock",
] as const;

/** The repository's URL in every story: it stands in the state. */
export const url = "file:///run/infra.git";

/** Where a version's configuration is put. */
const config = "/etc/gitops-sync/of-version.yaml";

/** What is asked with `--json`, by the name of the file that keeps the answer. */
export const questions: Readonly<Record<string, readonly string[]>> = {
  "status.json": ["status", "--json"],
  "history.json": ["history", "--json"],
  "suspend.json": ["suspend", "--reason", "a disk is moved", "--json"],
  "sync.json": ["sync", "--json"],
  "config-check.json": ["config", "check", `--config=${config}`, "--json"],
};

/** Asks all of them, in a host with a version's configuration; gives the texts. */
export async function answers(
  world: World,
  version: string,
): Promise<Map<string, string>> {
  const text = await Deno.readTextFile(`${folderOf(version)}/config.yaml`);
  world.write(config, text);
  const found = new Map<string, string>();
  for (const [name, args] of Object.entries(questions)) {
    found.set(name, (await world.sync(...args)).stdout);
  }
  return found;
}

/** A world with an empty repository at the URL. */
export async function makeHost(world: World): Promise<Repository> {
  const repository = await makeRepository(`${world.folder}/infra`);
  await Deno.symlink(repository.bare, world.path("/run/infra.git"));
  world.configure(repository, { repository: url });
  return repository;
}

/** The folder of a version's files. */
export const folderOf = (version: string) =>
  join(import.meta.dirname!, version);

/**
 * A host with a good system, one before it, and a revision that is held; the
 * questions suspend it.
 */
async function live(world: World): Promise<void> {
  const repository = await makeHost(world);
  const sync = async (code: number, ...args: string[]) => {
    const ended = await world.sync(...args);
    if (ended.code !== code) throw new Error(ended.stdout + ended.stderr);
  };
  await repository.publish("The first system");
  await sync(0);
  await repository.publish("The second system", {
    knobs: { greeting: "hello" },
  });
  await sync(0);
  await sync(0);
  await repository.publish("A system that fails", {
    knobs: { build: "exit 1" },
  });
  await sync(6);
}

/** Writes what a version keeps and answers. */
async function write(version: string): Promise<void> {
  await using world = await World.make();
  await live(world);
  const folder = folderOf(version);
  await Deno.mkdir(`${folder}/state`, { recursive: true });
  for (const [name, answer] of await answers(world, version)) {
    await Deno.writeTextFile(`${folder}/${name}`, answer);
  }
  for (const name of stateFiles) {
    const text = world.read(`${stateFolder}/${name}`);
    if (text !== null) {
      await Deno.writeTextFile(`${folder}/state/${name}`, text);
    }
  }
  const options = join(import.meta.dirname!, "..", "..", "nix", "options.json");
  await Deno.copyFile(options, `${folder}/options.json`);
}

if (import.meta.main) await write(Deno.args[0]!);
