import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { notesOf, withRelease } from "../../nix/release.ts";
import { output, run } from "../world/program.ts";
import { World } from "../world/world.ts";
import { Flake } from "./flake.ts";

const refusal = await World.refusal();
if (refusal) console.log(`a release is not tested here: ${refusal}`);

const changelog = `# Changelog

## Unreleased

### Added

- A thing.

### Changed

- \`keep\` is 7 by default.

## 0.1.0 - 2026-01-01

### Added

- All.
`;

Deno.test("what is unreleased comes under the version, with a note for who upgrades", () => {
  const { text, section } = withRelease(changelog, "0.2.0", "2026-02-03");
  assertEquals(
    text,
    changelog.replace(
      "## Unreleased\n",
      "## Unreleased\n\n## 0.2.0 - 2026-02-03\n",
    ),
  );
  assert(section.startsWith("### Added") && !section.includes("All."), section);
  const notes = notesOf("0.2.0", section, "git+file:///x\n└───packages");
  assertStringIncludes(
    notes,
    "read these changes:\n\n#### Changed\n\n- `keep` is 7 by default.\n",
  );
  assertStringIncludes(notes, "\n    └───packages\n");
  assert(!notesOf("1.0.0", "### Added\n\n- A.", "").includes("read these"));
});

Deno.test({
  name: "one command makes a release",
  ignore: refusal !== null,
  fn: async () => {
    await using world = await World.make();
    const copy = `${world.folder}/copy`;
    const flake = await Flake.copy(world, copy, copy);
    const folder = flake.folder;
    const git = (...args: string[]) =>
      output([
        "git",
        ...["-c", "user.name=Ada", "-c", "user.email=ada@example.org"],
        ...args,
      ], { cwd: folder });
    // The copy is without its tests, and the command needs some.
    const tests = join(import.meta.dirname!, "..");
    await output(["cp", "-r", tests, `${folder}/tests`]);
    await git("init", "--quiet");
    await git("config", "user.name", "Ada");
    await git("config", "user.email", "ada@example.org");
    await Deno.writeTextFile(`${folder}/CHANGELOG.md`, changelog);
    await git("add", "--all");
    await git("commit", "--quiet", "--message", "All");
    // Not inside: the release makes a world of its own.
    const release = (...args: string[]) =>
      run([Deno.execPath(), "run", "-A", "nix/release.ts", ...args], {
        cwd: folder,
        env: {
          HOME: world.path("/home"),
          NIX_CONFIG:
            "experimental-features = nix-command flakes\nbuild-users-group =",
        },
      });
    for (const wrong of [[], ["next"], ["0.1.0"]]) {
      const { code, stderr } = await release(...wrong);
      assertEquals(code, 2, stderr);
      assertStringIncludes(stderr, "\nhint: ");
    }
    assertEquals(await git("status", "--porcelain"), "", "nothing was begun");
    const ended = await release(
      "0.2.0",
      ...flake.flags,
      // And nothing comes into the store of this machine.
      "--store",
      `${world.folder}/shown`,
    );
    assertEquals(ended.code, 0, ended.stderr);
    const tag = await git("tag", "--list", "--format=%(contents)", "v0.2.0");
    assertStringIncludes(tag, "read these changes:");
    assertStringIncludes(tag, "nixosModules");
    const { version } = JSON.parse(
      await Deno.readTextFile(`${folder}/deno.json`),
    );
    assertEquals(version, "0.2.0");
    const kept = await git("ls-files", "tests/upgrade/0.2.0/state");
    assertStringIncludes(kept, "state.json");
    assertEquals(await git("status", "--porcelain"), "");
  },
});
