import { assert, assertEquals } from "@std/assert";
import { type Identity, readIdentity } from "../../lib/secrets/identities.ts";
import { factsOf } from "../../lib/secrets/reading/facts.ts";
import type { Keys } from "../../lib/secrets/sops/sops.ts";
import { sopsFormat } from "../../lib/secrets/sops/formats.ts";
import { KeyFiles } from "../../lib/secrets/key_files.ts";
import { type CreationRule, readRules } from "../../lib/secrets/sops/rules.ts";
import {
  type Answer,
  judgeFile,
  type SecretFile,
} from "../../lib/secrets/opening.ts";
import { bytes, must, withKeys } from "./keys.ts";
import { sopsPrograms } from "./sops_versions.ts";

/** A judgement in a word: `opened`, `foreign`, `plain`, or the reason. */
function wordOf(answer: Answer): string {
  return answer.kind === "problem" ? answer.problem.reason : answer.kind;
}

function rule(...recipients: string[]): CreationRule {
  const age = recipients.join(",");
  const text = JSON.stringify({ creation_rules: [{ path_regex: ".", age }] });
  return readRules(text).rules[0]!;
}

const canary = "hunter2-canary";

for (const sops of sopsPrograms) {
  const judge = async (
    keys: Keys | readonly Identity[],
    name: string,
    content: Uint8Array | string,
    more: Partial<SecretFile> = {},
  ) => {
    await using keyFiles = new KeyFiles();
    return await judgeFile(
      sops.effects,
      await keyFiles.with("identities" in keys ? keys : { identities: keys }),
      {
        name,
        bytes: typeof content === "string" ? bytes(content) : content,
        format: name.endsWith(".age") ? "age" : sopsFormat(name),
        ...more,
      },
    );
  };

  // So sops-nix never meets one: it reads what sops writes, and walks text keys.
  Deno.test(`keys that are no text are refused by sops itself (sops ${sops.version})`, async () => {
    await withKeys(async ({ age }) => {
      const plain = 'm:\n  "1": a\n  on: b\n  "true": c\n  1e: d\n  x: e\n';
      const to = ["--age", age.recipients[0]!];
      const file = new TextDecoder().decode(
        await sops.encrypt("a.yaml", plain, ...to),
      );
      assertEquals(wordOf(await judge([age], "a.yaml", file)), "opened");
      const keys = ["m/1", "m/on", "m/true", "m/1e", "m/x", "m/2"];
      const asked = { name: "a.yaml", bytes: bytes(file), keys };
      const facts = factsOf({ ...asked, format: "yaml" });
      assertEquals(
        facts.kind === "sops" && facts.keys.map(({ kind }) => kind),
        ["found", "found", "found", "found", "found", "missing"],
      );
      for (const key of ["1", "true"]) {
        const changed = file.replace(`"${key}":`, `${key}:`);
        assert(changed !== file, file);
        const answer = await judge([age], "a.yaml", changed);
        assertEquals(answer.kind, "problem", Deno.inspect(answer));
        assert(!Deno.inspect(answer).includes(canary));
      }
    });
  });

  Deno.test(`an INI file that sops 3.13.1 wrote opens (sops ${sops.version})`, async () => {
    const place = new URL("./captured/sops-3.13.1.ini", import.meta.url);
    const file = await Deno.readTextFile(place);
    assert(file.includes('map_enc       = """-----BEGIN'), file);
    await withKeys(async ({ folder, stranger }) => {
      // The one in age_test.ts, used for nothing else.
      const key =
        "AGE-SECRET-KEY-18K2WAFYUTQ9WLQTFX4MZHCZF2KWK69ZQMM0P9E4PYHCCG8LL3EHSJQ2486";
      await Deno.writeTextFile(`${folder}/fixed`, `${key}\n`);
      const own = await readIdentity(sops.effects, `${folder}/fixed`);
      const words = [
        wordOf(await judge([own], "a.ini", file)),
        wordOf(await judge([stranger], "a.ini", file)),
        wordOf(await judge([own], "a.ini", file.replace("UkUc", "UkUd"))),
      ];
      assertEquals(words, ["opened", "foreign", "value-changed"]);
    });
  });

  Deno.test(`everything that can be wrong with a file has its own answer (sops ${sops.version})`, async () => {
    await withKeys(async ({ age, ssh, stranger }) => {
      const own = age.recipients[0]!;
      const theirs = stranger.recipients[0]!;
      const encrypt = async (...recipients: string[]) =>
        new TextDecoder().decode(
          await sops.encrypt(
            "a.yaml",
            `a: ${canary}\nb: two\n`,
            "--age",
            recipients.join(","),
          ),
        );
      const good = await encrypt(own);
      const foreign = await encrypt(theirs);
      const plainValue = good.replace(/^b: .*$/m, "b: plain");
      const table: [string, string, string, CreationRule?][] = [
        ["opened", "a.yaml", good],
        ["opened", "a.yaml", good, rule(own)],
        ["opened", "a.yaml", await encrypt(theirs, own), rule(own, theirs)],
        ["opened", "a.yaml", await encrypt(ssh.recipients[0]!)],
        ["opened", "a.yaml", await encrypt(ssh.recipients[1]!)],
        ["foreign", "a.yaml", foreign],
        ["foreign", "a.yaml", foreign, rule(theirs)],
        ["updatekeys-forgotten", "a.yaml", foreign, rule(theirs, own)],
        ["plaintext", "a.yaml", "a: plain\n", rule(own)],
        ["foreign", "a.yaml", "a: plain\n", rule(theirs)],
        ["plain", "a.yaml", "a: plain\n"],
        ["plain", "a.yaml", "", rule(own)],
        ["plaintext-value", "a.yaml", plainValue],
        ["cut-off", "a.yaml", good.slice(0, good.indexOf("\nsops:"))],
        [
          "foreign",
          "a.yaml",
          good.slice(0, good.indexOf("\nsops:")),
          rule(theirs),
        ],
        ["broken", "a.yaml", `${good}\n]`],
        ["no-mac", "a.yaml", good.replace(/^ +mac: .*$/m, "")],
        ["tampered", "a.yaml", good.replace(/^b: .*\n/m, "")],
        ["value-changed", "a.yaml", good.replace(/^a: /m, "c: ")],
        [
          "value-changed",
          "a.yaml",
          good.replace(/^a: ENC\[AES256_GCM,data:/m, "$&AAAA"),
        ],
        ["no-recipients", "a.yaml", good.replace(/recipient: age1\w+/, "x: y")],
        [
          "data-key",
          "a.yaml",
          good.replace(
            /(-----BEGIN AGE ENCRYPTED FILE-----\n +)\w{8}/,
            "$1AAAAAAAA",
          ),
        ],
        ["broken", "a.json", good],
        ["plain", "a.txt", good],
      ];
      for (const [word, name, content, given] of table) {
        const answer = await judge(
          [age, ssh],
          name,
          content,
          given ? { rule: given, expected: true } : {},
        );
        const what = `${word}: ${Deno.inspect(answer)}`;
        assertEquals(wordOf(answer), word, what);
        assert(!Deno.inspect(answer).includes(canary), what);
        if (answer.kind === "problem") {
          assertEquals(answer.problem.file, name);
          assert(answer.problem.fix.length > 10, what);
        }
      }
    });
  });

  Deno.test(`a file that only Vault opens is one for Vault (sops ${sops.version})`, async () => {
    await withKeys(async ({ folder, age, stranger }) => {
      const vault = {
        address: "https://vault.example.org",
        socket: `${folder}/none.sock`,
      };
      const text = new TextDecoder().decode(
        await sops.encrypt("a.json", '{"a": "x"}', "--age", age.recipients[0]!),
      );
      const withVault = (address: string, keepAge: boolean) => {
        const file = JSON.parse(text);
        if (!keepAge) file.sops.age = [];
        file.sops.hc_vault = [{
          vault_address: address,
          engine_path: "transit",
          key_name: "web",
          created_at: "2026-01-01T00:00:00Z",
          enc: "vault:v1:AAAA",
        }];
        return JSON.stringify(file);
      };
      const here = vault.address, there = "https://evil.example.org";
      const table: [string, string, Keys][] = [
        ["opened", withVault(there, true), { identities: [age] }],
        ["opened", withVault(here, true), { identities: [age], vault }],
        ["opened", withVault(`${here}/`, true), { identities: [age], vault }],
        ["opened", withVault(there, true), { identities: [age], vault }],
        ["opened", withVault("HTTPS://Vault.Example.org:443", true), {
          identities: [age],
          vault,
        }],
        // Nobody listens at the socket, but it is asked.
        [
          "vault-unreachable",
          withVault("HTTPS://Vault.Example.org:443", false),
          {
            identities: [age],
            vault,
          },
        ],
        ["foreign", withVault(there, false), { identities: [age], vault }],
        ["foreign", withVault(there, true), { identities: [stranger], vault }],
        ["foreign", withVault(here, false), { identities: [age] }],
        // Nobody listens at the socket.
        ["vault-unreachable", withVault(here, false), {
          identities: [],
          vault,
        }],
      ];
      for (const [word, content, keys] of table) {
        const answer = await judge(keys, "a.json", content);
        assertEquals(wordOf(answer), word, Deno.inspect(answer));
        const passes = answer.kind === "problem" && answer.problem.transient;
        assertEquals(passes ?? false, word === "vault-unreachable", word);
      }
    });
  });
}

Deno.test("everything that can be wrong with an age file has its own answer", async () => {
  await withKeys(async ({ age, ssh, stranger }) => {
    const encrypt = (...args: string[]) =>
      must("age", ["--encrypt", ...args], bytes(canary));
    const good = await encrypt("-r", age.recipients[0]!);
    const forSsh = await encrypt("-r", ssh.recipients[0]!);
    const armored = await encrypt("--armor", "-r", age.recipients[0]!);
    const flipped = (file: Uint8Array, at: number) => {
      const copy = file.slice();
      copy[at < 0 ? copy.length + at : at]! ^= 1;
      return copy;
    };
    const table: [string, Uint8Array | string, Identity[]][] = [
      ["opened", good, [age, ssh]],
      ["opened", armored, [stranger, age]],
      ["opened", forSsh, [age, ssh]],
      ["foreign", good, [ssh]],
      ["foreign", forSsh, [age]],
      ["foreign", good, []],
      ["not-age", "", [age]],
      ["not-age", "password: plain\n", [age]],
      ["not-age", good.subarray(0, 10), [age]],
      ["cut-off", good.subarray(0, 60), [age]],
      ["damaged", good.subarray(0, -1), [age]],
      ["damaged", flipped(good, -1), [age]],
      ["damaged", flipped(good, 190), [age]],
      ["damaged", flipped(forSsh, -1), [ssh]],
      ["damaged", armored.subarray(0, -20), [age]],
    ];
    for (const [word, content, identities] of table) {
      const file = {
        name: "a.age",
        bytes: typeof content === "string" ? bytes(content) : content,
        format: "age" as const,
      };
      const answer = await judgeFile(
        sopsPrograms[0]!.effects,
        { identities },
        file,
      );
      assertEquals(wordOf(answer), word, Deno.inspect(answer));
      assert(!Deno.inspect(answer).includes(canary));
    }
  });
});
