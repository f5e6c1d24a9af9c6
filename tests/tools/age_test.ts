import { assert, assertEquals, assertRejects } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { isAgeFile, openAge, readIdentity } from "../../lib/tools/age.ts";
import { bytes, effects, must, withKeys } from "./keys.ts";

Deno.test("an age file is told by its first line", () => {
  for (
    const content of [
      "age-encryption.org/v1\n-> X25519 abc",
      "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl",
      "\n  -----BEGIN AGE ENCRYPTED FILE-----\r\n",
    ]
  ) assert(isAgeFile(content), content);
  for (
    const content of [
      "",
      "age-encryption.org/v1",
      "age-encryption.org/v2\n",
      "see age-encryption.org/v1\n",
      "# -----BEGIN AGE ENCRYPTED FILE-----",
      "text\n-----BEGIN AGE ENCRYPTED FILE-----",
    ]
  ) assert(!isAgeFile(content), content);
});

Deno.test("an identity file tells its kind and recipient", async () => {
  await withKeys(({ folder, age, ssh }) => {
    assertEquals([age.kind, ssh.kind], ["age", "ssh"]);
    assertEquals(age.recipients.length, 1);
    assert(/^age1[0-9a-z]{58}$/.test(age.recipients[0]!), age.recipients[0]);
    const [type, key] = Deno.readTextFileSync(`${folder}/ssh.pub`).split(" ");
    assertEquals(ssh.recipients, [`${type} ${key}`]);
    return Promise.resolve();
  });
});

Deno.test("an identity file with several keys speaks for all", async () => {
  await withKeys(async ({ folder, age, stranger }) => {
    const both = ["age.key", "stranger.key"].map((name) =>
      Deno.readTextFileSync(`${folder}/${name}`)
    ).join("\n");
    await Deno.writeTextFile(`${folder}/both.key`, both);
    const identity = await readIdentity(effects, `${folder}/both.key`);
    assertEquals(identity.recipients, [
      ...age.recipients,
      ...stranger.recipients,
    ]);
  });
});

Deno.test("a file that is no identity is refused, and not shown", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const table: [string, string | undefined][] = [
      ["missing", undefined],
      ["empty", ""],
      ["text", "hunter2\n"],
      ["public", "ssh-ed25519 AAAA root@web"],
      ["broken-age", "AGE-SECRET-KEY-1HUNTER2\n"],
      [
        "broken-ssh",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n-----END OPENSSH PRIVATE KEY-----\n",
      ],
    ];
    for (const [name, content] of table) {
      const path = `${folder}/${name}`;
      if (content !== undefined) {
        await Deno.writeTextFile(path, content, { mode: 0o600 });
      }
      const error = await assertRejects(
        () => readIdentity(effects, path),
        SyncError,
      ) as SyncError;
      assertEquals([error.reason, error.exit], ["identity-unreadable", 5]);
      assert(error.message.startsWith(`Cannot use the identity ${path}: `));
      assert(!Deno.inspect(error).toLowerCase().includes("hunter2"), name);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("an SSH key with a passphrase is refused without a prompt", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/key`;
    const args = ["-q", "-t", "ed25519", "-N", "hunter2", "-f", path];
    await must("ssh-keygen", args);
    await assertRejects(
      () => readIdentity(effects, path),
      SyncError,
      "passphrase",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("an age file opens for those it was made for", async () => {
  await withKeys(async ({ age, ssh, stranger }) => {
    const encrypt = (...recipients: string[]) =>
      must(
        "age",
        ["--encrypt", ...recipients.flatMap((one) => ["-r", one])],
        bytes("plain"),
      );
    const file = await encrypt(age.recipients[0]!);
    assert(isAgeFile(new TextDecoder("latin1").decode(file)));
    assertEquals(await openAge(effects, file, [age]), { ok: true });
    assertEquals(await openAge(effects, file, [stranger, age]), { ok: true });
    const foreign = await openAge(effects, file, [stranger, ssh]);
    assert(!foreign.ok && foreign.foreign, Deno.inspect(foreign));
    const forSsh = await encrypt(ssh.recipients[0]!);
    assertEquals(await openAge(effects, forSsh, [ssh]), { ok: true });
    const broken = file.slice();
    broken[broken.length - 1]! ^= 1;
    const damaged = await openAge(effects, broken, [age]);
    assert(!damaged.ok && !damaged.foreign, Deno.inspect(damaged));
    const cut = await openAge(effects, file.subarray(0, 60), [age]);
    assert(!cut.ok && !cut.foreign, Deno.inspect(cut));
  });
});
