import { assert, assertEquals } from "@std/assert";
import { stringify } from "@std/yaml";
import { loadConfig } from "../../lib/config/config.ts";
import { inFolder } from "../folder.ts";

const docs = new URL("../../docs/", import.meta.url);

/** The files of configuration that the guides show, by where they stand. */
function shown(): [string, string][] {
  return [...Deno.readDirSync(docs)].filter(({ name }) => name.endsWith(".md"))
    .flatMap(({ name }) => {
      const text = Deno.readTextFileSync(new URL(name, docs));
      return [...text.matchAll(/^```yaml\n([^]*?)^```$/gm)]
        .map(([, block], i): [string, string] => [`${name}, ${i + 1}`, block!])
        // Those of sops say so in their first line.
        .filter(([, block]) => !block.startsWith("# "));
    });
}

Deno.test("each file of configuration in the documentation is right", async () => {
  const all = shown();
  assert(all.length >= 3, "the blocks are not found any more");
  await inFolder(async (folder) => {
    const path = `${folder}/config.yaml`;
    const repository = stringify({ repository: "https://git.example.org/a" });
    for (const [place, block] of all) {
      await Deno.writeTextFile(path, repository + block);
      const failed = await loadConfig(path, []).then(() => "", String);
      assertEquals(failed, "", place);
    }
  });
});
