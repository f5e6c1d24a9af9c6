import { assert, assertEquals, assertRejects } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { loadConfig } from "../../lib/config/config.ts";
import { optionNames, options } from "../../lib/config/schema.ts";
import { inFolder } from "../folder.ts";
import { flag, load, refused } from "./load.ts";

Deno.test("a YAML file is read, with nested and with dotted keys", async () => {
  const config = await load(`# the web server
repository: git@example.org:org/infra.git
ref: refs/tags/v1
directory: ./hosts/web/
drift: correct
timeouts:
  build: 1h30m   # a slow machine
timeouts.fetch: 5m
build:
  options: [--max-jobs, "1"]
`);
  assertEquals(config.repository, "git@example.org:org/infra.git");
  assertEquals(config.ref, "refs/tags/v1");
  assertEquals(config.directory, "hosts/web");
  assertEquals(config.drift, "correct");
  assertEquals(config["timeouts.build"], 5_400_000);
  assertEquals(config["timeouts.fetch"], 300_000);
  assertEquals(config["build.options"], ["--max-jobs", "1"]);
});

Deno.test("what is not given has its default", async () => {
  const config = await load("repository: /srv/infra");
  assertEquals(config.ref, "main");
  assertEquals(config.host, Deno.hostname());
  assertEquals(config.operation, "switch");
  assertEquals(config["timeouts.build"], 6 * 3_600_000);
  assertEquals(config.tokenFile, undefined);
  assertEquals(config["secrets.identities"], undefined);
});

Deno.test("JSON, JSON with a trailing comma, and a byte order mark are read", async () => {
  const texts = [
    '{"repository":"/a","timeouts":{"build":"1h"}}',
    '\n {"repository": "/a", "timeouts": {"build": "1h"},}',
    '\ufeff{"repository":"/a","timeouts":{"build":"1h"}}',
    "\ufeffrepository: /a\r\ntimeouts:\r\n  build: 1h\r\n",
    "{repository: /a, timeouts: {build: 1h}}",
    "---\nrepository: /a\ntimeouts: {build: 1h}\n...\n",
    "repository: /a\ntimeouts:\n  <<: {build: 1h}\n",
  ];
  for (const text of texts) {
    const config = await load(text);
    assertEquals(config.repository, "file:///a", text);
    assertEquals(config["timeouts.build"], 3_600_000, text);
  }
});

Deno.test("an empty value is as if it were not there", async () => {
  const texts = [
    "repository: /a\nref:\ntokenFile: null\nkeep: ~\n",
    "repository: /a\ntimeouts:\n  # build: 1h\nsecrets:\n",
    '{"repository":"/a","ref":null,"timeouts":null,"build":{}}',
  ];
  for (const text of texts) {
    const config = await load(text);
    assertEquals(config.ref, "main", text);
    assertEquals(config["timeouts.build"], 6 * 3_600_000, text);
    assertEquals(config.keep, 5, text);
    assertEquals(config["build.options"], [], text);
  }
});

Deno.test("a flag beats the file", async () => {
  const config = await load("repository: /a\nref: main\nkeep: 3\n", [
    flag("ref", "v2"),
    flag("timeouts.build", "2h"),
  ]);
  assertEquals(config.ref, "v2");
  assertEquals(config.keep, 3);
  assertEquals(config["timeouts.build"], 7_200_000);
});

Deno.test("flags alone are a configuration", async () => {
  const config = await loadConfig(undefined, [flag("repository", "/a")]);
  assertEquals(config.repository, "file:///a");
  const error = await assertRejects(
    () => loadConfig(undefined, []),
    SyncError,
  ) as SyncError;
  assertEquals(
    error.message,
    "Cannot go on without repository: it is missing in the flags",
  );
});

Deno.test("a password in the URL is refused and shown nowhere", async () => {
  const urls = [
    "https://user:hunter2@example.org/infra.git",
    "ssh://git:hunter2@example.org/infra.git",
    "https://:hunter2@example.org/infra.git",
    "HTTPS://user:hunter2@example.org/infra.git",
    "ftp://user:hunter2@example.org/infra.git",
    "git+ssh://user:hunter2@example.org/infra.git",
    "https://user:hunter2 @example.org/infra.git",
  ];
  for (const url of urls) {
    const inFile = await refused(`repository: "${url}"\n`);
    const inFlag = await refused("", [flag("repository", url)]);
    for (const error of [inFile, inFlag]) {
      assert(error.message.includes("the URL contains a password"), url);
      assert(!Deno.inspect(error).includes("hunter2"), url);
    }
  }
  const { message } = await refused(
    "repository: https://user:hunter2@example.org/infra.git: x\n",
  );
  assert(!message.includes("hunter2"), message);
});

Deno.test("a user in a URL of HTTP may be a token: refused and shown nowhere", async () => {
  const urls = [
    "https://hunter2@example.org/infra.git",
    "http://hunter2@127.0.0.1:8080/infra.git",
    "HTTPS://hunter2@example.org",
    " https://hunter2@example.org/infra.git",
    "https://hunter2@@example.org/infra.git",
  ];
  for (const url of urls) {
    const inFile = await refused(`repository: "${url}"\n`);
    const inFlag = await refused("", [flag("repository", url)]);
    for (const error of [inFile, inFlag]) {
      assert(error.message.includes("the URL contains a user name"), url);
      assert(!Deno.inspect(error).includes("hunter2"), url);
      assert(error.hints.some((hint) => hint.includes("tokenFile")), url);
    }
  }
});

Deno.test("a URL with a port, or of SSH with a user, is taken", async () => {
  const urls = [
    "https://example.org:8443/infra.git",
    "ssh://git@example.org:22/infra.git",
    "ssh://git@example.org/a:b@c.git",
    "https://example.org/a:b@c.git",
    "git@example.org:a:b@c.git",
  ];
  for (const url of urls) {
    const config = await load(`repository: "${url}"\n`);
    assertEquals(config.repository, url);
  }
});

Deno.test("what is not YAML is told with its line and what to do", async () => {
  const lists = "write lists as [one, two] and maps as {key: value}";
  const quotes = 'put the whole value in quotes: KEY: "VALUE"';
  const table: [text: string, line: number, why: string, hint: string][] = [
    [
      "repository: /a\nref: a\nref: b\n",
      3,
      "the key ref appears twice",
      "remove one of the two lines",
    ],
    [
      "ref: [a\nkeep: 5\n",
      1,
      "a bracket after ref: is not closed, or a comma is missing",
      lists,
    ],
    [
      "ref: a\nhost: [a\nkeep: 5\n",
      2,
      "a bracket after host: is not closed, or a comma is missing",
      lists,
    ],
    [
      '{"repository": "/a", "build": {"options": ["x"',
      1,
      "a bracket after options: is not closed, or a comma is missing",
      lists,
    ],
    [
      '{"repository": "/a" "ref": "x"}',
      1,
      "a bracket is not closed, or a comma is missing",
      lists,
    ],
    [
      "---\nref: a\n---\nref: b\n",
      3,
      "a second document begins here",
      "remove the line ---; a file holds one configuration",
    ],
    [
      "ref: 'x\n",
      1,
      "a quote after ref: is not closed",
      "close it on the same line",
    ],
    [
      "ref: a\n  host: b\n",
      2,
      "this line is not indented like the lines before it",
      "indent all keys of one level with the same number of spaces",
    ],
    [
      "repository: /a\nref main\nhost: a\n",
      2,
      "this line has no colon after the key",
      "write KEY: VALUE, with a colon and a space",
    ],
    ["ref: a: b\n", 1, "the value of ref contains a colon", quotes],
    ["ref: *unknown\n", 1, "the value of ref begins with *", quotes],
    [
      "repository: /a\nref: @main\n",
      2,
      "the value of ref begins with @",
      quotes,
    ],
    ["ref: !x main\n", 1, "the value of ref begins with !", quotes],
  ];
  for (const [text, line, why, hint] of table) {
    const error = await refused(text);
    assertEquals(
      error.message,
      `FILE:${line}: Cannot read this as YAML: ${why}`,
    );
    assertEquals(error.reason, "config-syntax");
    assertEquals(error.hints, [hint]);
  }
});

Deno.test("a tab that indents is refused, and one elsewhere is not", async () => {
  const table: [string, number][] = [
    ["timeouts:\n\tbuild: 1h\n", 2],
    ["repository: /a\ntimeouts:\n  \tbuild: 1h\n", 3],
  ];
  for (const [text, line] of table) {
    const error = await refused(text);
    assertEquals(
      error.message,
      `FILE:${line}: Cannot read this as YAML: this line is indented with a tab`,
    );
    assertEquals(error.hints, ["indent with spaces"]);
  }
  const fine = [
    "repository:\t/a\n\t\n\t# a comment\n",
    '{\n\t"repository": "/a"\n}',
    '{\n\t"repository": "/a",\n}',
  ];
  for (const text of fine) {
    assertEquals((await load(text)).repository, "file:///a", text);
  }
});

Deno.test("a file that is no mapping is refused", async () => {
  for (const text of ["- a\n", "[]", "5", "just text", "true", '"x"']) {
    const error = await refused(text);
    assertEquals(
      error.message,
      'Cannot use FILE: expected keys and values such as "ref: main"',
    );
    assertEquals(error.reason, "config-syntax");
  }
});

Deno.test("a file that is not there, or that can't be read, is told", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const missing = await assertRejects(
      () => loadConfig(`${folder}/none.yaml`, []),
      SyncError,
    ) as SyncError;
    assertEquals(
      missing.message,
      `Cannot read ${folder}/none.yaml: there is no such file`,
    );
    assertEquals([missing.reason, missing.exit], ["config-missing", 2]);
    const unreadable = await assertRejects(
      () => loadConfig(folder, []),
      SyncError,
    ) as SyncError;
    assert(unreadable.message.startsWith(`Cannot read ${folder}: `));
    assertEquals([unreadable.reason, unreadable.exit], [
      "config-unreadable",
      2,
    ]);
  } finally {
    await Deno.remove(folder);
  }
});

Deno.test("a file that writes out every default is as good as none", async () => {
  const written: Record<string, unknown> = { repository: "/srv/infra" };
  for (const name of optionNames) {
    const { preset } = options[name] as { preset?: unknown };
    if (preset === undefined || typeof preset === "function") continue;
    const path = name.split(".");
    const last = path.pop()!;
    const group = path.reduce<Record<string, unknown>>(
      (at, part) => (at[part] ??= {}) as Record<string, unknown>,
      written,
    );
    group[last] = preset;
  }
  const { repository } = written;
  assertEquals(
    await load(JSON.stringify(written)),
    await load(JSON.stringify({ repository })),
  );
});

Deno.test("keys without a mode of verification are refused", async () => {
  const error = await refused(
    "repository: /srv/infra\nverify:\n  threshold: 2\n",
  );
  assertEquals(
    error.message,
    "FILE:3: Cannot use verify.threshold without verify.mode: the mode is none, so no signature is checked",
  );
});

Deno.test("a file that everybody may write to is refused", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/config.yaml`;
    await Deno.writeTextFile(path, "repository: /srv/infra\n");
    await Deno.chmod(path, 0o664);
    assertEquals((await loadConfig(path, [])).repository, "file:///srv/infra");
    await Deno.chmod(path, 0o666);
    const error = await assertRejects(
      () => loadConfig(path, []),
      SyncError,
    ) as SyncError;
    assertEquals([error.reason, error.exit], ["config-unsafe", 2]);
  });
});
