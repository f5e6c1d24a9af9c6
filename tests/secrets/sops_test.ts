import { assert, assertEquals } from "@std/assert";
import {
  endAgents,
  type Identity,
  readIdentity,
} from "../../lib/secrets/identities.ts";
import { KeyFiles } from "../../lib/secrets/key_files.ts";
import { accessTo, openSops } from "../../lib/secrets/sops/sops.ts";
import { type SopsFormat, sopsFormat } from "../../lib/secrets/sops/formats.ts";
import { readSops, type SopsFile } from "../../lib/secrets/sops/metadata.ts";
import { bytes, effects, must, withKeys } from "./keys.ts";
import { sopsPrograms } from "./sops_versions.ts";

const plainFiles: readonly [string, string][] = [
  ["a.yaml", "password: hunter2\nlist:\n  - 1\n  - true\n"],
  ["a.json", '{"password": "hunter2", "n": 1.5}'],
  ["a.env", "PASSWORD=hunter2\n"],
  ["a.ini", "[web]\npassword = hunter2\n"],
  ["a.bin", "hunter2"],
];

function read(name: string, content: Uint8Array): SopsFile {
  const file = readSops(sopsFormat(name), new TextDecoder().decode(content));
  assert(file.kind === "sops", `${name} is one of sops`);
  return file;
}

Deno.test("the format is told by the extension, as sops does", () => {
  const table: [string, SopsFormat][] = [
    ["secrets.yaml", "yaml"],
    ["a/b.c/secrets.yml", "yaml"],
    ["secrets.json", "json"],
    ["secrets.ini", "ini"],
    ["secrets.env", "dotenv"],
    [".env", "dotenv"],
    ["secrets", "binary"],
    ["secrets.txt", "binary"],
    ["secrets.yaml.bak", "binary"],
    ["secrets.YAML", "binary"],
    ["yaml", "binary"],
    ["a.yaml/key", "binary"],
    ["", "binary"],
  ];
  for (const [path, format] of table) {
    assertEquals(sopsFormat(path), format, path);
  }
});

for (const sops of sopsPrograms) {
  Deno.test(`a file of every format opens for those it names (sops ${sops.version})`, async () => {
    await using keyFiles = new KeyFiles();
    await withKeys(async ({ age, ssh, stranger }) => {
      const keyring = [age, ssh];
      for (const [name, plain] of plainFiles) {
        for (const identity of keyring) {
          for (const recipient of identity.recipients) {
            const file = await sops.encrypt(name, plain, "--age", recipient);
            const format = sopsFormat(name);
            const open = async (...identities: Identity[]) => {
              const keys = await keyFiles.with({ identities });
              return await openSops(sops.effects, file, format, keys, false);
            };
            const what = `${name} for ${recipient}`;
            const known = read(name, file);
            const names = known.groups.flat().map(({ name }) => name);
            assertEquals(names, [recipient]);
            assertEquals(
              accessTo(known, { identities: [identity] }).groups,
              1,
              what,
            );
            assertEquals(
              accessTo(known, { identities: [stranger] }).own,
              [],
              what,
            );
            assertEquals(await open(identity), { ok: true }, what);
            assertEquals(await open(stranger, ...keyring), { ok: true }, what);
            const other = await open(stranger);
            assert(!other.ok && other.reason === "data-key", what);
          }
        }
      }
    });
  });

  Deno.test(`a file for an OpenPGP key opens with its home (sops ${sops.version})`, async () => {
    await withKeys(async ({ folder, age }) => {
      const home = await gnupgHome(folder, "web@example.org");
      try {
        const identity = await readIdentity(effects, home);
        assertEquals(identity.kind, "pgp");
        const fingerprint = identity.recipients[0]!;
        const file = await must("env", [
          `GNUPGHOME=${home}`,
          sops.path,
          "--config=/dev/null",
          "encrypt",
          "--filename-override=a.yaml",
          `--pgp=${fingerprint}`,
          "/dev/stdin",
        ], bytes("password: hunter2\n"));
        const known = read("a.yaml", file);
        assertEquals(known.groups.flat(), [{ kind: "pgp", name: fingerprint }]);
        assertEquals(accessTo(known, { identities: [identity] }).groups, 1);
        const open = (...identities: Identity[]) =>
          openSops(sops.effects, file, "yaml", { identities }, false);
        assertEquals(await open(age, identity), { ok: true });
        const other = await open(age);
        assert(!other.ok && other.reason === "data-key", Deno.inspect(other));
      } finally {
        await endAgents(effects, [{ path: home, kind: "pgp", recipients: [] }]);
      }
    });
  });

  Deno.test(`key groups need as many keys as they say (sops ${sops.version})`, async () => {
    await using keyFiles = new KeyFiles();
    await withKeys(async ({ folder, age, ssh, stranger }) => {
      await Deno.writeTextFile(
        `${folder}/.sops.yaml`,
        JSON.stringify({
          creation_rules: [{
            shamir_threshold: 2,
            key_groups: [age, ssh, stranger].map(({ recipients }) => ({
              age: [recipients[0]],
            })),
          }],
        }),
      );
      const file = await must(sops.path, [
        `--config=${folder}/.sops.yaml`,
        "encrypt",
        "--filename-override=a.yaml",
        "/dev/stdin",
      ], bytes("password: hunter2\n"));
      const known = read("a.yaml", file);
      assertEquals([known.groups.length, known.needed], [3, 2]);
      const table: [Identity[], number, boolean][] = [
        [[age], 1, false],
        [[age, ssh], 2, true],
        [[ssh, stranger], 2, true],
        [[stranger, age], 2, true],
        [[age, ssh, stranger], 3, true],
      ];
      for (const [identities, groups, opens] of table) {
        assertEquals(accessTo(known, { identities }).groups, groups);
        const keys = await keyFiles.with({ identities });
        const opened = await openSops(sops.effects, file, "yaml", keys, false);
        assertEquals(opened.ok, opens, Deno.inspect(opened));
      }
    });
  });

  Deno.test(`a file that was changed by hand does not open (sops ${sops.version})`, async () => {
    await withKeys(async ({ age }) => {
      const recipient = age.recipients[0]!;
      const file = new TextDecoder().decode(
        await sops.encrypt("a.yaml", "a: one\nb: two\n", "--age", recipient),
      );
      const [first, ...rest] = file.split("\n");
      const table: [string, string][] = [
        [rest.join("\n"), "tampered"],
        [
          [first!.replace("data:", "data:AAAA"), ...rest].join("\n"),
          "value-changed",
        ],
        [file.replace(/^ +mac: .*$/m, ""), "tampered"],
      ];
      for (const [changed, reason] of table) {
        const keys = { identities: [age] };
        const opened = await openSops(
          sops.effects,
          bytes(changed),
          "yaml",
          keys,
          false,
        );
        assert(!opened.ok && opened.reason === reason, Deno.inspect(opened));
      }
    });
  });

  Deno.test(`a value that is not encrypted is not shown (sops ${sops.version})`, async () => {
    await withKeys(async ({ age }) => {
      const recipient = age.recipients[0]!;
      const file = new TextDecoder().decode(
        await sops.encrypt("a.yaml", "a: one\n", "--age", recipient),
      ).replace(/^a: .*$/m, "a: hunter2");
      const keys = { identities: [age] };
      const opened = await openSops(
        sops.effects,
        bytes(file),
        "yaml",
        keys,
        false,
      );
      assert(!opened.ok, "it does not open");
      assert(!opened.why.includes("hunter2"), opened.why);
    });
  });
}

/** A home of GnuPG with one key without a passphrase. */
async function gnupgHome(folder: string, name: string): Promise<string> {
  const home = `${folder}/gnupg`;
  await Deno.mkdir(home, { mode: 0o700 });
  const args = ["--homedir", home, "--batch", "--quiet", "--passphrase", ""];
  const key = ["--quick-gen-key", name, "future-default", "default", "never"];
  await must("gpg", [...args, ...key]);
  return home;
}
