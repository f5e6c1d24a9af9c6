import { assert, assertEquals } from "@std/assert";
import { stringify } from "@std/yaml";
import { loadConfig } from "../../lib/config/config.ts";
import { inFolder } from "../folder.ts";
import { blocks, placeOf } from "./blocks.ts";

/** The files of configuration that the guides show. */
const shown = () =>
  blocks().filter(({ language, text }) =>
    // Files of sops say so in their first line.
    language === "yaml" && !text.startsWith("# ")
  );

Deno.test("each file of configuration in the documentation is right", async () => {
  const all = shown();
  assert(all.length >= 3, "the blocks are not found any more");
  await inFolder(async (folder) => {
    const path = `${folder}/config.yaml`;
    const repository = stringify({ repository: "https://git.example.org/a" });
    for (const block of all) {
      await Deno.writeTextFile(path, repository + block.text);
      const failed = await loadConfig(path, []).then(() => "", String);
      assertEquals(failed, "", placeOf(block));
    }
  });
});
