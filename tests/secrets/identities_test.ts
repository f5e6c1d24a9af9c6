import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  asAge,
  isOfPlugin,
  readIdentity,
} from "../../lib/secrets/identities.ts";
import { fingerprintOf } from "../../lib/secrets/memory.ts";
import { judgeFile } from "../../lib/secrets/opening.ts";
import { makeRepository } from "../world/repository.ts";
import { check, numbers } from "./check.ts";
import { bytes, effects, must, withKeys } from "./keys.ts";
import { pluginFolder } from "./foreign/programs.ts";

const text = (all: Uint8Array) => new TextDecoder().decode(all);

/** An ed25519 key in PKCS#8, as openssl writes it. */
async function pkcs8(): Promise<{ pem: string; line: string }> {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(
    "Ed25519",
    true,
    ["sign", "verify"],
  ) as CryptoKeyPair;
  const der = await crypto.subtle.exportKey("pkcs8", privateKey);
  const body = btoa(String.fromCharCode(...new Uint8Array(der)));
  const point = await crypto.subtle.exportKey("raw", publicKey);
  const type = bytes("ssh-ed25519");
  const wire = [0, 0, 0, 11, ...type, 0, 0, 0, 32, ...new Uint8Array(point)];
  return {
    pem: `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`,
    line: `ssh-ed25519 ${btoa(String.fromCharCode(...wire))}`,
  };
}

Deno.test("a key in PKCS#8 opens for age what is for its SSH line", async () => {
  await withKeys(async ({ folder }) => {
    const { pem, line } = await pkcs8();
    const path = `${folder}/pkcs8`;
    await Deno.writeTextFile(path, pem, { mode: 0o600 });
    const identity = await readIdentity(effects, path);
    assertEquals([identity.kind, identity.recipients], ["ssh", [line]]);
    // sops-nix makes no age key of it.
    assertEquals(asAge(identity).recipients, []);
    const content = await must("age", ["-e", "-r", line], bytes("x"));
    const file = { name: "a.age", bytes: content, format: "age" as const };
    const answer = await judgeFile(effects, { identities: [identity] }, file);
    assertEquals(answer.kind, "opened");
  });
});

Deno.test("keys that are of no use keep no other from opening", async () => {
  await withKeys(async ({ folder, age }) => {
    const repository = await makeRepository(`${folder}/infra`);
    const content = await must(
      "age",
      ["-e", "-r", age.recipients[0]!],
      bytes("x"),
    );
    await repository.publish("A secret", { files: { "a.age": content } });
    const locked = ["-q", "-t", "ed25519", "-N", "locked", "-f"];
    await must("ssh-keygen", [...locked, `${folder}/locked`]);
    await Deno.writeTextFile(`${folder}/blank`, "");
    const checked = await check(folder, repository, {
      "secrets.identities": ["locked", "blank", "missing", "age.key"]
        .map((name) => `${folder}/${name}`),
    });
    assertEquals(numbers(checked), [1, 0]);
    const said = checked.messages.join("\n");
    for (const name of ["locked", "blank", "missing"]) {
      assertStringIncludes(said, `Skipped the identity ${folder}/${name}`);
    }
  });
});

Deno.test("recipients of plugins are told from those of age and SSH", () => {
  const native = `age1${"q".repeat(58)}`;
  for (const one of [native, "ssh-ed25519 AAAA", "AAAA", "age1"]) {
    assert(!isOfPlugin(one), one);
  }
  for (const name of ["yubikey", "tag", "pq", "fido2-hmac"]) {
    assert(isOfPlugin(`age1${name}1${"q".repeat(58)}`), name);
  }
});

const plugins = await pluginFolder();
if (!plugins) console.log("plugins of age are not tested here: none is there");

Deno.test({
  name: "a plugin's key beside a good one opens what it can",
  ignore: plugins === undefined,
  fn: async () => {
    await withKeys(async ({ folder, age, stranger }) => {
      const path = Deno.env.get("PATH")!;
      const key = `${folder}/pq.key`;
      await must(`${plugins}/age-keygen`, ["-pq", "-o", key]);
      const to = text(await must(`${plugins}/age-keygen`, ["-y", key])).trim();
      const line = text(
        await must(`${plugins}/age-plugin-pq`, ["-identity", key]),
      );
      assertStringIncludes(line, "AGE-PLUGIN-PQ-");
      const both = `${folder}/both.key`;
      const own = await Deno.readTextFile(`${folder}/age.key`);
      // In front of the good key, where a plugin that fails is in its way.
      await Deno.writeTextFile(both, `${line}\n${own}`, { mode: 0o600 });
      const identity = await readIdentity(effects, both);
      assertEquals(identity.recipients, age.recipients);
      assert(/^[0-9a-f]{64}$/.test(identity.plugins ?? ""), identity.plugins);
      assert(
        fingerprintOf({ identities: [identity] }) !==
          fingerprintOf({ identities: [age] }),
      );
      Deno.env.set("PATH", `${path}:${plugins}`);
      try {
        const judge = async (...whom: string[]) => {
          const args = ["-e", ...whom.flatMap((one) => ["-r", one])];
          const content = await must(`${plugins}/age`, args, bytes("x"));
          const file = {
            name: "a.age",
            bytes: content,
            format: "age" as const,
          };
          return () => judgeFile(effects, { identities: [identity] }, file);
        };
        const forPlugin = await judge(to);
        assertEquals((await forPlugin()).kind, "opened");
        const forOwn = await judge(age.recipients[0]!);
        assertEquals((await forOwn()).kind, "opened");
        const foreign = await (await judge(stranger.recipients[0]!))();
        // What is there the next time may open it.
        assertEquals(foreign, {
          kind: "foreign",
          why: "no identity matched any of the recipients",
          remember: false,
        });
        Deno.env.set("PATH", path);
        const without = await forPlugin();
        assert(without.kind === "foreign", Deno.inspect(without));
        assertStringIncludes(without.why ?? "", "plugin");
      } finally {
        Deno.env.set("PATH", path);
      }
    });
  },
});
