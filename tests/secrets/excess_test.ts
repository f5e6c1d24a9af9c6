import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ageStanzas } from "../../lib/secrets/age.ts";
import { type Facts, factsOf } from "../../lib/secrets/reading/facts.ts";
import { readRules } from "../../lib/secrets/sops/rules.ts";
import { bytes } from "./keys.ts";

const mac = "ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]";
const tail = `sops:\n    mac: ${mac}\n`;

/** Maps that each hold all of the one before. */
function chain(length: number, key = "<<:"): string {
  const maps = Array.from(
    { length },
    (_, i) => `- &a${i + 1} {${key} *a${i},k${i + 1}: 1}\n`,
  );
  return `m:\n- &a0 {k0: 1}\n${maps.join("")}`;
}

const read = (name: string, text: string): Facts =>
  factsOf({ name, bytes: bytes(text) });

// Without a bound each of these took all memory, and the runtime ended the
// whole program.
Deno.test("a text that grows in memory is not read", () => {
  const word = "x".repeat(2 ** 20);
  const keys = Array.from(
    { length: 100 },
    (_, i) => `? [${"*t,".repeat(400)}${i}]\n: 1\n`,
  ).join("");
  const table: [string, string, string][] = [
    ["a.yaml", chain(4000), "merged"],
    ["a.yaml", chain(4000, "!!merge :"), "merged"],
    ["a.yaml", chain(4000, "!<tag:yaml.org,2002:m%65rge> :"), "merged"],
    [
      "a.yaml",
      `%TAG !m! tag:yaml.org,2002:mer\n---\n${chain(4000, "!m!ge :")}`,
      "merged",
    ],
    ["a.yaml", `t: &t ${word}\n${keys}`, "keys"],
    ["a.json", `[${"[],".repeat(1_000_001)}[]]`, "values"],
    ["a.env", "\n".repeat(1_000_001), "values"],
  ];
  for (const [name, text, why] of table) {
    const facts = read(name, `${text}${tail}`);
    assert(facts.kind === "unread", `${why}: ${facts.kind}`);
    assertStringIncludes(facts.why, why);
  }
  assertStringIncludes(readRules(chain(4000)).why ?? "", "merged");
});

Deno.test("what people write is within the bounds", () => {
  const facts = read("a.yaml", `${chain(200)}${tail}`);
  assertEquals(facts.kind, "sops");
  const rules = Array.from(
    { length: 500 },
    (_, i) => `  - {path_regex: ^h${i}/, age: ${"*k,".repeat(0)}*k}\n`,
  ).join("");
  const text = `keys: [&k "${"age1qqq,".repeat(20)}"]\ncreation_rules:\n`;
  const found = readRules(`${text}${rules}`);
  assertEquals([found.rules.length, found.why], [500, undefined]);
  // A large file that is one value.
  const data = `ENC[AES256_GCM,data:${
    "A".repeat(2 ** 22)
  },iv:x,tag:x,type:str]`;
  const large = JSON.stringify({ data, sops: { mac, age: [] } });
  assertEquals(read("a.bin", large).kind, "sops");
});

Deno.test("a name that stands before many values is told in short", () => {
  const long = "k".repeat(2 ** 20);
  const values = Array.from({ length: 20_000 }, (_, i) => `"v${i}":1`);
  const facts = read(
    "a.json",
    `{"${long}":{${values.join()}},"sops":{"mac":"${mac}"}}`,
  );
  assert(facts.kind === "sops");
  assertEquals(facts.plain.length, 100);
  assert(facts.plain.join().length < 100_000);
});

Deno.test("values that are very deep are not each given all names", () => {
  const depth = 490;
  const values = `${"1,".repeat(200_000)}1`;
  const text = `${'{"a":'.repeat(depth)}[${values}]${"}".repeat(depth)}`;
  const facts = read("a.json", `{"b":${text},"sops":{"mac":"${mac}"}}`);
  assert(facts.kind === "sops");
  assertEquals(facts.plain.length, 1);
});

Deno.test("recipients that are repeated by aliases have an end", () => {
  const age = Array(3000).fill(`{recipient: x}`).join();
  const groups = Array(3000).fill("*g").join();
  const facts = read(
    "a.yaml",
    `g: &g {age: [${age}]}\nsops:\n    mac: ${mac}\n    key_groups: [${groups}]\n`,
  );
  assert(facts.kind === "sops");
  assert(facts.groups.flat().length < 20_000);
  const names = Array.from({ length: 20_000 }, (_, i) => `n${i}`).join();
  const rules = readRules(
    `k: &k "${names}"\ncreation_rules:\n${"  - {age: *k}\n".repeat(5000)}`,
  );
  assertStringIncludes(rules.why ?? "", "refer to each other");
});

Deno.test("only the beginning of an age file is its header", () => {
  const head = "age-encryption.org/v1\n";
  const stanza = "-> X25519 x\ny\n";
  const many = ageStanzas(head + stanza.repeat(1_000_000));
  assert(many !== undefined && many.length < 100_000);
  const body = btoa(head + stanza.repeat(100_000));
  const armored = `-----BEGIN AGE ENCRYPTED FILE-----\n${body}\n`;
  assert((ageStanzas(armored)?.length ?? 0) > 1000);
  assertEquals(ageStanzas(head + stanza), undefined);
  assertEquals(ageStanzas(armored.slice(0, 1000)), undefined);
});
