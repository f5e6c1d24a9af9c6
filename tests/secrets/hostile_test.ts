import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readRules } from "../../lib/secrets/sops/rules.ts";
import { treeRules } from "../../lib/secrets/reading/rules_for.ts";
import { Reader } from "../../lib/secrets/reading/reader.ts";
import { makeRepository } from "../world/repository.ts";
import { check, numbers } from "./check.ts";
import { bytes, must, withKeys } from "./keys.ts";

/** Key groups that each merge the one before nine times. */
function tied(levels: number): string {
  const last = levels - 1;
  const lines = Array.from(
    { length: last },
    (_, i) =>
      `  - key_groups: [&g${i + 1} {merge: [${
        Array(9).fill(`*g${i}`).join(", ")
      }]}]`,
  );
  return [
    "creation_rules:",
    "  - key_groups: [&g0 {age: x}]",
    ...lines,
  ].join("\n") + "\n";
}

Deno.test("key groups that are tied together are each looked at once", () => {
  const { rules, why } = readRules(tied(13));
  assertEquals([rules.length, why], [13, undefined]);
  for (const { groups } of rules) {
    assertEquals(groups, [[{ kind: "age", name: "x" }]]);
  }
  const loop = readRules(
    "creation_rules:\n  - key_groups: [&a {age: y, merge: [&b {merge: [*a, *b]}]}]\n",
  );
  assertEquals(loop.rules[0]?.groups, [[{ kind: "age", name: "y" }]]);
  const many = `creation_rules:\n${`  - key_groups: [{merge: &m [${
    Array(500).fill("{age: z}").join(", ")
  }]}]\n`}${"  - key_groups: [{merge: *m}]\n".repeat(1000)}`;
  assertStringIncludes(readRules(many).why ?? "", "refer to each other");
  assertStringIncludes(readRules(" ".repeat(2 ** 21)).why ?? "", "longer than");
});

Deno.test("a tree of many folders with rules is looked through once", () => {
  const folders = Array.from({ length: 20_000 }, (_, i) => `a/${i}/b/c/`);
  const text = "creation_rules:\n  - {path_regex: ^secret, age: x}\n";
  const files = folders.map((folder) => ({ folder, text }));
  const paths = folders.flatMap((folder) => [
    `${folder}secret.yaml`,
    `${folder}d/secret.yaml`,
    `${folder}other`,
  ]);
  const { rules, of, expected } = treeRules(files, [...paths, "top", "a/x"]);
  assertEquals(rules.length, 1);
  assertEquals([...of.subarray(0, 3)], [0, -1, -1]);
  assertEquals([...of.subarray(-2)], [-1, -1]);
  assertEquals([...expected.subarray(0, 3)], [1, 0, 0]);
});

Deno.test("reading that takes too long is ended, and the next is read", async () => {
  const busy = `data:text/javascript,${
    encodeURIComponent(
      `self.onmessage = ({ data }) => {
        if (data.asked?.name === "busy") for (;;);
        if (data.asked?.name === "fails") return self.postMessage(undefined);
        self.postMessage({ kind: "plain", format: "yaml" });
      };`,
    )
  }`;
  using reader = new Reader(() => 3000, busy);
  const read = (name: string) => reader.facts({ name, bytes: bytes("") });
  // Asked at once, answered one after the other.
  const [first, ended, failed, last] = await Promise.all(
    ["a.yaml", "busy", "fails", "b.yaml"].map(read),
  );
  assertEquals([first?.kind, last?.kind], ["plain", "plain"]);
  assertEquals([ended?.kind, failed?.kind], ["unread", "unread"]);
});

Deno.test("rules for people that take too long are told, and not waited for", async () => {
  const busy = `data:text/javascript,${
    encodeURIComponent("self.onmessage = () => { for (;;) {} };")
  }`;
  using stuck = new Reader(() => 200, busy);
  assertEquals(await stuck.rulesIn("creation_rules: []"), {
    rules: [],
    why: "reading it takes too long",
  });
  using reader = new Reader();
  const text = "creation_rules:\n  - path_regex: a\n    age: age1x\n";
  assertEquals(await reader.rulesIn(text), readRules(text));
});

Deno.test("what reads a repository may do nothing else", async () => {
  const curious = `data:text/javascript,${
    encodeURIComponent(
      `self.onmessage = async () => {
        const ways = ["read", "write", "net", "run", "env", "sys", "ffi"];
        const asked = ways.map((name) => Deno.permissions.query({ name }));
        const states = (await Promise.all(asked)).map(({ state }) => state);
        self.postMessage({ kind: "broken", format: "yaml", why: states.join() });
      };`,
    )
  }`;
  using reader = new Reader(() => 10_000, curious);
  const facts = await reader.facts({ name: "a.yaml", bytes: bytes("") });
  assert(facts.kind === "broken");
  assert(!facts.why.includes("granted"), facts.why);
});

Deno.test("a tree with hostile rules is checked all the same", async () => {
  await withKeys(async ({ folder, age }) => {
    const repository = await makeRepository(`${folder}/infra`);
    const secret = await must("sops", [
      ...["--config", "/dev/null", "encrypt", "--age", age.recipients[0]!],
      ...["--filename-override", "a.yaml", "/dev/stdin"],
    ], bytes("a: 1\n"));
    await repository.publish("Rules", {
      files: {
        ".sops.yaml": tied(13),
        "loop/.sops.yaml":
          "creation_rules: &a\n  - key_groups: [{merge: *a}]\n",
        "large/.sops.yaml": `# ${"x".repeat(2 ** 20)}\n`,
        "a.yaml": secret,
        "loop/a.yaml": secret,
      },
    });
    const checked = await check(folder, repository, {
      "secrets.identities": [`${folder}/age.key`],
    });
    assertEquals(numbers(checked), [2, 0]);
    const said = checked.messages.join("\n");
    assertStringIncludes(said, "Cannot read large/.sops.yaml");
  });
});
