import { assert, assertEquals } from "@std/assert";
import { sopsFormat } from "../../lib/secrets/sops/formats.ts";
import { readRules } from "../../lib/secrets/sops/rules.ts";
import { KeyFiles } from "../../lib/secrets/key_files.ts";
import { type Answer, judgeFile } from "../../lib/secrets/opening.ts";
import { inParallel } from "../../lib/secrets/check.ts";
import { bytes, must, withKeys } from "./keys.ts";
import { sopsPrograms } from "./sops_versions.ts";
import { ageRuinsOf, type Good, ruinsOf } from "./corpus.ts";

const plain: readonly [string, string, string][] = [
  ["yaml", "a.yaml", "a: canary-plain\nb:\n  - canary-two\n  - c: 3\n"],
  ["json", "a.json", '{"a": "canary-plain", "b": ["canary-two", 3]}'],
  ["dotenv", "a.env", "A=canary-plain\nB=canary-two\n"],
  ["ini", "a.ini", "[web]\na = canary-plain\nb = canary-two\n"],
  ["binary", "a.bin", "canary-plain"],
];

for (const sops of sopsPrograms) {
  Deno.test(`each of over 200 ruined files has a clear answer (sops ${sops.version})`, async () => {
    await withKeys(async ({ folder, age, ssh, stranger }) => {
      const own = age.recipients[0]!, theirs = stranger.recipients[0]!;
      const encrypt = (name: string, text: string, to: string) =>
        sops.encrypt(name, text, "--age", to);
      const corpus = (await Promise.all(
        plain.map(async ([format, name, text]) => {
          const content = await encrypt(name, text, own);
          const foreign = await encrypt(name, text, theirs);
          return ruinsOf({ name, content, foreign }, format);
        }),
      )).flat();
      for (const { recipients } of [age, ssh]) {
        const content = await must(
          "age",
          ["--encrypt", "-r", recipients[0]!],
          bytes("canary-plain"),
        );
        const good: Good = { name: "a.age", content, foreign: content };
        corpus.push(...ageRuinsOf(good));
      }
      assert(corpus.length >= 200, `${corpus.length} files`);
      // Everything is to be encrypted for this host.
      const { rules: [rule] } = readRules(
        JSON.stringify({ creation_rules: [{ path_regex: ".", age: own }] }),
      );
      const kinds = new Set<string>();
      const wrong: string[] = [];
      await using keyFiles = new KeyFiles();
      const keys = await keyFiles.with({ identities: [age, ssh] });
      await inParallel(corpus, async ({ name, what, content, opens }) => {
        const isAge = name.endsWith(".age");
        const file = {
          name,
          bytes: content,
          format: isAge ? "age" as const : sopsFormat(name),
          ...(isAge ? {} : { rule: rule!, expected: true }),
        };
        const answer = await judgeFile(sops.effects, keys, file, 20_000);
        const told = Deno.inspect(answer);
        const isRight = isClear(answer, opens) &&
          !/hunter2|canary/.test(told) &&
          !(answer.kind === "opened" && (opens === "never" ||
            opens === "as-sops" &&
              !await sops.decrypts(name, content, `${folder}/age.key`))) &&
          // Nothing but an empty file passes for one without secrets.
          !(answer.kind === "plain" && content.length > 0);
        if (!isRight) wrong.push(`${name}, ${what}: ${told}`);
        kinds.add(
          answer.kind === "problem" ? answer.problem.reason : answer.kind,
        );
      });
      assertEquals(wrong, []);
      for (
        const kind of [
          "broken",
          "cut-off",
          "damaged",
          "no-mac",
          "plaintext",
          "plaintext-value",
          "tampered",
          "value-changed",
        ]
      ) assert(kinds.has(kind), `${kind} in ${[...kinds]}`);
    });
  });
}

/** It is said what is wrong, and what to do. */
function isClear(answer: Answer, opens: string): boolean {
  if (answer.kind !== "problem") return true;
  const { why, fix, reason } = answer.problem;
  // What sops is busy with for ever is told as that, and tried again.
  if (reason === "timed-out" && opens === "always") return false;
  return why.length > 8 && fix.length > 8 &&
    // deno-lint-ignore no-control-regex
    !/[\u0000-\u001f]/.test(why + fix);
}
