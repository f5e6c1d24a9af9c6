import { assertEquals, assertStringIncludes } from "@std/assert";
import { addressOf } from "../../lib/config/checks.ts";
import { loadConfig } from "../../lib/config/config.ts";
import { type OptionName, options } from "../../lib/config/schema.ts";
import { parse } from "../../lib/cli/arguments.ts";
import { commandHelp } from "../../lib/cli/help.ts";
import { commands } from "../../lib/cli/commands.ts";

const read = (name: OptionName, value: unknown) =>
  options[name].kind.read(value);

/** What a value becomes, or why it is refused. */
function holds(
  name: OptionName,
  good: readonly [unknown, unknown][],
  bad: readonly [unknown, string][],
): void {
  const { kind } = options[name];
  for (const [value, expected] of good) {
    assertEquals(kind.read(value), expected as never, Deno.inspect(value));
  }
  for (const [value, why] of bad) {
    assertEquals(kind.read(value), undefined, Deno.inspect(value));
    const said = kind.explain?.(value) ?? kind.expected;
    assertStringIncludes(said, why, Deno.inspect(value));
  }
}

Deno.test("HTTP checks are objects or URLs", () => {
  const url = "https://localhost:8443/health";
  const whole = { url, status: 302, body: "up", caFile: "/etc/own.pem" };
  holds("health.http", [
    [[], []],
    [[url], [{ url }]],
    [[whole, { url: "http://[::1]/" }], [whole, { url: "http://[::1]/" }]],
  ], [
    [url, "a list such as"],
    [{ url }, "a list such as"],
    [["localhost"], "http://"],
    [[{ url: "ftp://x/" }], "http://"],
    [[{ url: "http://me:secret@x/" }], "http://"],
    [[{ status: 200 }], "a url"],
    [[{ url, status: 99 }], "100 to 599"],
    [[{ url, body: "" }], "as body"],
    [[{ url, caFile: "own.pem" }], "absolute path"],
    [[{ url }, { url, code: 200 }], "not code"],
    [[[url]], "as url"],
    [[null], "as url"],
  ]);
});

Deno.test("commands are lists of words", () => {
  const one = ["systemctl", "is-active", "a unit; $(x)", ""];
  for (
    const name of [
      "health.commands",
      "hooks.preDeploy",
      "hooks.postDeploy",
      "hooks.onFailure",
    ] as const
  ) {
    holds(name, [[[], []], [[one, ["true"]], [one, ["true"]]]], [
      ["true", "no shell"],
      [["true"], "no shell"],
      [[[]], "no shell"],
      [[[""]], "no shell"],
      [[["a", 1]], "no shell"],
      [[["a", "b\0"]], "no shell"],
      [{ a: 1 }, "no shell"],
    ]);
  }
});

Deno.test("ports are a host and a number", () => {
  const good = ["localhost:22", "192.0.2.1:65535", "[::1]:53", "a-b.c_d:1"];
  holds("health.tcp", [[good, good], ["localhost:22", ["localhost:22"]]], [
    [["localhost"], "localhost:22"],
    [["localhost:0"], "localhost:22"],
    [["localhost:65536"], "localhost:22"],
    [["::1:53"], "localhost:22"],
    [[":22"], "localhost:22"],
    [[22], "localhost:22"],
    [22, "localhost:22"],
  ]);
  assertEquals(addressOf("[::1]:53"), { hostname: "::1", port: 53 });
  assertEquals(addressOf("a.b:22"), { hostname: "a.b", port: 22 });
});

Deno.test("windows are told with the word that is wrong", () => {
  const good = ["Mon-Fri 22:00-04:00 Europe/Berlin", "deny Sat,Sun"];
  for (const name of ["windows.deploy", "windows.reboot"] as const) {
    holds(name, [[good, good], ["Sat", ["Sat"]], [[], []]], [
      [["Sat", "Mno 22:00-04:00"], 'instead of "Mno"'],
      ["Sat 22-23", 'instead of "22-23"'],
      [[5], "windows such as"],
      [{ from: "22:00" }, "windows such as"],
    ]);
  }
});

Deno.test("a prebuilt system is named by a file or a safe URL", () => {
  for (
    const good of [
      "systems/{host}",
      "hosts/{host}/{revision}.txt",
      "https://ci.example.org/{host}/{revision}",
      "http://localhost:8080/{revision}",
      "http://[::1]/x",
    ]
  ) assertEquals(read("build.prebuilt", good), good);
  for (
    const bad of [
      "",
      "/etc/passwd",
      "../x",
      "a//b",
      "systems/{name}",
      "http://ci.example.org/x",
      "http://localhost.example.org/x",
      "https://me:secret@ci.example.org/x",
      "file:///srv/x",
      "a b",
    ]
  ) assertEquals(read("build.prebuilt", bad), undefined, bad);
});

Deno.test("a wrong check is told with its file, line and key", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(
      file,
      "repository: /srv/infra\nhealth:\n  tcp: [localhost:22]\n  http:\n" +
        "    - url: http://localhost/\n      stauts: 200\n",
    );
    const said = await loadConfig(file, []).then(
      () => "nothing",
      (error) => error.message,
    );
    assertStringIncludes(said, `${file}:4: Cannot use [`);
    assertStringIncludes(said, "for health.http: expected only url, status");
    assertStringIncludes(said, "not stauts");
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("what no word could hold is no flag", async () => {
  const said = await parse(["sync", "--hooks-pre-deploy", "true"]).then(
    () => "nothing",
    (error) => error.message,
  );
  assertStringIncludes(said, "there is no such flag");
  const help = commandHelp(commands[0]!);
  assertEquals(help.includes("--hooks-pre-deploy"), false);
  assertStringIncludes(help, "--health-tcp");
  const { given } = await parse(["sync", "--windows-deploy", "Sat,Sun"]);
  assertEquals(given[0]?.value, ["Sat,Sun"] as unknown);
});
