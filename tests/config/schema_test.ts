import { assert, assertEquals } from "@std/assert";
import {
  flagOf,
  type Option,
  type OptionName,
  optionNames,
  options,
} from "../../lib/config/schema.ts";

const hash = "0123456789abcdef0123456789abcdef01234567";

/** What an option makes of a value; `undefined` if it refuses it. */
const read = (name: OptionName, value: unknown) =>
  options[name].kind.read(value);

/** Checks a table of values and what an option makes of them. */
function holds(name: OptionName, table: readonly [unknown, unknown][]): void {
  for (const [given, expected] of table) {
    assertEquals(
      read(name, given),
      expected,
      `${name}: ${Deno.inspect(given)}`,
    );
  }
}

/** Checks that an option refuses each of these. */
function refuses(name: OptionName, ...values: unknown[]): void {
  holds(name, values.map((value) => [value, undefined]));
}

/** Checks that an option takes each of these as it stands. */
function takes(name: OptionName, ...values: unknown[]): void {
  holds(name, values.map((value) => [value, value]));
}

const nobodysText = [
  undefined,
  null,
  5,
  true,
  {},
  [],
  "",
  " ",
  "a\nb",
  "a\u0000b",
];

Deno.test("a remote is a URL, the scp form or an absolute path", () => {
  takes(
    "repository",
    "https://example.org/infra.git",
    "https://git@example.org:8443/infra",
    "http://127.0.0.1:8080/r",
    "ssh://git@example.org/infra.git",
    "ssh://git@[::1]:22/infra.git",
    "file:///srv/infra.git",
    "git@example.org:org/infra.git",
    "example.org:infra.git",
    "git@example.org:/srv/infra.git",
    "git@example.org:~/infra.git",
  );
  holds("repository", [
    ["/srv/infra.git", "file:///srv/infra.git"],
    // Git decodes what looks encoded in a URL.
    ["/srv/a%20b", "file:///srv/a%2520b"],
  ]);
  refuses(
    "repository",
    ...nobodysText,
    "infra.git",
    "./infra.git",
    "../infra.git",
    "https://",
    "ftp://example.org/x",
    "git://example.org/x",
    "javascript:alert(1)//://",
    "ext::sh -c id",
    "ext::id",
    "fd::17",
    "-oProxyCommand=id:x",
    "--upload-pack=id",
    "example.org:-x",
    "/srv/with space",
    "https://example.org/a b",
    "git@example.org:",
  );
});

Deno.test("a ref is what Git takes for a name, or a full hash", () => {
  takes(
    "ref",
    "main",
    "v1.2.3",
    "feature/new-thing",
    "refs/heads/main",
    "refs/tags/v1",
    "release-2024.10",
    "übung",
    "a@b",
    hash,
  );
  refuses(
    "ref",
    ...nobodysText,
    "-x",
    "--all",
    "@",
    "a b",
    "a..b",
    "a~1",
    "a^",
    "a^{commit}",
    "a:b",
    "a?",
    "a*",
    "a[b]",
    "a\\b",
    "a@{1}",
    "/a",
    "a/",
    "a//b",
    ".a",
    "a/.b",
    "a.",
    "a.lock",
    "a.lock/b",
    "a\u007f",
    1.5,
  );
});

Deno.test("a folder stays inside the repository", () => {
  holds("directory", [
    ["", ""],
    [".", ""],
    ["hosts/web", "hosts/web"],
    ["./hosts/web", "hosts/web"],
    ["hosts/web/", "hosts/web"],
    ["hosts.d/web-1", "hosts.d/web-1"],
    ["...", "..."],
  ]);
  refuses(
    "directory",
    undefined,
    null,
    5,
    " ",
    "/etc",
    "/",
    "..",
    "../x",
    "a/../b",
    "a/..",
    "a//b",
    "a?b",
    "a#b",
    "a&rev=x",
    "a%2e%2e",
    "a\nb",
  );
});

Deno.test("a host is a name that needs no quotes", () => {
  takes("host", "web-1", "web.example", "WEB_1", "_x", "1");
  refuses(
    "host",
    ...nobodysText,
    "-web",
    ".web",
    "web 1",
    'web"',
    "web;id",
    "web#x",
    "a/b",
    "$(id)",
    "web\n",
    "wéb",
  );
});

Deno.test("a duration has a unit and fits a timer", () => {
  holds("timeouts.build", [
    ["90s", 90_000],
    ["1h30m", 5_400_000],
    ["24d", 2_073_600_000],
  ]);
  refuses("timeouts.build", ...nobodysText, 90, "90", "0s", "-1s", "25d", "9w");
  const all = optionNames.filter((name) => name.startsWith("timeouts."));
  for (const name of all) {
    assert((read(name, "24d") as number) + 60_000 < 2 ** 31, name);
  }
});

Deno.test("a path is absolute", () => {
  takes("tokenFile", "/etc/token", "/run/credentials/x y");
  refuses("tokenFile", ...nobodysText, "token", "./token", "~/token");
});

Deno.test("a list may be one text alone, and every item is checked", () => {
  holds("secrets.identities", [
    ["/a", ["/a"]],
    [["/a", "/b"], ["/a", "/b"]],
    [[], []],
  ]);
  refuses("secrets.identities", null, 5, {}, "a", ["/a", "b"], ["/a", 5], [[]]);
  holds("build.options", [
    [["--max-jobs", "1"], ["--max-jobs", "1"]],
    ["--offline", ["--offline"]],
  ]);
  refuses("build.options", ["--max-jobs", 1], [""], ["a\nb"], { a: 1 });
});

Deno.test("true and false are no texts", () => {
  takes("submodules", true, false);
  refuses("submodules", "true", "yes", 1, 0, null, undefined, "");
});

Deno.test("a number is whole and small, written either way", () => {
  holds("keep", [[0, 0], [5, 5], ["5", 5], [1000, 1000]]);
  refuses(
    "keep",
    -1,
    1.5,
    1001,
    "1001",
    "five",
    "",
    "0x5",
    " 5",
    NaN,
    null,
    true,
  );
});

Deno.test("a choice is one of its words, in their letters", () => {
  takes("operation", "switch", "boot", "test", "build");
  refuses("operation", "Switch", "dry-run", "", null, 0);
  takes("drift", "report", "correct");
  refuses("drift", true, "repair");
});

Deno.test("a text is not empty and has no control characters", () => {
  takes("username", "git", "x-access-token", "a b");
  refuses("username", ...nobodysText);
});

Deno.test("every default passes the check of its own option", () => {
  for (const name of optionNames) {
    const { preset }: Option<unknown> = options[name];
    if (preset === undefined) continue;
    const value = typeof preset === "function" ? preset() : preset;
    assert(read(name, value) !== undefined, name);
  }
});

Deno.test("every option has its text, and a computed default is described", () => {
  for (const name of optionNames) {
    const option: Option<unknown> = options[name];
    assert(option.text.endsWith("."), name);
    assert(option.kind.expected !== "", name);
    if (typeof option.preset === "function") assert(option.presetText, name);
  }
});

Deno.test("each option has a flag of its own", () => {
  const flags = optionNames.map(flagOf);
  assertEquals(new Set(flags).size, flags.length);
  for (const flag of flags) assert(/^[a-z]+(-[a-z]+)*$/.test(flag), flag);
  assertEquals(flagOf("timeouts.build"), "timeouts-build");
  assertEquals(flagOf("allowForcePush"), "allow-force-push");
});
