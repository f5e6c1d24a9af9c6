import { assert, assertEquals } from "@std/assert";
import {
  type LeafRule,
  leaves,
  patternOf,
  plainLeaves,
} from "../../lib/secrets/sops/leaves.ts";
import { readSops } from "../../lib/secrets/sops/metadata.ts";
import { readRules, ruleFor } from "../../lib/secrets/sops/rules.ts";
import type { SopsFormat } from "../../lib/secrets/sops/formats.ts";

const value = "ENC[AES256_GCM,data:abc=,iv:x=,tag:y=,type:str]";
const doubled = value + value;

Deno.test("what a text is to sops", () => {
  const table: [SopsFormat, string, string][] = [
    ["yaml", `x: ${value}\nsops:\n  mac: ${value}\n`, "sops"],
    ["yaml", `x: ${value}\r\nsops:\r\n  mac: ${value}\r\n`, "sops"],
    ["yaml", `\ufeffx: ${value}\nsops:\n  mac: ${value}\n`, "sops"],
    ["yaml", `x: ${value}\n`, "headless"],
    ["yaml", `x:\n  - y: ${value}\nsops: a tool\n`, "headless"],
    ["yaml", `x: ${value}\nsops:\n  colour: blue\n`, "headless"],
    ["yaml", "x: 1\nsops:\n  age: []\n", "sops"],
    ["yaml", `# write ${value} below\n# sops: here\n`, "plain"],
    ["yaml", `text: see ${value} there\n`, "plain"],
    ["yaml", `x: ${doubled}\n`, "plain"],
    ["yaml", `x: [${value}\n`, "broken"],
    ["yaml", "x: [1\n", "plain"],
    // Whom it is for can be read, its values can't: sops has the last word.
    ["yaml", `x: "${value}\nsops:\n  mac: ${value}\n`, "sops"],
    ["yaml", "", "plain"],
    ["json", `{"x": "${value}", "sops": {"mac": "${value}"}}`, "sops"],
    ["json", `{"x": "${value}"}`, "headless"],
    ["json", `{"x": "${value}", "sops": {"ma`, "broken"],
    ["json", `[${"[".repeat(100_000)}"${value}"`, "broken"],
    ["dotenv", `X=${value}\nsops_mac=${value}\n`, "sops"],
    ["dotenv", `X=${value}\n`, "headless"],
    ["dotenv", `X=${value}\nsops_mac\n`, "broken"],
    ["dotenv", "X=1\n\n# no secret\n", "plain"],
    ["ini", `[web]\nx = ${value}\n[sops]\nmac = ${value}\n`, "sops"],
    ["ini", `[web]\nx = ${value}\n`, "headless"],
    ["ini", `[web]\nx = ${value}\nno value\n`, "broken"],
    ["binary", `{\n\t"data": "${value}",\n\t"sops": {"mac": ""}\n}`, "sops"],
    ["binary", `It looks like {"data": "${value}", "sops": {}}`, "plain"],
    ["binary", `x: ${value}\nsops:\n`, "plain"],
    ["binary", `{"data": "${value}", "so`, "broken"],
    ["binary", "\u0000\u0001\u0002", "plain"],
  ];
  for (const [format, text, kind] of table) {
    assertEquals(readSops(format, text).kind, kind, text.slice(0, 200));
  }
});

Deno.test("a file tells whom it is for, of whatever kind", () => {
  const file = readSops(
    "json",
    JSON.stringify({
      sops: {
        age: [{ recipient: " age1web ", enc: "x" }],
        pgp: [{ fp: "abcd 1234", enc: "x" }],
        hc_vault: [{
          vault_address: "https://vault.example.org/",
          engine_path: "transit",
          key_name: "web",
        }],
        kms: [{ arn: "arn:aws:kms:1" }],
        gcp_kms: [{ resource_id: "projects/x" }],
        azure_kv: [{ vault_url: "https://x", name: "k" }],
        mac: value,
        version: "3.13.2",
        lastmodified: "2026-01-01T00:00:00Z",
      },
    }),
  );
  assert(file.kind === "sops", file.kind);
  assertEquals(file.groups, [[
    { kind: "age", name: "age1web" },
    { kind: "pgp", name: "ABCD1234" },
    {
      kind: "hc_vault",
      name: "https://vault.example.org/v1/transit/keys/web",
      vault: {
        address: "https://vault.example.org/",
        enginePath: "transit",
        keyName: "web",
      },
    },
    { kind: "kms", name: "arn:aws:kms:1" },
    { kind: "gcp_kms", name: "projects/x" },
    { kind: "azure_kv", name: "https://x/keys/k" },
  ]]);
  assertEquals([file.needed, file.hasMac], [1, true]);
  assertEquals(
    [file.version, file.lastModified],
    ["3.13.2", "2026-01-01T00:00:00Z"],
  );
});

Deno.test("key groups are read from flat metadata too", () => {
  const file = readSops(
    "dotenv",
    [
      `X=${value}`,
      "sops_key_groups__list_0__map_age__list_0__map_recipient=age1a",
      "sops_key_groups__list_0__map_age__list_1__map_recipient=age1b",
      "sops_key_groups__list_1__map_pgp__list_0__map_fp=AAAA",
      "sops_key_groups__list_2__map_age__list_0__map_recipient=age1c",
      "sops_shamir_threshold=2",
      `sops_mac=${value}`,
    ].join("\n"),
  );
  assert(file.kind === "sops", file.kind);
  const names = file.groups.map((group) => group.map(({ name }) => name));
  assertEquals(names, [["age1a", "age1b"], ["AAAA"], ["age1c"]]);
  assertEquals(file.needed, 2);
});

Deno.test("hostile metadata is read without harm", () => {
  const texts: [SopsFormat, string][] = [
    ["dotenv", `sops___map___proto____map_polluted=1\nsops_mac=${value}`],
    ["ini", `[__proto__]\npolluted = 1\n[sops]\nmac = ${value}\n`],
    ["ini", `[sops]\n__proto____map_polluted = 1\nmac = ${value}\n`],
    ["json", '{"sops": {"mac": 1, "age": {"a": 1}, "key_groups": [1, null]}}'],
    ["json", '{"sops": {"age": [null, 1, "x", {"recipient": 7}]}}'],
    ["json", '{"sops": {"shamir_threshold": {"x": 1}, "mac": []}}'],
    ["yaml", "sops: &a\n  mac: *a\n"],
    ["yaml", "a: &a [x]\nb: [*a, *a]\nsops: {mac: *a, age: *a}\n"],
  ];
  for (const [format, text] of texts) {
    readSops(format, text);
    assertEquals(({} as Record<string, unknown>).polluted, undefined, text);
  }
});

Deno.test("values are found once, however they are tied together", () => {
  const all = (root: unknown) =>
    leaves(root).map(({ path, value }) => `${path.join(".")}=${value}`);
  assertEquals(
    all({ a: 1, b: [{ c: "x" }, ["y"]], d: null }),
    ["a=1", "b.c=x", "b=y", "d=null"],
  );
  const loop: Record<string, unknown> = { a: 1 };
  loop.again = loop;
  assertEquals(all(loop), ["a=1"]);
  let bomb: unknown = ["lol"];
  for (let i = 0; i < 40; i++) bomb = [bomb, bomb, bomb];
  assertEquals(all(bomb), ["=lol"]);
  let deep: unknown = "x";
  for (let i = 0; i < 100_000; i++) deep = [deep];
  assertEquals(all(deep), ["=x"]);
});

Deno.test("values that should be encrypted and are not are named", () => {
  const rule = (given: Partial<LeafRule>): LeafRule => ({
    byComment: false,
    ...given,
  });
  const usual = rule({ unencryptedSuffix: "_unencrypted" });
  const table: [unknown, LeafRule, string[]][] = [
    [{ a: value, b: { c: value } }, usual, []],
    [{ a: "plain" }, usual, ["a"]],
    [{ a: "", b: null, c: {}, d: [] }, usual, []],
    [{ a: 0, b: false, c: ["x"] }, usual, ["a", "b", "c"]],
    [{ a_unencrypted: "plain", b_unencrypted: { c: 1 } }, usual, []],
    [{ a: `${value} and more` }, usual, ["a"]],
    [{ a: "x", b_secret: value }, rule({ encryptedSuffix: "_secret" }), []],
    [{ b_secret: "x" }, rule({ encryptedSuffix: "_secret" }), ["b_secret"]],
    [
      { kind: "Secret", data: { a: "x" }, stringData: { b: value } },
      rule({ encryptedRegex: "^(data|stringData)$" }),
      ["data.a"],
    ],
    [
      { meta: { a: "x" }, b: "y" },
      rule({ unencryptedRegex: "^meta$" }),
      ["b"],
    ],
    [{ a: "x" }, rule({ byComment: true }), []],
    [{ a: "x" }, rule({ encryptedRegex: "(a+)+$" }), []],
  ];
  for (const [document, given, names] of table) {
    assertEquals(plainLeaves([document], given), names, Deno.inspect(document));
  }
});

Deno.test("flattened metadata reaches nothing beside itself", () => {
  const hostile = [
    "sops_age__list_0__map_enc=x\nsops_age__map_constructor__map_prototype__map_filter=x\n",
    "sops_age__list_0__map_enc=x\nsops_age__map_constructor__map_of=x\n",
    "sops___proto____map_polluted=x\nsops_mac__list_x=1\nsops_mac=x\nsops_mac__map_a=x\n",
    "sops_age__list_4294967294__map_recipient=age1x\n",
    "sops_mac=x\nsops_mac__map_a=x\n",
  ];
  const { filter } = Array.prototype, { of } = Array;
  for (const lines of hostile) {
    const file = readSops("dotenv", `X=${value}\n${lines}`);
    const isWhole = Array.prototype.filter === filter && Array.of === of;
    Array.prototype.filter = filter;
    Array.of = of;
    assert(isWhole, lines);
    assert(!("polluted" in {}), lines);
    assertEquals(file.kind, "broken", lines);
  }
});

Deno.test("a value is told however deep it lies, and however many there are", () => {
  const depth = 20_000;
  const deep = JSON.parse(`${'{"a":'.repeat(depth)}"x"${"}".repeat(depth)}`);
  const many = Object.fromEntries(
    Array.from({ length: 200_002 }, (_, i) => [`k${i}`, value]),
  );
  for (const [found, most] of [[deep, 1], [{ ...many, last: "x" }, 1]]) {
    const names = plainLeaves([found], { byComment: false });
    assertEquals(names.length, most);
  }
});

Deno.test("patterns that mean something else, or take for ever, are not used", () => {
  for (
    const good of [
      "^data$",
      "(?i)PASS",
      "secrets/.*\\.ya?ml$",
      "a|b",
      "",
      "^(.*/)?secrets/[^/]+\\.(yaml|json|env|ini)$",
      "^hosts/([^/]+/)*[a-z_()*+]+\\.(?:yaml|json)$",
      "\\(x\\)+",
    ]
  ) {
    assert(patternOf(good), good);
  }
  assert(patternOf("(?i)PASS")!.test("pass"));
  for (
    const bad of [
      "(a+)+$",
      "(a*)*",
      "((a+))+",
      "^(a+|b)+$",
      "(a|a)*$",
      "(a|aa){2,}$",
      "(.*a){20}",
      "(a+b?)+$",
      "(a+?)+$",
      "x*x*x*x*x*$",
      `${"a?".repeat(30)}${"a".repeat(30)}`,
      "(",
      "\\pL",
      "(?P<x>a)",
      "a".repeat(2000),
    ]
  ) assertEquals(patternOf(bad), undefined, bad.slice(0, 20));
});

Deno.test("a pattern is never busy for long with a name", () => {
  const pattern = patternOf("a*a*a*b");
  assert(pattern);
  assert(!pattern.test("a".repeat(100) + "!"));
  const names = Array.from({ length: 2000 }, (_, i) => "a".repeat(5000) + i);
  for (const name of names) pattern.test(name);
});

Deno.test("creation rules are read, and the first that matches counts", () => {
  const read = readRules(`
creation_rules:
  - path_regex: secrets/web/.*
    age: age1web, age1ops
    encrypted_regex: ^data$
  - path_regex: secrets/.*
    key_groups:
      - age: [age1a, age1b]
        pgp: [AAAA]
      - hc_vault: ["https://vault.example.org/v1/transit/keys/web"]
    shamir_threshold: 2
  - age: [age1all]
    hc_vault_transit_uri: https://vault.example.org/v1/team/transit/keys/all
`);
  assert(!("why" in read), "it is read");
  const namesFor = (path: string) =>
    ruleFor(read.rules, path)?.groups.map((group) =>
      group.map(({ name }) => name)
    );
  assertEquals(namesFor("secrets/web/a.yaml"), [["age1web", "age1ops"]]);
  assertEquals(namesFor("old/secrets/a.yaml"), [
    ["age1a", "age1b", "AAAA"],
    ["https://vault.example.org/v1/transit/keys/web"],
  ]);
  assertEquals(namesFor("README.md")?.[0]?.[0], "age1all");
  assertEquals(read.rules[0]?.rule, {
    encryptedRegex: "^data$",
    byComment: false,
  });
  assertEquals(read.rules[2]?.groups[0]?.[1]?.vault, {
    address: "https://vault.example.org",
    enginePath: "team/transit",
    keyName: "all",
  });
  assertEquals(readRules("creation_rules: [").rules, []);
  assertEquals(readRules("stores: {}"), { rules: [] });
  assertEquals(readRules(""), { rules: [] });
});
