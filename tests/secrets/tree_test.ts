import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { bytes, must, withKeys } from "./keys.ts";
import { sopsPrograms } from "./sops_versions.ts";
import { makeRepository } from "../world/repository.ts";
import { check, failure, numbers } from "./check.ts";

const sops = sopsPrograms[0]!;

const encrypt = (name: string, text: string, ...recipients: string[]) =>
  sops.encrypt(name, text, "--age", recipients.join(","));

const rules = (...list: Record<string, unknown>[]) =>
  JSON.stringify({ creation_rules: list });

Deno.test("all problems of a revision are in one report", async () => {
  await withKeys(async ({ folder, age, stranger }) => {
    const own = age.recipients[0]!, theirs = stranger.recipients[0]!;
    const good = new TextDecoder().decode(
      await encrypt("a.yaml", "a: hunter2\nb: x\n", own),
    );
    const ageFile = await must("age", ["-e", "-r", own], bytes("hunter2"));
    const repository = await makeRepository(`${folder}/infra`);
    await repository.publish("Ruins", {
      files: {
        ".sops.yaml": rules({ path_regex: "^s/", age: own }),
        "s/good.yaml": good,
        "s/tampered.yaml": good.replace(/^b: .*\n/m, ""),
        "s/plain.yaml": "a: hunter2\n",
        "s/value.yaml": good.replace(/^b: .*$/m, "b: hunter2"),
        "s/forgotten.yaml": await encrypt("a.yaml", "a: x\n", theirs),
        "cut.yaml": good.slice(0, good.indexOf("\nsops:")),
        "wifi.age": ageFile.subarray(0, -3),
        "with space.age": "hunter2\n",
      },
    });
    const missing = `${folder}/missing.key`;
    const checked = await check(folder, repository, {
      "secrets.identities": [`${folder}/age.key`, missing],
    });
    // A key that is merely listed is not required.
    assertStringIncludes(
      checked.messages.join("\n"),
      `Skipped the identity ${missing}: `,
    );
    const error = failure(checked);
    assertEquals(
      [error.exit, error.stage, error.reason, error.next],
      [5, "secrets", "secrets-unreadable", "hold"],
    );
    const details = error.details.filter((line) => !line.startsWith(" "));
    assertEquals(
      details.map((line) => line.replace(/\]:.*$/, "]")).sort(),
      [
        "cut.yaml [cut-off]",
        "s/forgotten.yaml [updatekeys-forgotten]",
        "s/plain.yaml [plaintext]",
        "s/tampered.yaml [tampered]",
        "s/value.yaml, key b [plaintext-value]",
        "wifi.age [damaged]",
        "with space.age [not-age]",
      ],
    );
    const all = [...error.details, ...error.hints].join("\n");
    assertStringIncludes(all, "  sops updatekeys s/forgotten.yaml");
    assertStringIncludes(all, `  it is for ${theirs.slice(0, 16)}…`);
    assertStringIncludes(
      all,
      `this host has: ${folder}/age.key (${own.slice(0, 16)}…)`,
    );
    assertStringIncludes(all, "agenix -e 'with space.age'");
    assert(!all.includes("hunter2"), all);
  });
});

Deno.test("what opened is not opened again while nothing changes", async () => {
  await withKeys(async ({ folder, age, ssh, stranger }) => {
    const own = age.recipients[0]!;
    const repository = await makeRepository(`${folder}/infra`);
    const file = (text: string) => encrypt("a.yaml", text, own);
    const ageFile = (to: string) => must("age", ["-e", "-r", to], bytes("x"));
    await repository.publish("Secrets", {
      files: {
        "a.yaml": await file("a: 1\n"),
        "b.yaml": await file("a: 2\n"),
        "theirs.yaml": await encrypt(
          "a.yaml",
          "a: 3\n",
          stranger.recipients[0]!,
        ),
        "c.age": await ageFile(own),
        "theirs.age": await ageFile(stranger.recipients[0]!),
      },
    });
    const one = { "secrets.identities": [`${folder}/age.key`] };
    const first = await check(folder, repository, one);
    assertEquals(numbers(first), [3, 2]);
    assertEquals(first.decrypted.sort(), ["age", "age", "sops", "sops"]);

    const second = await check(folder, repository, one);
    assertEquals(numbers(second), [3, 2]);
    assertEquals(second.decrypted, []);

    await repository.publish("Another", {
      files: { "b.yaml": await file("a: 4\n"), "README.md": "more\n" },
    });
    const third = await check(folder, repository, one);
    assertEquals(numbers(third), [3, 2]);
    assertEquals(third.decrypted, ["sops"]);

    const both = {
      "secrets.identities": [`${folder}/age.key`, `${folder}/ssh`],
    };
    const fourth = await check(folder, repository, both);
    assertEquals(numbers(fourth), [3, 2]);
    assertEquals(fourth.decrypted.length, 4);

    // Rules change what a file is to this host.
    await repository.publish("Rules", {
      files: {
        ".sops.yaml": rules({
          path_regex: "theirs",
          age: ssh.recipients[0]!,
        }),
      },
    });
    const fifth = await check(folder, repository, both);
    assertStringIncludes(
      failure(fifth).details.join("\n"),
      "theirs.yaml [updatekeys-forgotten]",
    );

    const memory = await Deno.readTextFile(`${folder}/state/secrets-opened`);
    assert(
      memory.split("\n").every((line) => /^$|^[of] [0-9a-f]{64}$/.test(line)),
    );
    await Deno.writeTextFile(`${folder}/state/secrets-opened`, "noise\n\0");
    const sixth = await check(folder, repository, one);
    assertEquals(sixth.decrypted.length, 4);
  });
});

Deno.test("a broken file is told each time, not only the first", async () => {
  await withKeys(async ({ folder, age }) => {
    const repository = await makeRepository(`${folder}/infra`);
    const good = new TextDecoder().decode(
      await encrypt("a.yaml", "a: 1\nb: 2\n", age.recipients[0]!),
    );
    await repository.publish("Ruin", {
      files: { "a.yaml": good.replace(/^b: .*\n/m, "") },
    });
    const config = { "secrets.identities": [`${folder}/age.key`] };
    for (let time = 0; time < 2; time++) {
      const error = failure(await check(folder, repository, config));
      assertStringIncludes(error.details[0]!, "a.yaml [tampered]");
    }
  });
});

Deno.test("what lies beside the secrets is left alone", async () => {
  await withKeys(async ({ folder, age }) => {
    const own = age.recipients[0]!;
    const repository = await makeRepository(`${folder}/infra`);
    const secret = await encrypt("a.yaml", "a: 1\n", own);
    await repository.commit("Secrets", {
      files: {
        ".sops.yaml": rules({ path_regex: "secrets/.*", age: own }, {
          age: own,
        }),
        "secrets/good.yaml": secret,
        "secrets/README.md": "how to: sops edit good.yaml\n",
        "secrets/default.nix": "{ }\n",
        "secrets/.gitkeep": "",
        "secrets/empty.yaml": "",
        "docs/values.yaml": "a: plain\n",
        "docs/age.txt": "like this:\n-----BEGIN AGE ENCRYPTED FILE-----\n",
        "docs/sops.md":
          "values look like ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]\n",
        ".github/secrets/x.yaml": "on: push\n",
        "examples/secrets/plain.yaml": "a: plain\n",
        "examples/broken.age": "plain\n",
      },
    });
    await Deno.symlink("/etc/passwd", `${repository.folder}/secrets/link.yaml`);
    await Deno.symlink("good.yaml", `${repository.folder}/secrets/link.age`);
    await repository.publish("Links");
    const config = {
      "secrets.identities": [`${folder}/age.key`],
      "secrets.ignore": ["./examples/"],
    };
    assertEquals(numbers(await check(folder, repository, config)), [1, 0]);
    const { details } = failure(
      await check(folder, repository, { ...config, "secrets.ignore": [] }),
    );
    assertEquals(
      details.filter((line) => !line.startsWith(" ")).map((line) =>
        line.split(":")[0]
      ),
      [
        "examples/broken.age [not-age]",
        "examples/secrets/plain.yaml [plaintext]",
      ],
    );
  });
});

Deno.test("prose that quotes a whole file stops nobody, and a file of any name is opened", async () => {
  await withKeys(async ({ folder, age }) => {
    const repository = await makeRepository(`${folder}/infra`);
    const secret = new TextDecoder().decode(
      await encrypt("a.yaml", "a: 1\n", age.recipients[0]!),
    );
    await repository.publish("Names", {
      files: {
        "docs/quote.md": `# A file: {\n\n\`\`\`yaml\n${secret}\`\`\`\n`,
        "a.enc": secret,
        "b.env": secret,
        "c": secret,
      },
    });
    const checked = await check(folder, repository, {
      "secrets.identities": [`${folder}/age.key`],
    });
    assertEquals(numbers(checked), [3, 1]);
    assertStringIncludes(checked.messages.join("\n"), "docs/quote.md");
  });
});

Deno.test("a rule for files of any name is about how, and not about what", async () => {
  await withKeys(async ({ folder, age, stranger }) => {
    const own = age.recipients[0]!, theirs = stranger.recipients[0]!;
    const config = { "secrets.identities": [`${folder}/age.key`] };
    for (const path_regex of [".*", "\\.yaml$", "^[^/]*\\.ya?ml$", undefined]) {
      const repository = await makeRepository(
        `${folder}/infra-${path_regex?.length}`,
      );
      await repository.publish("Plain", {
        files: {
          ".sops.yaml": rules({ path_regex, age: own }),
          "compose.yaml": "a: 1\n",
          "docs.md": "it begins with ENC[AES256_GCM,\n",
        },
      });
      assertEquals(numbers(await check(folder, repository, config)), [0, 0]);
      // Whom an encrypted file should be for, it says all the same.
      await repository.publish("Forgotten", {
        files: { "a.yaml": await encrypt("a.yaml", "a: 1\n", theirs) },
      });
      assertStringIncludes(
        failure(await check(folder, repository, config)).details[0]!,
        "a.yaml [updatekeys-forgotten]",
      );
    }
  });
});

Deno.test("the nearest .sops.yaml counts, and a broken one is told", async () => {
  await withKeys(async ({ folder, age, stranger }) => {
    const own = age.recipients[0]!, theirs = stranger.recipients[0]!;
    const repository = await makeRepository(`${folder}/infra`);
    await repository.publish("Rules", {
      files: {
        ".sops.yaml": rules({ path_regex: "^plain", age: theirs }),
        "plain.yaml": "a: 1\n",
        "web/.sops.yaml": rules({ path_regex: "^secrets\\.yaml$", age: own }),
        "web/secrets.yaml": "a: 1\n",
        "web/other.yaml": "a: 1\n",
        "mail/.sops.yaml": "creation_rules: [\n",
        "mail/secrets.yaml": "a: 1\n",
      },
    });
    const checked = await check(folder, repository, {
      "secrets.identities": [`${folder}/age.key`],
    });
    const { details } = failure(checked);
    assertEquals(
      details.filter((line) => !line.startsWith(" ")).map((line) =>
        line.split(":")[0]
      ),
      ["web/secrets.yaml [plaintext]"],
    );
    const said = checked.messages.join("\n");
    assertStringIncludes(said, "Cannot read mail/.sops.yaml");
    assertStringIncludes(said, "plain.yaml [plaintext]");
  });
});

Deno.test("names of every kind are found and told", async () => {
  await withKeys(async ({ folder, age }) => {
    const repository = await makeRepository(`${folder}/infra`);
    const names = [
      "a b.age",
      "quote'\".age",
      "new\nline.age",
      "ümläut.age",
      "-dash.age",
      "a:b.age",
    ];
    const good = await must(
      "age",
      ["-e", "-r", age.recipients[0]!],
      bytes("x"),
    );
    await repository.publish("Names", {
      files: Object.fromEntries(names.map((name) => [name, good])),
    });
    const config = { "secrets.identities": [`${folder}/age.key`] };
    assertEquals(
      numbers(await check(folder, repository, config)),
      [names.length, 0],
    );
    await repository.publish("Ruined", {
      files: Object.fromEntries(
        names.map((name) => [name, good.subarray(0, -1)]),
      ),
    });
    const { details } = failure(await check(folder, repository, config));
    assertEquals(
      details.filter((line) => line.includes("[damaged]")).length,
      names.length,
    );
  });
});

Deno.test("a host without any identity is warned", async () => {
  await withKeys(async ({ folder, age }) => {
    const repository = await makeRepository(`${folder}/infra`);
    await repository.publish("A secret", {
      files: {
        "a.yaml": await encrypt("a.yaml", "a: 1\n", age.recipients[0]!),
      },
    });
    const checked = await check(folder, repository, {
      "secrets.identities": [],
    });
    assertEquals(numbers(checked), [0, 1]);
    assertStringIncludes(checked.messages.join("\n"), "has no age or SSH");
  });
});

Deno.test("a file that is far too large is told, and not read", async () => {
  await withKeys(async ({ folder }) => {
    const repository = await makeRepository(`${folder}/infra`);
    await repository.publish("Large", {
      files: { "large.age": new Uint8Array(3 * 1024 * 1024) },
    });
    const checked = await check(folder, repository, {
      "secrets.identities": [`${folder}/age.key`],
      "limits.secrets": 2 * 1024 * 1024,
    });
    assertEquals(numbers(checked), [0, 1]);
    assertStringIncludes(
      checked.messages.join("\n"),
      "large.age [too-large]: it was not checked: it has 3.0M",
    );
  });
});

Deno.test("Vault that does not answer is a reason to try again", async () => {
  await withKeys(async ({ folder, age }) => {
    const repository = await makeRepository(`${folder}/infra`);
    const file = JSON.parse(
      new TextDecoder().decode(
        await encrypt("a.json", '{"a": "x"}', age.recipients[0]!),
      ),
    );
    file.sops.age = [];
    file.sops.hc_vault = [{
      vault_address: "https://vault.example.org",
      engine_path: "sops",
      key_name: "host",
      created_at: "2026-01-01T00:00:00Z",
      enc: "vault:v1:AAAA",
    }];
    await repository.publish("For Vault", {
      files: { "a.json": JSON.stringify(file) },
    });
    const config = {
      "secrets.identities": [`${folder}/age.key`],
      "vault.address": "https://vault.example.org",
      "vault.socket": `${folder}/none.sock`,
    };
    const error = failure(await check(folder, repository, config));
    assertEquals(
      [error.exit, error.reason, error.next],
      [5, "vault-unreachable", "retry"],
    );
    // With something that does not pass by itself, it is held.
    await repository.publish("And a ruin", { files: { "b.age": "x" } });
    const both = failure(await check(folder, repository, config));
    assertEquals([both.reason, both.next], ["secrets-unreadable", "hold"]);
  });
});

Deno.test("a mirror that can't be read is no pass", async () => {
  await withKeys(async ({ folder }) => {
    const repository = await makeRepository(`${folder}/infra`);
    await repository.publish("One");
    await Deno.remove(`${repository.bare}/objects`, { recursive: true });
    const run = check(folder, repository, {}).then(({ result }) => {
      if (result instanceof Error) throw result;
    });
    const error = await assertRejects(() => run, SyncError) as SyncError;
    assertEquals([error.reason, error.next], ["mirror-unreadable", "retry"]);
  });
});
