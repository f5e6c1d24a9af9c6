/**
 * What whole-run tests begin with: a world, a repository in it, and a
 * configuration that names it.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Settings } from "../world/host.ts";
import type { Ended } from "../world/program.ts";
import {
  type Change,
  makeRepository,
  type Repository,
} from "../world/repository.ts";
import { World } from "../world/world.ts";

const refusal = await World.refusal();
if (refusal) console.log(`whole runs are not tested here: ${refusal}`);

/** A test with a world of its own. */
export function test(name: string, body: (world: World) => Promise<void>) {
  Deno.test({
    name,
    ignore: refusal !== null,
    fn: async () => {
      await using world = await World.make();
      await body(world);
    },
  });
}

/** A repository with one commit, and the configuration that names it. */
export async function prepared(
  world: World,
  settings: Settings = {},
  change: Change = {},
): Promise<{ repository: Repository; revision: string }> {
  const repository = await makeRepository(`${world.folder}/infra`);
  const revision = await repository.publish("The first system", change);
  world.configure(repository, settings);
  return { repository, revision };
}

/** The same, deployed by a first run. */
export async function deployed(
  world: World,
  settings: Settings = {},
  change: Change = {},
): Promise<{ repository: Repository; revision: string; system: string }> {
  const made = await prepared(world, settings, change);
  await syncTo(world, 0);
  return { ...made, system: runs(world, made.revision) };
}

/** Runs gitops-sync and asserts its exit code; gives all that it wrote. */
export async function syncTo(
  world: World,
  code: number,
  ...args: string[]
): Promise<Ended & { text: string }> {
  const ended = await world.sync(...args);
  const text = `${ended.stdout}${ended.stderr}`;
  assertEquals(ended.code, code, text);
  return { ...ended, text };
}

/** Asserts that every one of the parts stands in the text. */
export function says(text: string, ...parts: string[]): void {
  for (const part of parts) assertStringIncludes(text, part);
}

/** Asserts that the host runs and boots this revision; gives its system. */
export function runs(world: World, revision: string): string {
  const system = world.running();
  assertEquals(revisionOf(world, system), revision, "the running system");
  assertEquals(world.bootDefault(), system, "the boot default");
  assertEquals(world.bootEntry(), system, "what the bootloader starts");
  return system!;
}

/** The revision that a system was built from. */
export function revisionOf(world: World, system: string | null): string | null {
  if (system === null) return null;
  return world.read(`${system}/configuration-revision`)?.trim() ?? null;
}

/** How the host stands: what runs, and what a reboot starts. */
export function standing(world: World): Record<string, string | null> {
  return {
    running: world.running(),
    bootDefault: world.bootDefault(),
    bootEntry: world.bootEntry(),
  };
}
