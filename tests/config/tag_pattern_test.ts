import { assertEquals } from "@std/assert";
import { parsePattern } from "../../lib/config/tag_pattern.ts";
import { askedNames, parseTip } from "../../lib/git/remote.ts";
import { ref } from "../../lib/config/kinds.ts";

const hash = (n: number) => `${n}`.padStart(40, "0");

/** What `git ls-remote` says of these tags, the nth at commit n. */
const answer = (...names: string[]) =>
  names.map((name, i) => `${hash(i)}\trefs/tags/${name}\n`).join("");

Deno.test("the newest tag by version is the one that a pattern names", () => {
  const table: [string, string[], string | undefined][] = [
    ["semver:>=1.2 <2", ["v1.1.9", "v1.2.0", "v1.10.0", "v1.9.0"], "v1.10.0"],
    ["semver:>=1.2 <2", ["v2.0.0", "v1.2.3", "v3.0.0"], "v1.2.3"],
    ["semver:>=1.2 <2", ["v1.1.9", "v2.0.0", "main"], undefined],
    ["semver:>=1.2 <2", ["1.2.3", "v1.2.2"], "1.2.3"],
    ["semver:^1.2", ["v1.2", "v1.3", "v2.0"], "v1.3"],
    ["semver:1.x", ["v1", "v1.0.1"], "v1.0.1"],
    ["semver:~1.2", ["v1.2.9", "v1.3.0"], "v1.2.9"],
    ["semver:*", ["v1.0.0", "v2.0.0-rc.1"], "v1.0.0"],
    ["semver:1.x || 3.x", ["v1.0.0", "v2.0.0", "v3.1.0"], "v3.1.0"],
    ["semver:1.0.0 - 2.0.0", ["v1.5.0", "v2.0.1"], "v1.5.0"],
    // Only where the range names one; then as Flux does it, not npm.
    ["semver:>=2.0.0-rc.1", ["v2.0.0-rc.2", "v2.0.0-beta"], "v2.0.0-rc.2"],
    ["semver:>=1.0.0-0", ["v1.0.0-alpha", "v1.0.0-alpha.1"], "v1.0.0-alpha.1"],
    ["semver:>=1.0.0-0 <2", ["v1.3.0-rc.1", "v1.2.0"], "v1.3.0-rc.1"],
    ["semver:>=1.0.0-0 <2", ["v2.0.0-rc.1", "v1.2.0"], "v1.2.0"],
    ["semver:>=1.0.0-0 <2.0.0-b", ["v2.0.0-a", "v2.0.0-c"], "v2.0.0-a"],
    ["semver:^1.2.3-beta", ["v1.3.0-rc.1", "v1.2.9"], "v1.3.0-rc.1"],
    ["semver:>=1.2.3-rc.1", ["v1.2.3-beta", "v1.2.2"], undefined],
    ["semver:1.x || >=3.0.0-0", ["v1.9.0-a", "v3.1.0-a"], "v3.1.0-a"],
    ["semver:>=1.2, <2", ["v1.2.0", "v2.0.0"], "v1.2.0"],
    ["semver:>=1", ["v1.0.0+a", "v1.0.0+b"], "v1.0.0+b"],
    ["semver:>=1", ["v1.2.3.4", "v1.0.0", "1.2.3x", "vv9.0.0"], "v1.0.0"],
    ["semver:>=1", ["v99999999999999999999.0.0", "v1.0.0"], "v1.0.0"],
    ["tags:v*", ["v1.9", "v1.10", "w2.0"], "v1.10"],
    ["tags:v*", ["v1.0-rc1", "v1.0"], "v1.0"],
    ["tags:v*", ["v1.0-rc.2", "v1.0-rc.10"], "v1.0-rc.10"],
    ["tags:*", ["v1.9", "2.0", "latest"], "2.0"],
    [
      "tags:release-*",
      ["release-2026.9.1", "release-2026.11.02"],
      "release-2026.11.02",
    ],
    ["tags:web/v*", ["web/v1.0", "web/v1.0.1", "db/v9.0"], "web/v1.0.1"],
    ["tags:v*-stable", ["v1.0-stable", "v2.0", "v1.1-stable"], "v1.1-stable"],
    [
      "tags:nightly-*",
      ["nightly-20261126", "nightly-20261031"],
      "nightly-20261126",
    ],
    ["tags:v*", ["v", "vx", "v1..2", "v-1"], undefined],
    ["tags:a*a", ["a"], undefined],
  ];
  for (const [pattern, names, expected] of table) {
    const tip = parseTip(answer(...names), pattern);
    const index = expected === undefined ? -1 : names.indexOf(expected);
    assertEquals(
      [tip?.name, tip?.revision, tip?.kind],
      expected === undefined
        ? [undefined, undefined, undefined]
        : [`refs/tags/${expected}`, hash(index), "tag"],
      `${pattern} of ${names}`,
    );
  }
});

Deno.test("of several tags of the newest version the one that is followed stays", () => {
  const name = (tag: string) => `refs/tags/${tag}`;
  const table: [string[], string | undefined, number | undefined, string][] = [
    // Nothing is followed yet.
    [["v1.2", "1.2.0", "v1.2.0+b"], undefined, undefined, "v1.2.0+b"],
    [["v1.2.0", "1.2", "v1.1"], "v1.1", 2, "v1.2.0"],
    // By its name, wherever it was moved to.
    [["1.2", "1.2.0", "v1.2.0"], "1.2", 0, "1.2"],
    [["1.2", "1.2.0", "v1.2.0"], "1.2.0", 0, "1.2.0"],
    // By its commit, where the name is gone, or an older program followed it.
    [["1.2", "1.2.0", "v1.2.0"], "v1.2", 1, "1.2.0"],
    [["1.2", "1.2.0", "v1.2.0"], undefined, 1, "1.2.0"],
    // What is newer comes all the same.
    [["1.2", "1.2.0", "v1.3"], "1.2", 0, "v1.3"],
  ];
  for (const [names, tag, commit, expected] of table) {
    const before = commit === undefined ? undefined : {
      revision: hash(commit),
      ...tag === undefined ? {} : { name: name(tag) },
    };
    for (const order of [names, names.toReversed()]) {
      const text = order.map((one) =>
        `${hash(names.indexOf(one))}\t${name(one)}\n`
      ).join("");
      const tip = parseTip(text, "semver:>=1", before);
      assertEquals(
        [tip?.name, tip?.revision],
        [name(expected), hash(names.indexOf(expected))],
        `${order} after ${tag} at ${commit}`,
      );
    }
  }
});

Deno.test("the commit behind an annotated tag counts, and no branch does", () => {
  const text =
    `${hash(1)}\trefs/tags/v1.0.0\n${hash(2)}\trefs/tags/v1.0.0^{}\n` +
    `${hash(3)}\trefs/heads/v2.0.0\n${hash(4)}\trefs/tags/v3^{}\n`;
  assertEquals(parseTip(text, "semver:*")?.revision, hash(2));
  assertEquals(parseTip(text, "tags:v*")?.revision, hash(2));
});

Deno.test("the remote is asked for no more than a pattern may name", () => {
  assertEquals(askedNames("tags:v*"), ["refs/tags/v**"]);
  assertEquals(askedNames("semver:>=1"), []);
});

Deno.test("what is no pattern is none, and says what one is", () => {
  for (
    const wrong of [
      "semver:",
      "semver: ",
      "semver:latest and greatest",
      `semver:${">=1 ".repeat(60)}`,
      "tags:",
      "tags:v1",
      "tags:v*.*",
      "tags:../*",
      "tags:-x*",
      "tags:a b*",
      "tags:v[0-9]*",
      "tags:v?*",
      "tags:v*^{}",
      "semver",
    ]
  ) {
    assertEquals(parsePattern(wrong), undefined, wrong);
    if (!wrong.includes(":")) continue;
    assertEquals(ref.read(wrong), undefined, wrong);
    assertEquals(
      ref.explain?.(wrong)?.includes("semver:>=1.2 <2"),
      true,
      wrong,
    );
  }
  assertEquals(ref.read("semver:>=1.2 <2"), "semver:>=1.2 <2");
});
