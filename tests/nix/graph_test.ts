import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { output } from "../world/program.ts";

const top = join(import.meta.dirname!, "..", "..");

/** The packaged tree, as nix/build.sh makes it. */
async function packagedTree(folder: string): Promise<void> {
  const build = join(top, "nix", "build.sh");
  const parts = ["deno.json", "gitops_sync.ts", "lib"];
  await output([
    "cp",
    "-r",
    ...parts.map((part) => join(top, part)),
    folder,
  ]);
  const packages = `${folder}/packages`;
  await output([build, "packages", packages], { cwd: folder });
  await output([build, "tree", packages], { cwd: folder });
}

/** All modules of the program, those too that it loads by a variable. */
function* modulesOf(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* modulesOf(`${folder}/${name}`);
    else if (name.endsWith(".ts")) yield `${folder}/${name}`;
  }
}

interface Graph {
  modules: { specifier: string; dependencies?: { specifier: string }[] }[];
}

Deno.test("the package's graph has only files of its own: Deno looks for npm packages in each folder above", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await packagedTree(folder);
    // One module that leads to all others.
    const all = `${folder}/all.ts`;
    await Deno.writeTextFile(
      all,
      [`${folder}/gitops_sync.ts`, ...modulesOf(`${folder}/lib`)]
        .map((path) => `import "file://${path}";\n`).join(""),
    );
    const info: Graph = JSON.parse(
      await output([
        Deno.execPath(),
        "info",
        "--json",
        "--no-lock",
        "--node-modules-dir=none",
        all,
      ], { cwd: folder }),
    );
    const named = info.modules.flatMap(({ specifier, dependencies = [] }) => [
      specifier,
      ...dependencies.map(({ specifier }) => specifier),
    ]);
    assert(named.length > 300, `only found ${named.length}`);
    const isOwn = (name: string) =>
      name.startsWith(`file://${folder}/`) || name.startsWith("node:") ||
      // Relative, or a name of the import map; each leads to a module above.
      /^(\.{1,2}\/|@std\/)/.test(name);
    assertEquals(named.filter((name) => !isOwn(name)), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
