import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { exitMeanings } from "../../lib/base/errors.ts";
import { parse } from "../../lib/cli/arguments.ts";
import { listed as known } from "../../lib/cli/commands.ts";
import { defaultConfigPath } from "../../lib/config/config.ts";
import { flagOptions, optionNames } from "../../lib/config/schema.ts";
import { type Block, blocks } from "./blocks.ts";

const top = new URL("../../", import.meta.url);
const readme = Deno.readTextFileSync(new URL("README.md", top));

Deno.test("README lists every exit code with its meaning", () => {
  const rows = [...readme.matchAll(/^\| (\d+) +\| (.*?) +\|$/gm)]
    .map(([, code, meaning]) => [code, meaning]);
  assertEquals(rows, Object.entries(exitMeanings));
});

Deno.test("README lists every command", () => {
  const listed = [
    ...readme.matchAll(/^\| `([a-z -]+?)(?: [[A-Z].*?| bash.*?)?` /gm),
  ]
    .map(([, name]) => name!);
  for (const { name } of known) {
    assert(listed.includes(name), `README does not list ${name}: ${listed}`);
  }
});

Deno.test("the program takes each command as README writes it", async () => {
  const table = readme.slice(readme.indexOf("## Commands"));
  const cells = [...table.matchAll(/^\| `([a-z].*?)` +\|/gm)];
  assert(cells.length >= known.length, `only ${cells.length} were found`);
  for (const [, cell] of cells) {
    // Of several words the first one, and of what is optional all.
    const words = cell!.replaceAll(/\\\|[^ \]]+/g, "").replaceAll(
      /[[\]…]/g,
      "",
    );
    const { command } = await parse(words.split(" "));
    assert(cell!.startsWith(command.name), `${cell} is ${command.name}`);
  }
});

Deno.test("what README says of options is so", () => {
  assertStringIncludes(readme, `\`${defaultConfigPath}\``);
  assertStringIncludes(readme, "Most of its options are flags too");
  assert(flagOptions.length > optionNames.length / 2);
});

Deno.test("the quick start in README is that of the page, which a test runs", () => {
  const isTyped = ({ language }: Block) => language === "sh";
  const [short] = blocks("README.md").filter(isTyped)
    .filter(({ text }) => text.includes("gitops-sync init"));
  const whole = blocks("docs/quickstart.md").filter(isTyped)
    .map(({ text }) => text).join("");
  assert(whole.startsWith(short!.text), short!.text);
});

Deno.test("the picture of a run has the stages in their order", () => {
  const pageOf = (page: string, word: RegExp) =>
    blocks(page).find(({ text }) => word.test(text))!.text;
  const pipeline = pageOf("docs/architecture.md", /^lock → /)
    .trim().split(" → ");
  const lines = pageOf("README.md", /├─/).matchAll(
    /^ {2}(?:│ {2}|├─ )([a-z]+)/gm,
  );
  const picture = Array.from(lines, ([, stage]) => stage!);
  assert(picture.length > 8, `only ${picture} were found`);
  assertEquals(picture, pipeline.filter((stage) => picture.includes(stage)));
});

Deno.test("links in the documentation lead somewhere", () => {
  const pages = [...Deno.readDirSync(new URL("docs/", top))]
    .filter(({ name }) => name.endsWith(".md"))
    .map(({ name }) => `docs/${name}`);
  for (const file of ["README.md", "CONTRIBUTING.md", ...pages]) {
    const url = new URL(file, top);
    const links = Deno.readTextFileSync(url).matchAll(/\]\(([^)#:]+)\)/g);
    for (const [, link] of links) {
      assert(Deno.statSync(new URL(link!, url)).isFile, `${file}: ${link}`);
    }
  }
});
