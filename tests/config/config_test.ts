import { assert, assertEquals, assertRejects } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { type Given, loadConfig } from "../../lib/config/config.ts";
import type { Config } from "../../lib/config/schema.ts";

/** Loads a file of this text; its path reads `FILE` in what comes back. */
async function load(text: string, flags: Given[] = []): Promise<Config> {
  const path = await Deno.makeTempFile({ suffix: ".yaml" });
  try {
    await Deno.writeTextFile(path, text);
    return await loadConfig(path, flags);
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    assertEquals(error.exit, 2);
    throw new SyncError(error.message.replaceAll(path, "FILE"), error);
  } finally {
    await Deno.remove(path);
  }
}

async function refused(text: string, flags: Given[] = []): Promise<SyncError> {
  return await assertRejects(() => load(text, flags), SyncError) as SyncError;
}

const flag = (key: string, value: unknown, typed = `--${key}`): Given => ({
  key,
  value,
  from: { flag: typed },
});

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
    "Cannot go on without repository: it is missing in the command line",
  );
});

Deno.test("what is wrong is told with its place, its key and what was expected", async () => {
  const table: [string, string, string[]][] = [
    [
      "repository: /a\nreff: main\n",
      "FILE:2: Cannot use reff: there is no such option",
      [
        "did you mean ref?",
      ],
    ],
    [
      "repository: /a\n\ntimeouts:\n  # build: 1h\n  fetch: 5m\n  build: 90\n",
      "FILE:6: Cannot use 90 for timeouts.build: expected a duration of at most 24d such as 90s, 30m or 1h30m",
      [],
    ],
    [
      "repository: /a\ntimeouts:\n  buidl: 1h\n",
      "FILE:3: Cannot use timeouts.buidl: there is no such option",
      ["did you mean timeouts.build?"],
    ],
    [
      "repository: /a\ntimeouts.build: 90\n",
      "FILE:2: Cannot use 90 for timeouts.build: expected a duration of at most 24d such as 90s, 30m or 1h30m",
      [],
    ],
    [
      "repository: /a\ntimeout:\n  build: 1h\n",
      "FILE:2: Cannot use timeout: there is no such option",
      ["did you mean timeouts?"],
    ],
    [
      "repository: /a\ntimeouts: 5m\n",
      'FILE:2: Cannot use "5m" for timeouts: expected keys and values below it',
      [],
    ],
    [
      "\ufeffrepository: infra\n",
      'FILE:1: Cannot use "infra" for repository: expected a Git URL: https://, http://, ssh://, file://, user@host:path or an absolute path',
      [],
    ],
    [
      '{\n  "repository": "/a",\n  "submodules": "yes"\n}',
      'FILE:3: Cannot use "yes" for submodules: expected true or false',
      [],
    ],
    [
      "repository: /a\noperation: dry-run\n",
      'FILE:2: Cannot use "dry-run" for operation: expected one of switch, boot, test, build',
      [],
    ],
    [
      "repository: /a\nsecrets:\n  identities: [key.txt]\n",
      'FILE:3: Cannot use ["key.txt"] for secrets.identities: expected a list of absolute paths such as [/etc/ssh/age.key]',
      [],
    ],
    [
      "repository: &a [*a]\n",
      "FILE:1: Cannot use this value for repository: expected a Git URL: https://, http://, ssh://, file://, user@host:path or an absolute path",
      [],
    ],
    ["ref: main\n", "Cannot go on without repository: it is missing in FILE", [
      'write "repository: …" in the file, or give --repository on the command line',
    ]],
    ["", "Cannot go on without repository: it is missing in FILE", [
      'write "repository: …" in the file, or give --repository on the command line',
    ]],
    [
      '{"repository":"/a","__proto__":{"ref":"x"}}',
      "FILE:1: Cannot use __proto__: there is no such option",
      ["did you mean repository?"],
    ],
    [
      "repository: /a\nconstructor: x\n",
      "FILE:2: Cannot use constructor: there is no such option",
      ["did you mean directory?"],
    ],
  ];
  for (const [text, message, hints] of table) {
    const error = await refused(text);
    assertEquals(error.message, message);
    assertEquals(error.reason, "config-wrong");
    assertEquals(error.hints, hints, message);
  }
});

Deno.test("a wrong flag is told as it was typed", async () => {
  const wrong = await refused("repository: /a", [
    flag("timeouts.build", "90", "--timeouts-build"),
  ]);
  assertEquals(
    wrong.message,
    'Cannot use "90" for --timeouts-build: expected a duration of at most 24d such as 90s, 30m or 1h30m',
  );
  const unknown = await refused("repository: /a", [
    flag("timeout-build", "1h", "--timeout-build"),
  ]);
  assertEquals(
    unknown.message,
    "Cannot use --timeout-build: there is no such option",
  );
  assertEquals(unknown.hints, ["did you mean --timeouts-build?"]);
});

Deno.test("all problems are told at once", async () => {
  const error = await refused("reff: main\nkeep: many\noperation: fly\n");
  assertEquals(
    error.message,
    `4 problems in the configuration:
  FILE:1: Cannot use reff: there is no such option
  FILE:2: Cannot use "many" for keep: expected a whole number from 0 to 1000
  FILE:3: Cannot use "fly" for operation: expected one of switch, boot, test, build
  Cannot go on without repository: it is missing in FILE`,
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
      assert(error.message.includes("the URL carries a password"), url);
      assert(!Deno.inspect(error).includes("hunter2"), url);
    }
  }
  const { message } = await refused(
    "repository: https://user:hunter2@example.org/infra.git: x\n",
  );
  assert(!message.includes("hunter2"), message);
});

Deno.test("a URL with a port or a user alone has no password", async () => {
  const urls = [
    "https://example.org:8443/infra.git",
    "ssh://git@example.org:22/infra.git",
    "https://git@example.org/a:b@c.git",
    "git@example.org:a:b@c.git",
  ];
  for (const url of urls) {
    const config = await load(`repository: "${url}"\n`);
    assertEquals(config.repository, url);
  }
});

Deno.test("what is not YAML is told with its line", async () => {
  const hint =
    "a value with a colon, a # or a leading special character needs quotes";
  const table: [string, string][] = [
    [
      "repository: /a\nref: a\nref: b\n",
      "FILE:3: Cannot read this as YAML: Cannot store mapping pair: duplicated key",
    ],
    [
      "ref: [a\nkeep: 5\n",
      "FILE:2: Cannot read this as YAML: Cannot read flow collection: missing comma between flow collection entries",
    ],
    [
      '{"repository": "/a" "ref": "x"}',
      "FILE:1: Cannot read this as YAML: Cannot read flow collection: missing comma between flow collection entries",
    ],
    [
      "---\nref: a\n---\nref: b\n",
      "FILE:3: Cannot read this as YAML: Found more than 1 document in the stream: expected a single document",
    ],
    [
      "ref: 'x\n",
      "FILE:2: Cannot read this as YAML: Unexpected end of the stream within a single quoted scalar",
    ],
    ["ref: *unknown\n", "FILE:1: Cannot read this as YAML: "],
  ];
  for (const [text, message] of table) {
    const error = await refused(text);
    assertEquals(error.message.slice(0, message.length), message);
    assertEquals(error.message.split("\n").length, 1, error.message);
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
      `FILE:${line}: Cannot read this as YAML: a tab indents it`,
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
