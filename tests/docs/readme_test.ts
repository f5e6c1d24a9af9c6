import { assert, assertEquals } from "@std/assert";
import { exitMeanings } from "../../lib/base/errors.ts";
import { listed as known } from "../../lib/cli/commands.ts";

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
