import { assertEquals, assertStringIncludes } from "@std/assert";
import { mistakes } from "../../lib/config/mistakes.ts";
import { load, refused } from "./load.ts";

Deno.test("what most likely can't work is told with what to write", async () => {
  const table: [string, string | undefined][] = [
    ["github:me/infra", "write https://github.com/me/infra"],
    ["github:me/infra/main", "write https://github.com/me/infra"],
    ["gitlab:me/infra", "write https://gitlab.com/me/infra"],
    ["sourcehut:~me/infra", "write https://git.sr.ht/~me/infra"],
    ["path:srv/infra", "write file:///srv/infra"],
    ["path:infra", "write file://"],
    ["flake:infra", "write the URL that git clone takes"],
    ["git@host:7999/p/r.git", "write ssh://git@host:7999/p/r.git"],
    ["ssh://git@host:me/r", "write ssh://git@host/me/r or git@host:me/r"],
    ["https://h/r.git#main", "write https://h/r.git, and ref: main"],
    ["https://h/r.git?ref=main", "write https://h/r.git, and ref: main"],
    ["https://github.com/me/infra", undefined],
    ["git@github.com:me/infra.git", undefined],
    ["ssh://git@host:7999/p/r.git", undefined],
    ["host:2026-plans/r.git", undefined],
    ["/srv/infra", undefined],
    ["/srv/a#b", undefined],
  ];
  for (const [repository, words] of table) {
    const config = await load(`repository: "${repository}"`);
    const said = mistakes(config).join();
    if (words === undefined) assertEquals(said, "", repository);
    else assertStringIncludes(said, words, repository);
  }
});

Deno.test("a ref that no server can be asked for is told", () => {
  const hash = "a1b2c3d4e5".repeat(4);
  const table: [string, string | undefined][] = [
    [hash, undefined],
    [hash.toUpperCase(), `write ${hash}`],
    [hash.slice(0, 12), "write the full hash"],
    ["main", undefined],
    ["1234567", undefined],
    ["deadbeef", undefined],
    ["release-1", undefined],
    ["refs/tags/v1", undefined],
  ];
  for (const [ref, words] of table) {
    const said = mistakes({ ref }).join();
    if (words === undefined) assertEquals(said, "", ref);
    else assertStringIncludes(said, words, ref);
  }
});

Deno.test("a ref that YAML reads as a number must be quoted", async () => {
  for (const ref of ["1.10", "20", "2026-01-01", "true"]) {
    const error = await refused(`repository: /srv/infra\nref: ${ref}`);
    assertStringIncludes(error.message, "quotes", ref);
  }
  const { ref } = await load(`repository: /srv/infra\nref: "1.10"`);
  assertEquals(ref, "1.10");
});
