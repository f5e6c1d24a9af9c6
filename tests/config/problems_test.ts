import { assertEquals } from "@std/assert";
import { lineOf } from "../../lib/config/problems.ts";
import { flag, load, refused } from "./load.ts";

Deno.test("the line of a key is found below its group", () => {
  const yaml = `# timeouts: build: 1h
build:
  options: []
timeouts: # how long
  # fetch: 1h
  "build": 1h
  fetch: 2h
secrets.check: true
`;
  const table: [string, number][] = [
    ["build", 2],
    ["build.options", 3],
    ["timeouts", 4],
    ["timeouts.build", 6],
    ["timeouts.fetch", 7],
    ["secrets.check", 8],
    ["nowhere", 1],
    ["timeouts.nowhere", 4],
    ["a+b", 1],
  ];
  for (const [key, line] of table) assertEquals(lineOf(yaml, key), line, key);
});

Deno.test("the line of a key is found in JSON", () => {
  const json = '{\n  "ref": "x",\n  "timeouts": {\n    "build": "1h"\n  }\n}';
  assertEquals(lineOf(json, "ref"), 2);
  assertEquals(lineOf(json, "timeouts.build"), 4);
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
      'FILE:2: Cannot use "5m" for timeouts: expected keys and values below this key',
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
      'write "repository: …" in the file, or add --repository on the command line',
    ]],
    ["", "Cannot go on without repository: it is missing in FILE", [
      'write "repository: …" in the file, or add --repository on the command line',
    ]],
    [
      '{"repository":"/a","__proto__":{"ref":"x"}}',
      "FILE:1: Cannot use __proto__: there is no such option",
      ["run man gitops-sync.yaml for the list of options"],
    ],
    [
      "repository: /a\nconstructor: x\n",
      "FILE:2: Cannot use constructor: there is no such option",
      ["run man gitops-sync.yaml for the list of options"],
    ],
    [
      "repository: /a\nfrequency: 5m\n",
      "FILE:2: Cannot use frequency: there is no such option",
      [
        'set it in the NixOS module, the only place for it: services.gitops.frequency = "30m"',
      ],
    ],
    [
      "services:\n  gitops:\n    ref: main\nrepository: /a\n",
      "FILE:1: Cannot use services: there is no such option",
      [
        "leave out services.gitops, which is the prefix in NixOS, and begin with the name of the option",
      ],
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

Deno.test("an empty ref is refused by its flag, and an empty directory is the top", async () => {
  const wrong = await refused("repository: /a", [flag("ref", "", "--ref")]);
  assertEquals(
    wrong.message.slice(0, wrong.message.indexOf(": expected")),
    'Cannot use "" for --ref',
  );
  const { directory } = await load("repository: /a\ndirectory: hosts", [
    flag("directory", "", "--directory"),
  ]);
  assertEquals(directory, "");
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

Deno.test("signatures are not asked for without keys to trust", async () => {
  const base = "repository: /srv/infra\nverify:\n  mode: head\n";
  for (const rest of ["", "  openpgpKeys: []\n", '  keysFrom: ""\n']) {
    assertEquals(
      (await refused(base + rest)).message,
      "FILE:3: Cannot use verify.mode without trusted keys: no option names any",
    );
  }
});
