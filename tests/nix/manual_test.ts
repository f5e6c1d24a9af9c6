import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { exitMeanings } from "../../lib/base/errors.ts";
import { writtenOf } from "../../lib/cli/call.ts";
import { globalFlags, listed } from "../../lib/cli/commands.ts";
import { optionNames } from "../../lib/config/schema.ts";
import { pages } from "../../nix/manual.ts";
import { run } from "../world/program.ts";

/** A page as a person reads it, in one line without hyphens for breaks. */
async function read(page: string): Promise<string> {
  const { code, stdout, stderr } = await run(
    ["groff", "-k", "-man", "-Tutf8", "-P-c", "-rLL=200n"],
    { input: page, env: { GROFF_NO_SGR: "1" } },
  );
  assertEquals([code, stderr], [0, ""]);
  // Bold is a letter that is typed twice.
  // deno-lint-ignore no-control-regex
  return stdout.replace(/.\x08/g, "").replace(/\s+/g, " ");
}

const docs = new URL("../../docs/", import.meta.url);

/** They are for who works on the project, or are a manual page themselves. */
const ofProject = ["architecture.md", "nixpkgs.md", "options.md"];

async function isThere(program: string): Promise<boolean> {
  return (await run(["sh", "-c", `command -v ${program}`])).code === 0;
}

/** A test that needs a program which a machine may not have. */
async function withProgram(
  program: string,
  name: string,
  fn: () => Promise<void>,
): Promise<void> {
  const has = await isThere(program);
  if (!has) console.log(`not tested here: ${name}: there is no ${program}`);
  Deno.test({ name, ignore: !has, fn });
}

await withProgram("groff", "the manual says what --help says", async () => {
  const text = await read(pages["gitops-sync.1"]!());
  const flat = (some: string) =>
    some.replaceAll("`", "").replace(/\s+/g, " ").trim();
  for (const { name, text: says, flags, examples = [] } of listed) {
    assertStringIncludes(text, `gitops-sync ${name}`);
    // A table in the text of a group is none of its paragraphs.
    for (const line of says.split("\n")) {
      assertStringIncludes(text, flat(line).slice(0, 50));
    }
    for (const flag of flags) {
      assertStringIncludes(text, `${writtenOf(flag)} ${flat(flag.text)}`);
    }
    for (const [line] of examples) assertStringIncludes(text, flat(line));
  }
  for (const { name } of Deno.readDirSync(docs)) {
    if (!name.endsWith(".md") || ofProject.includes(name)) continue;
    assertStringIncludes(text, `docs/${name}`);
  }
  for (const flag of globalFlags) assertStringIncludes(text, flat(flag.text));
  for (const meaning of Object.values(exitMeanings)) {
    assertStringIncludes(text, flat(meaning));
  }
  const options = await read(pages["gitops-sync.yaml.5"]!());
  for (const name of optionNames) assertStringIncludes(options, ` ${name} `);
  assert(!options.includes("undefined"));
});

for (const [name, make] of Object.entries(pages)) {
  await withProgram("man", `man finds nothing wrong with ${name}`, async () => {
    const file = await Deno.makeTempFile({ suffix: `-${name}` });
    await Deno.writeTextFile(file, make());
    try {
      const args = ["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", file];
      const { code, stderr } = await run(["man", ...args]);
      assertEquals([code, stderr], [0, ""]);
    } finally {
      await Deno.remove(file);
    }
  });
  await withProgram(
    "mandoc",
    `mandoc finds nothing wrong with ${name}`,
    async () => {
      const { stdout } = await run(["mandoc", "-Tlint"], { input: make() });
      const said = stdout.split("\n")
        // A date would make each build another one.
        .filter((line) => line !== "" && !line.includes("missing date"));
      assertEquals(said, []);
    },
  );
}

Deno.test("no message names a guide that only the repository has", () => {
  const top = new URL("../../lib/", import.meta.url);
  const texts = function* (folder: URL): Generator<[string, string]> {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      if (isDirectory) yield* texts(new URL(`${name}/`, folder));
      else yield [name, Deno.readTextFileSync(new URL(name, folder))];
    }
  };
  const found = [...texts(top)].flatMap(([name, text]) =>
    text.replace(/\/\*[^]*?\*\//g, "").split("\n").filter((line) =>
      /docs\/\w+\.md/.test(line) && !/man gitops-sync/.test(line) &&
      !/^\s*\/\//.test(line)
    ).map((line) => `${name}: ${line}`)
  );
  assertEquals(found, []);
});
