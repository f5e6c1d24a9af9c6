import { assert, assertEquals } from "@std/assert";
import type { BuildFailure } from "../../lib/nix/failure.ts";
import { NixLog } from "../../lib/nix/log.ts";

const versions = ["2.8.0", "2.26.3"] as const;
const folder = new URL("./log/", import.meta.url).pathname;

/** The lines of a log that Nix wrote. */
const linesOf = (version: string, name: string) =>
  Deno.readTextFileSync(`${folder}${version}/${name}.log`).split("\n");

/** A log that has read these lines. */
function after(lines: readonly string[]): NixLog {
  // Those with a fixed hash, which may use the network.
  const log = new NixLog((drv) =>
    !/source\.tar\.gz|x4ybf8rl4xhmhcrjlz8yj3x92wnhswma/.test(drv)
  );
  lines.forEach((line) => log.line(line));
  return log;
}

const message = (fields: Record<string, unknown>) =>
  `@nix ${JSON.stringify({ action: "msg", level: 0, ...fields })}`;

type Row = [
  reason: BuildFailure["reason"],
  transient: boolean,
  /** One, or one for each version where they say it in other words. */
  summary: string | readonly [string, string],
  /** The last line of the details. */
  lastDetail?: string,
];

const refused = "http://127.0.0.1:1/x.tar.gz", broken = "http://127.0.0.1:8503";
const archive = (rest: string) =>
  `Failed to open archive (Source threw exception: error: unable to download '${rest}`;

/** Each captured log of a failure, by name. */
const failures: Record<string, Row> = {
  "builder-failed": [
    "builder-failed",
    false,
    "nixos-system-myhost-25.11 failed to build (exit code 2)",
    "main.c:3:1: error: unknown type",
  ],
  "builder-killed": [
    "out-of-memory",
    true,
    "big-image failed to build: it was killed, or memory ran out",
    "building",
  ],
  "daemon-down": [
    "daemon",
    true,
    "cannot connect to socket at '/nix/var/nix/daemon-socket/socket': No such file or directory",
  ],
  "daemon-gone": ["daemon", true, [
    "unexpected end-of-file",
    "Nix daemon disconnected unexpectedly (maybe it crashed?)",
  ]],
  // The database was busy for a while, and then a builder failed.
  "db-busy": [
    "builder-failed",
    false,
    "nixos-system-myhost-25.11 failed to build (exit code 2)",
    "main.c:3:1: error: unknown type",
  ],
  "dependency-failed": [
    "builder-failed",
    false,
    "web-app-1.2.3 failed to build",
    "main.c:12:5: error: unknown type name nt",
  ],
  "disk-full-builder": [
    "disk-full",
    true,
    "big-image failed to build: no space left on device",
    "head: error writing 'standard output': No space left on device",
  ],
  "disk-full-store": [
    "disk-full",
    true,
    "no space left: writing to file: No space left on device",
  ],
  "eval-attribute": [
    "evaluation-error",
    false,
    "evaluation failed: attribute 'webb' missing",
    "Did you mean web?",
  ],
  "eval-syntax": [
    "evaluation-error",
    false,
    "evaluation failed: syntax error, unexpected ';'",
    "at flake.nix:3:41",
  ],
  "eval-undefined": [
    "evaluation-error",
    false,
    "evaluation failed: undefined variable 'undefinedName'",
    "at flake.nix:8:47",
  ],
  "fetchurl-refused": [
    "network",
    true,
    "source.tar.gz could not be downloaded",
  ],
  "flake-missing": ["flake-missing", false, "there is no flake.nix"],
  "hash-mismatch": [
    "hash-mismatch",
    true,
    "source.tar.gz does not match its hash",
    "got:    sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=",
  ],
  "host-missing": [
    "host-missing",
    false,
    "the flake has no nixosConfigurations.myhost with a config.system.build.toplevel",
    "Did you mean myhosts?",
  ],
  "ifd-failed": [
    "builder-failed",
    false,
    "generated.nix failed to build",
    "broken",
  ],
  "input-404": ["input-unavailable", true, [
    `an input is not available: unable to download '${broken}/404.tar.gz': HTTP error 404 ('Not Found')`,
    `an input is not available: ${
      archive(broken)
    }/404.tar.gz': HTTP error 404)`,
  ]],
  "input-503": ["network", true, [
    `cannot download: unable to download '${broken}/x.tar.gz': HTTP error 503 ('Service Unavailable')`,
    `cannot download: ${archive(broken)}/x.tar.gz': HTTP error 503)`,
  ]],
  "input-git-refused": ["network", true, [
    "cannot download: program 'git' failed with exit code 128",
    "cannot download: Cannot find Git revision '6774f7bc253789b113a4f39285dc0fa100abeacc' in ref 'main' of repository 'http://127.0.0.1:1/dep.git'! Please make sure that the rev exists on the ref you've s…",
  ]],
  "input-tarball-refused": ["network", true, [
    `cannot download: unable to download '${refused}': Couldn't connect to server (7)`,
    `cannot download: ${
      archive(refused)
    }': Could not connect to server (7) Failed to connect to 127.0.0.1 port 1 after 0…`,
  ]],
  "input-unresolved": ["network", true, [
    "cannot download: unable to download 'http://nowhere.invalid/x.tar.gz': Couldn't resolve host name (6)",
    `cannot download: ${
      archive("http://nowhere.invalid/x.tar.gz")
    }': Could not resolve hostname (6) Could not resolve host: nowhere.invalid)`,
  ]],
  "lock-outdated": [
    "lock-outdated",
    false,
    "flake.lock is missing or does not match flake.nix",
  ],
  // Its log quotes failures of the machine, but they are not its own.
  "mentions-only": [
    "builder-failed",
    false,
    "nixos-system-myhost-25.11 failed to build",
    "main.c:9:3: error: connection refused is not a type",
  ],
  "substitute-nar-503": ["network", true, [
    "cannot download: unable to download 'http://127.0.0.1:8600/nar/17blvhglw6bndhadszm33widmvkp88dqd47nvryb2p7v0x3l57mf.nar': HTTP error 503 ('Service Unavailable')",
    "cannot download: unable to download 'http://127.0.0.1:8600/nar/11q4w11kfj5yl9fx0c9qz409g1m5k5w49jpi6fdylmxfl2n9fc61.nar': HTTP error 503",
  ]],
  "two-failed": [
    "builder-failed",
    false,
    "db-schema-7, web-app-1.2.3 failed to build",
    "  a: cannot find header",
  ],
};

type Reason = BuildFailure["reason"];

/**
 * Logs with `--show-trace` of what is not the revision's fault for certain:
 * none of them may hold it. Two reasons are those of the two versions.
 */
const outside: Record<string, Reason | readonly [Reason, Reason]> = {
  "builder-fixed-failed": "download-failed",
  "builder-silent": "builder-timed-out",
  "builder-term": "builder-killed",
  "builder-timeout": "builder-timed-out",
  "builder-unreachable": "no-builder",
  "eval-fetchgit": "input-unavailable",
  "eval-fetchtarball-half": "network",
  "eval-fetchtarball-mismatch": "hash-mismatch",
  "eval-fetchurl": "hash-mismatch",
  "eval-fetchurl-half": "network",
  // Without --show-trace no version says that it was a throw.
  "eval-throw": "unknown",
  "input-tarball-401": "input-denied",
  "input-tarball-403": "input-denied",
  "input-tarball-403abuse": "slow-down",
  "input-tarball-403rate": "slow-down",
  "input-tarball-429": "slow-down",
  "input-tarball-503": "network",
  "input-tarball-bentgz": "hash-mismatch",
  "input-tarball-empty": ["network", "hash-mismatch"],
  "input-tarball-half": "network",
  "input-tarball-hangup": "network",
  "input-tarball-other": "hash-mismatch",
  "input-tarball-page": "network",
  "input-tarball-redirectloop": "input-unavailable",
  "input-tarball-truncgz": "network",
  "max-jobs-0": "no-builder",
  "other-feature": "no-builder",
  "other-system": "no-builder",
  "substitute-nar-bent": "network",
  "substitute-nar-cut": "network",
  "substitute-nar-half": "network",
  "substitute-nar-page": "network",
  "substitute-narinfo-403": "no-builder",
  "substitute-narinfo-cut": "network",
  "substitute-narinfo-empty": "network",
  "substitute-narinfo-page": "network",
};

/** The same of what is its fault. Nix 2.8 does not mark a throw. */
const certain: Record<string, Reason | readonly [Reason, Reason]> = {
  "builder-exit": "builder-failed",
  "builder-no-output": "builder-failed",
  "builder-segv": "builder-failed",
  "eval-abort": "evaluation-error",
  "eval-assert": "evaluation-error",
  "eval-head": "evaluation-error",
  "eval-impure": "evaluation-error",
  "eval-infinite": "evaluation-error",
  "eval-json": "evaluation-error",
  "eval-missing-arg": "evaluation-error",
  "eval-missing-file": "evaluation-error",
  "eval-name": "evaluation-error",
  "eval-no-drv": "evaluation-error",
  "eval-no-outputs": "evaluation-error",
  "eval-path-missing": "evaluation-error",
  "eval-readfile": "evaluation-error",
  "eval-throw-bare": ["unknown", "evaluation-error"],
  "eval-throw-network": ["network", "evaluation-error"],
  "eval-throw-trace": ["unknown", "evaluation-error"],
  "eval-type": "evaluation-error",
  "toplevel-missing": "host-missing",
};

/** Logs of builds that succeeded; the last thing that they showed. */
const successes: Record<string, string> = {
  "success": "3 of 3 built",
  "substituter-down": "3 of 3 built",
  "substitute-file": "3 of 3 copied",
  "substitute-http": "3 of 3 copied, 3.0 MiB fetched",
  "substitute-and-build": "1 of 1 built, 2 of 2 copied, 3.0 MiB fetched",
};

Deno.test("Nix tells what it will fetch, and 2.8 does not", () => {
  const mebi = 2 ** 20;
  const table = {
    "success": 0,
    "builder-failed": 0,
    "substitute-file": 3 * mebi,
    "substitute-http": 3 * mebi,
    "substitute-and-build": 3 * mebi,
  };
  for (const [name, bytes] of Object.entries(table)) {
    assertEquals(after(linesOf("2.26.3", name)).unpacked, bytes, name);
    assertEquals(after(linesOf("2.8.0", name)).unpacked, 0, name);
  }
});

for (const version of versions) {
  Deno.test(`every failure of Nix ${version} is told apart`, () => {
    for (const [name, row] of Object.entries(failures)) {
      const [reason, transient, summary, lastDetail] = row;
      const failure = after(linesOf(version, name)).failure();
      const expected = typeof summary === "string"
        ? summary
        : summary[versions.indexOf(version)];
      assertEquals(
        [failure.reason, failure.transient, failure.summary],
        [reason, transient, expected!],
        name,
      );
      if (lastDetail) {
        assertEquals(failure.details.at(-1)?.trim(), lastDetail.trim(), name);
      }
      assert(failure.summary.length <= 200, name);
    }
  });

  Deno.test(`Nix ${version}: only what is certain holds a revision`, () => {
    const at = versions.indexOf(version);
    for (const [name, row] of Object.entries({ ...outside, ...certain })) {
      const reason = typeof row === "string" ? row : row[at]!;
      const isHeld = name in certain &&
        !["unknown", "network"].includes(reason);
      const failure = after(linesOf(version, name)).failure();
      const told = `${name}: ${failure.summary}`;
      assertEquals(
        [failure.reason, !failure.transient],
        [reason, isHeld],
        told,
      );
    }
  });

  Deno.test(`the end of every build that Nix ${version} did is shown`, () => {
    for (const [name, shown] of Object.entries(successes)) {
      assertEquals(after(linesOf(version, name)).progress(), shown, name);
    }
  });

  Deno.test(`each log of Nix ${version} has a row in a table`, () => {
    const names = [...Deno.readDirSync(`${folder}${version}`)].map((file) =>
      file.name.replace(/\.log$/, "")
    );
    const known = [
      ...Object.keys(failures),
      ...Object.keys(outside),
      ...Object.keys(certain),
      ...Object.keys(successes),
      "disk-full-db",
    ];
    assertEquals(names.sort(), known.sort());
  });
}

Deno.test("a database on a full disk is told in each version's words", () => {
  const [older, newer] = versions.map((version) =>
    after(linesOf(version, "disk-full-db")).failure()
  );
  // Nix 2.8 hears of an I/O error alone.
  assertEquals([older!.reason, older!.transient], ["system", true]);
  assertEquals([newer!.reason, newer!.transient], ["disk-full", true]);
});

Deno.test("what is built, copied and fetched is shown as it goes on", () => {
  const table: [string, string, readonly [line: number, shown: string][]][] = [
    ["2.8.0", "success", [
      [0, "evaluating"],
      [6, "evaluating"],
      [7, "0 of 1 built"],
      [12, "0 of 3 built · linux-6.12.8"],
      [16, "1 of 3 built · linux-6.12.8"],
      [18, "1 of 3 built · unit-web.service"],
      [26, "3 of 3 built"],
    ]],
    ["2.26.3", "success", [
      [18, "evaluating"],
      [22, "0 of 3 built · linux-6.12.8"],
      [28, "1 of 3 built · unit-web.service"],
      [36, "3 of 3 built"],
    ]],
    ["2.8.0", "substitute-http", [
      [20, "0 of 1 built, 0 of 3 copied"],
      [26, "0 of 1 built, 0 of 3 copied, 3.0 MiB fetched · linux-6.12.8"],
      [39, "0 of 1 built, 2 of 3 copied, 3.0 MiB fetched"],
    ]],
    ["2.26.3", "substitute-http", [
      [35, "0 of 1 built, 0 of 3 copied, 0.6 MiB fetched · unit-web.service"],
      [37, "0 of 1 built, 0 of 3 copied, 1.6 MiB fetched · unit-web.service"],
      [47, "0 of 1 built, 2 of 3 copied, 3.0 MiB fetched"],
    ]],
    ["2.8.0", "substitute-and-build", [
      [21, "0 of 3 built, 0 of 2 copied"],
      [33, "0 of 2 built, 1 of 2 copied, 3.0 MiB fetched"],
      [
        45,
        "1 of 1 built, 2 of 2 copied, 3.0 MiB fetched · nixos-system-myhost-25.11",
      ],
    ]],
  ];
  for (const [version, name, points] of table) {
    const lines = linesOf(version, name);
    for (const [line, shown] of points) {
      const log = after(lines.slice(0, line));
      assertEquals(log.progress(), shown, `${version} ${name}:${line}`);
    }
  }
});

Deno.test("Nix that ends without a word may do better later", () => {
  assertEquals(after([]).failure(), {
    reason: "unknown",
    transient: true,
    summary: "Nix failed without an error",
    details: [],
  });
  const refused = after([
    "usage: nixos-rebuild [-h] [--verbose] [--max-jobs MAX_JOBS]",
    "nixos-rebuild: error: unrecognized arguments: --jobs 4",
  ]);
  assertEquals(
    refused.failure().summary,
    "nixos-rebuild does not accept its arguments (build.options): unrecognized arguments: --jobs 4",
  );
  const killed = after(["GC Warning: Out of Memory! Heap size: 1 MiB"]);
  assertEquals(killed.failure().reason, "out-of-memory");
});

Deno.test("the usage errors of each nixos-rebuild are quoted", () => {
  const own = "nixos-rebuild does not accept its arguments (build.options): ";
  const table = {
    "nixos-rebuild: error: unrecognized arguments: --jobs 4":
      `${own}unrecognized arguments: --jobs 4`,
    "/run/current-system/sw/bin/nixos-rebuild: unknown option `--jobs'":
      `${own}unknown option \`--jobs'`,
    "nixos-rebuild: '-j' requires an argument":
      `${own}'-j' requires an argument`,
  };
  for (const [line, summary] of Object.entries(table)) {
    assertEquals(after([line]).failure().summary, summary);
  }
});

Deno.test("an error of Nix is printed once, whole", () => {
  const long = "a very long line ".repeat(20).trim();
  const table: Record<string, [summary: string, details: string[]]> = {
    // One that is longer than half a summary.
    [`attribute '${"x".repeat(120)}' missing`]: [
      `evaluation failed: attribute '${"x".repeat(120)}' missing`,
      [],
    ],
    "\nFailed assertions:\n- The first\n- The second": [
      "evaluation failed: Failed assertions: - The first - The second",
      [],
    ],
    [`Failed assertions:\n- The first\n- ${long}`]: [
      "evaluation failed: Failed assertions: - The first …",
      [`- ${long}`],
    ],
    [long]: [
      `${`evaluation failed: ${long}`.slice(0, 199)}…`,
      [long],
    ],
  };
  for (const [raw_msg, [summary, details]] of Object.entries(table)) {
    const failure = after([
      message({ raw_msg, file: "/nix/store/x/flake.nix", line: 1, column: 2 }),
    ]).failure();
    assertEquals(
      [failure.summary, failure.details],
      [summary, [...details, "at /nix/store/x/flake.nix:1:2"]],
    );
  }
});

Deno.test("the warnings of an evaluation are kept, and those of Nix are not", () => {
  const log = after([
    message({
      level: 1,
      msg: "\u001b[35;1mevaluation warning:\u001b[0m The option `a' is renamed",
      raw_msg: "The option `a' is renamed",
    }),
    message({ msg: "trace: \u001b[1;31mwarning: old\u001b[0m\n  and odd" }),
    message({ msg: "trace: \u001b[1;35mevaluation warning:\u001b[0m again" }),
    message({ msg: "trace: evaluation warning: again" }),
    message({ msg: "trace: just a value" }),
    message({ level: 1, msg: "warning: Git tree '/tmp/x' is dirty" }),
  ]);
  assertEquals(log.warnings, [
    "The option `a' is renamed",
    "old and odd",
    "again",
  ]);
  for (let i = 0; i < 100; i++) {
    log.line(message({ msg: `trace: evaluation warning: ${i}` }));
  }
  assertEquals(log.warnings.length, 20);
});

Deno.test("an error of nixos-rebuild itself, in plain words, is told", () => {
  const failure = after([
    "building the system configuration...",
    "error: flake 'git+file:///x' does not provide attribute 'nixosConfigurations.web'",
  ]).failure();
  assertEquals(failure.reason, "host-missing");
});

Deno.test("what no version was seen to say holds nothing", () => {
  const texts = [
    "something that nobody has seen yet",
    "gzip decompression failed",
    "failed to decompress 'x.nar.xz'",
    "cannot read file 'lib/data' from tarball 'http://127.0.0.1/lib.tar.gz'",
    "cannot decode 'x'",
    // A server may answer with Nix's own words.
    "unable to download 'http://x/y': HTTP error 404\n\nresponse body:\n\nerror: flake 'x' does not provide attribute 'nixosConfigurations.web'",
    "unable to download 'http://x/y': HTTP error 404\n\nresponse body:\n\nassertion '1' failed",
    "unable to download 'http://x/y': HTTP error 404\n\nresponse body:\n\n… while calling the 'throw' builtin",
    `some error of '/nix/store/${"a".repeat(32)}-x.drv' that is new`,
  ];
  for (const raw_msg of texts) {
    for (const file of [undefined, null]) {
      const failure = after([message({ raw_msg, file })]).failure();
      assert(failure.transient, `${failure.reason}: ${raw_msg}`);
    }
  }
  assert(after(["error: something new of nixos-rebuild"]).failure().transient);
  const overflow = "error: stack overflow (possible infinite recursion)";
  assertEquals(after([overflow]).failure().reason, "evaluation-error");
});

Deno.test("a full disk explains the errors that it caused", () => {
  const drv = (name: string) => `/nix/store/${"a".repeat(32)}-${name}.drv`;
  const failure = after([
    message({ raw_msg: `builder for '${drv("web")}' failed with exit code 1` }),
    message({ raw_msg: "writing to file: No space left on device" }),
  ]).failure();
  assertEquals([failure.reason, failure.transient], ["disk-full", true]);
});

Deno.test("a log can't make a failure of the revision look like another", () => {
  const drv = `/nix/store/${"a".repeat(32)}-web.drv`;
  const claims = [
    "the network is unreachable",
    "curl: (6) Could not resolve host",
    "main.c:1:1: No space left on device",
    "# No space left on device, they said",
    "due to signal 9",
  ];
  for (const claim of claims) {
    const failure = after([
      `@nix ${
        JSON.stringify({
          action: "start",
          id: 1,
          type: 105,
          fields: [drv, "", 1, 1],
        })
      }`,
      `@nix ${
        JSON.stringify({ action: "result", id: 1, type: 101, fields: [claim] })
      }`,
      message({ raw_msg: `builder for '${drv}' failed with exit code 1` }),
    ]).failure();
    assertEquals(
      [failure.reason, failure.transient],
      ["builder-failed", false],
      claim,
    );
    assertEquals(failure.details, [`${drv}:`, `  ${claim}`]);
  }
});

/** Some lines of a log, at such times. */
function at(
  lines: readonly [ms: number, entry: Record<string, unknown>][],
  said: string[] = [],
) {
  let time = 0;
  const log = new NixLog(() => true, (text) => said.push(text), () => time);
  for (const [ms, entry] of lines) {
    time = ms;
    log.line(`@nix ${JSON.stringify(entry)}`);
  }
  return { log, wait: (ms: number) => time += ms };
}

const store = (name: string) => `/nix/store/${"a".repeat(32)}-${name}`;
const mebi = 2 ** 20;

Deno.test("what is at work is told with its time, and what is fetched with its rate", () => {
  const { log, wait } = at([
    [0, { action: "start", id: 1, type: 104 }],
    [0, { action: "start", id: 2, type: 103 }],
    [0, { action: "result", id: 1, type: 105, fields: [3, 12, 1, 0] }],
    [0, { action: "result", id: 2, type: 106, fields: [101, 40 * mebi] }],
    [0, {
      ...{ action: "start", id: 3, type: 105 },
      fields: [store("linux-6.12.8.drv"), "", 1, 1],
    }],
    [1000, { action: "result", id: 3, type: 104, fields: ["buildPhase"] }],
    [2000, {
      ...{ action: "start", id: 4, type: 100 },
      fields: [store("firefox-120"), "https://cache.example", "local"],
    }],
    [2000, {
      ...{ action: "start", id: 5, type: 101, parent: 4 },
      fields: ["https://cache.example/nar/x.nar.xz?token=secret"],
    }],
    [3000, {
      ...{ action: "start", id: 6, type: 101, parent: 0 },
      fields: ["https://forge.example/source.tar.gz?token=secret"],
    }],
    [4000, { action: "result", id: 3, type: 101, fields: ["  CC main.o"] }],
  ]);
  log.now();
  wait(1000);
  for (const id of [5, 6]) {
    const done = { action: "result", id, type: 105, fields: [5 * mebi, 0] };
    log.line(`@nix ${JSON.stringify(done)}`);
  }
  const half = {
    action: "result",
    id: 4,
    type: 105,
    fields: [6 * mebi, 90 * mebi],
  };
  log.line(`@nix ${JSON.stringify(half)}`);
  assertEquals(log.now(), {
    text: "3 of 12 built, 10 of 40 MiB at 10 MiB/s · linux-6.12.8",
    tasks: [
      { kind: "build", name: "linux-6.12.8", ms: 5000, note: "buildPhase" },
      {
        ...{ kind: "fetch", name: "firefox-120", ms: 3000 },
        note: "6.0 of 90 MiB, 2.0 MiB/s",
      },
      {
        ...{ kind: "fetch", name: "source.tar.gz", ms: 2000 },
        note: "5.0 MiB, 2.5 MiB/s",
      },
    ],
    last: "  CC main.o",
  });
});

for (const version of versions) {
  Deno.test(`all that a build of Nix ${version} says for people is handed on`, () => {
    const said: string[] = [];
    const log = new NixLog(() => true, (text) => said.push(text));
    linesOf(version, "builder-failed").forEach((line) => log.line(line));
    const name = "nixos-system-myhost-25.11";
    for (
      const line of [
        `building '${store(`${name}.drv`)}'`,
        `${name}> line 14`,
        "unknown type",
      ]
    ) {
      const plain = line.replace("a".repeat(32), "");
      assert(
        said.some((one) =>
          one.replace(/[0-9a-z]{32}(?=-)/, "").includes(plain)
        ),
        `${line}: ${said.join("\n")}`,
      );
    }
    assert(!said.some((one) => one.includes('"action"')), said.join("\n"));
  });
}

Deno.test("the last 25 lines of a build that failed are told, with how to see all", () => {
  const drv = store("web.drv");
  const { log } = at([
    [0, { action: "start", id: 1, type: 105, fields: [drv, "", 1, 1] }],
    ...Array.from(
      { length: 100 },
      (_, i): [number, Record<string, unknown>] => [
        i,
        { action: "result", id: 1, type: 101, fields: [`line ${i + 1}`] },
      ],
    ),
    [100, {
      ...{ action: "msg", level: 0 },
      raw_msg: `builder for '${drv}' failed with exit code 1`,
    }],
  ]);
  const { details, logs } = log.failure();
  assertEquals([details[0], details.length], [`${drv}:`, 26]);
  assertEquals([details[1], details.at(-1)], ["  line 76", "  line 100"]);
  assertEquals(logs, [drv]);
});
