import { assertEquals, assertStringIncludes } from "@std/assert";
import { load, refused } from "./load.ts";

const base = "repository: https://git.example.org/team/infra.git\n";

Deno.test("gates are read as people write them", async () => {
  const config = await load(
    `${base}gates:
  soak: 2h
  checks: [ci/*, ci/*, "*"]
  forge: gitea
  prometheus:
    - {url: "https://p.example", query: 'up{a="b"} == 1', for: 1h30m, tokenFile: /t}
    - {url: "http://127.0.0.1:9090/x", query: up}
  command: [may, deploy]
`,
  );
  assertEquals(config["gates.soak"], 7_200_000);
  assertEquals(config["gates.checks"], ["ci/*", "*"]);
  assertEquals(config["gates.prometheus"], [
    {
      url: "https://p.example",
      query: 'up{a="b"} == 1',
      for: 5_400_000,
      tokenFile: "/t",
    },
    { url: "http://127.0.0.1:9090/x", query: "up" },
  ]);
  assertEquals(config["gates.command"], ["may", "deploy"]);
  const none = await load(base);
  assertEquals(none["gates.soak"], undefined);
  assertEquals(none["gates.checks"], []);
  assertEquals(none["gates.prometheus"], []);
  assertEquals(none["gates.command"], []);
});

Deno.test("a gate that could never open, or shows a token, is refused", async () => {
  const one = (text: string) => `gates: {prometheus: [${text}]}`;
  const table: [text: string, says: string][] = [
    ["gates: {soak: 0s}", "a duration"],
    ["gates: {checks: [ci/*]}", "without a forge"],
    ["gates: {checks: [''], forge: gitea}", "names of checks"],
    [`gates: {checks: [${"x".repeat(256)}], forge: gitea}`, "names of checks"],
    ["gates: {command: ''}", "the words of a command"],
    ["gates: {command: ['']}", "the words of a command"],
    ["gates: {command: [1]}", "the words of a command"],
    [one("{url: 'https://p.example'}"), "a query in each item"],
    [one("{query: up}"), "a url in each item"],
    [one("{url: 'http://p.example', query: up}"), "https://"],
    [one("{url: 'https://me:secret@p.example', query: up}"), "no user"],
    [one("{url: 'https://p.example/?x=1', query: up}"), "https://"],
    [one("{url: 'https://p.example', query: ' '}"), "a query of at most"],
    [one("{url: 'https://p.example', query: up, for: soon}"), "a duration"],
    [
      one("{url: 'https://p.example', query: up, until: 1h}"),
      "only url, query",
    ],
    [one("up"), "keys and values in each"],
  ];
  for (const [text, says] of table) {
    const { message } = await refused(`${base}${text}`);
    assertStringIncludes(message, says, text);
    assertEquals(message.includes("secret"), false, text);
  }
  // The forge that is told is the one that is asked.
  await load(`${base}gates: {checks: [ci]}\ncommitStatus: {forge: github}`);
});
