/** What hosts keep of an older version is read by this one (story.ts). */
import { assert, assertEquals } from "@std/assert";
import { readHistory } from "../../lib/state/history.ts";
import { readState } from "../../lib/state/state_file.ts";
import { World } from "../world/world.ts";
import {
  answers,
  folderOf,
  makeHost,
  stateFiles,
  stateFolder,
} from "./story.ts";

const versions = Array.from(Deno.readDirSync(import.meta.dirname!))
  .filter(({ isDirectory }) => isDirectory).map(({ name }) => name);

const refusal = await World.refusal();
if (refusal) console.log(`upgrades are not tested here: ${refusal}`);

/** An option as nix/options.json lists it. */
interface Option {
  name: string;
  type: string;
  choices?: string[];
  default?: unknown;
}

const top = new URL("../../", import.meta.url);
const now = optionsIn(new URL("nix/options.json", top).pathname);
const changelog = await Deno.readTextFile(new URL("CHANGELOG.md", top));

function optionsIn(path: string): Map<string, Option> {
  const list: Option[] = JSON.parse(Deno.readTextFileSync(path));
  return new Map(list.map((option) => [option.name, option]));
}

/** What the changelog says under "Changed" since a version; all, if it has none. */
function changedSince(version: string): string {
  const [since = ""] = changelog.split(`\n## ${version}`);
  return since.split(/\n(?=##)/).filter((part) =>
    part.startsWith("### Changed")
  )
    .join("\n");
}

/** Where a value lacks what another had: names and kinds, not the values. */
function* lacking(old: unknown, value: unknown, at = ""): Generator<string> {
  const kindOf = (one: unknown) =>
    one === null ? "null" : Array.isArray(one) ? "array" : typeof one;
  if (kindOf(old) !== kindOf(value)) {
    yield `${at}: ${kindOf(old)} became ${kindOf(value)}`;
  } else if (Array.isArray(old)) {
    for (const [i, one] of old.entries()) {
      yield* lacking(one, (value as unknown[])[i], `${at}[${i}]`);
    }
  } else if (kindOf(old) === "object") {
    for (const [name, one] of Object.entries(old as object)) {
      const other = (value as Record<string, unknown>)[name];
      yield* lacking(one, other, `${at}.${name}`);
    }
  }
}

for (const version of versions) {
  const folder = folderOf(version);
  const textOf = (name: string) => Deno.readTextFileSync(`${folder}/${name}`);

  Deno.test(`each option of ${version} is there, and a changed default is told`, () => {
    const changed = changedSince(version);
    for (const [name, old] of optionsIn(`${folder}/options.json`)) {
      const option = now.get(name);
      assert(option, `${name} is gone: hosts that set it don't build any more`);
      // Its NixOS option would refuse what hosts have.
      assertEquals(option.type, old.type, `${name} takes other values`);
      const gone = old.choices?.filter((one) => !option.choices?.includes(one));
      assertEquals(gone ?? [], [], `${name} no longer takes them`);
      const isSame = JSON.stringify(option.default) ===
        JSON.stringify(old.default);
      assert(
        isSame || changed.includes(`\`${name}\``),
        `the default of ${name} is another: CHANGELOG.md tells it under "Changed"`,
      );
    }
  });

  Deno.test(`the state of ${version} is read whole`, async () => {
    const state = await readState(`${folder}/state`);
    const old = JSON.parse(textOf("state/state.json"));
    assertEquals(state.lastGood, old.lastGood);
    assertEquals(state.earlier, old.earlier);
    assertEquals(state.holds, old.holds);
    assertEquals(state.last, old.last);
    assertEquals(state.followed, old.followed);
    const lines = textOf("state/history.jsonl").trim().split("\n");
    assertEquals(
      readHistory(`${folder}/state`),
      lines.map((line) => JSON.parse(line)),
    );
  });

  Deno.test({
    name: `a host of ${version} goes on, and tells what it told`,
    ignore: refusal !== null,
    fn: async () => {
      await using world = await World.make();
      const repository = await makeHost(world);
      const revision = await repository.publish("After the upgrade");
      for (const name of stateFiles) {
        world.write(`${stateFolder}/${name}`, textOf(`state/${name}`));
      }
      await world.output(["chmod", "-R", "go=", stateFolder]);
      const resumed = await world.sync("resume");
      assertEquals(resumed.code, 0, resumed.stderr);
      for (const [name, answer] of await answers(world, version)) {
        const old = JSON.parse(textOf(name));
        const value = JSON.parse(answer);
        if (name === "config-check.json") {
          const read = Object.keys(old.config).map((option) => [
            option,
            value.config[option],
          ]);
          assertEquals(Object.fromEntries(read), old.config);
        }
        // What the host runs is another matter.
        delete old.running;
        delete old.bootDefault;
        assertEquals([...lacking(old, value)], [], `${name}: ${answer}`);
      }
      await world.sync("resume");
      // Its branch has nothing of what that host had.
      const ended = await world.sync("sync", "--allow-force-push");
      assertEquals(ended.code, 0, ended.stderr);
      assertEquals(world.state()?.lastGood?.revision, revision);
      const lines = textOf("state/history.jsonl").trim().split("\n");
      assertEquals(world.history().length, lines.length + 1);
    },
  });
}
