import { assert, assertEquals, assertRejects } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import {
  ageStanzas,
  isAgeFile,
  openAge,
  sshTag,
} from "../../lib/secrets/age.ts";
import { asAge, readIdentity } from "../../lib/secrets/identities.ts";
import { sshToAge } from "../../lib/keys/ssh_to_age.ts";
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
    assertEquals(ssh.recipients[0], `${type} ${key}`);
    assert(/^age1[0-9a-z]{58}$/.test(ssh.recipients[1]!), ssh.recipients[1]);
    assertEquals(asAge(ssh).recipients, ssh.recipients.slice(1));
    assertEquals(asAge(age), age);
    assert(!Deno.inspect([age, ssh]).includes("AGE-SECRET-KEY"));
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
    await assertRejects(
      () => readIdentity(effects, "/dev/zero"),
      SyncError,
      "it is not a key file",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("an SSH key that age has no use for is refused", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/key`;
    await must("ssh-keygen", ["-q", "-t", "ecdsa", "-N", "", "-f", path]);
    const read = () => readIdentity(effects, path);
    await assertRejects(
      read,
      SyncError,
      "only takes SSH keys of type ed25519 and RSA",
    );
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
    assert(!foreign.ok && foreign.kind === "foreign", Deno.inspect(foreign));
    const forSsh = await encrypt(ssh.recipients[0]!);
    assertEquals(await openAge(effects, forSsh, [ssh]), { ok: true });
    for (const odd of ["age1x", "ssh-ed25519 %", "ssh-rsa A", ""]) {
      assertEquals(await sshTag(odd), undefined);
    }
    const named = await sshTag(ssh.recipients[0]!);
    const text = new TextDecoder("latin1").decode(forSsh);
    assertEquals(ageStanzas(text), [named]);
    // What the key becomes for sops-nix is of no use to age itself.
    const forMade = await encrypt(ssh.recipients[1]!);
    assert(!(await openAge(effects, forMade, [ssh])).ok);
    assert(!(await openAge(effects, forSsh, [asAge(ssh)])).ok);
    const broken = file.slice();
    broken[broken.length - 1]! ^= 1;
    const damaged = await openAge(effects, broken, [age]);
    assert(!damaged.ok && damaged.kind === "damaged", Deno.inspect(damaged));
    const cut = await openAge(effects, file.subarray(0, 60), [age]);
    assert(!cut.ok && cut.kind === "damaged", Deno.inspect(cut));
  });
});

Deno.test("an age file names whom it is for, as far as it does", async () => {
  await withKeys(async ({ age, ssh }) => {
    const file = await must("age", [
      "--encrypt",
      "--armor",
      ...[age, ssh].flatMap(({ recipients }) => ["-r", recipients[0]!]),
    ], bytes("plain"));
    const text = new TextDecoder().decode(file);
    assertEquals(ageStanzas(text), [
      "X25519",
      await sshTag(ssh.recipients[0]!),
    ]);
    assertEquals(ageStanzas(text.slice(0, 120)), undefined);
    assertEquals(ageStanzas("age-encryption.org/v1\n-> X25519 abc"), undefined);
  });
});

Deno.test("what an SSH key becomes for age is what it was made for", async () => {
  await withKeys(async ({ folder, ssh }) => {
    const key = await sshToAge(await Deno.readTextFile(`${folder}/ssh`));
    assert(key?.startsWith("AGE-SECRET-KEY-1"), "it is an age identity");
    await Deno.writeTextFile(`${folder}/made`, `${key}\n`, { mode: 0o600 });
    const made = await readIdentity(effects, `${folder}/made`);
    assertEquals(made.recipients, ssh.recipients.slice(1));
  });
});

Deno.test("keys that age has no use for are not converted", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const table: [string, string[]][] = [
      ["rsa", ["-t", "rsa", "-b", "2048", "-N", ""]],
      ["pem", ["-t", "rsa", "-b", "2048", "-N", "", "-m", "PEM"]],
      ["ecdsa", ["-t", "ecdsa", "-N", ""]],
      ["locked", ["-t", "ed25519", "-N", "hunter2"]],
    ];
    for (const [name, args] of table) {
      await must("ssh-keygen", ["-q", ...args, "-f", `${folder}/${name}`]);
      const pem = await Deno.readTextFile(`${folder}/${name}`);
      assertEquals(await sshToAge(pem), undefined, name);
      assertEquals(await sshToAge(pem.slice(0, 200)), undefined, name);
    }
    assertEquals(await sshToAge(""), undefined);
    const noise = btoa("openssh-key-v1\0\xff\xff\xff\xff");
    const begin = "-----BEGIN OPENSSH PRIVATE KEY-----";
    const end = "-----END OPENSSH PRIVATE KEY-----";
    for (const body of ["", "!", noise]) {
      assertEquals(await sshToAge(`${begin}\n${body}\n${end}\n`), undefined);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// Fixed keys, published nowhere and used for nothing, so that the conversion is
// held to a value and not only to itself.
Deno.test("the conversion of an SSH key is the one that sops-nix does", async () => {
  const seed = Uint8Array.from({ length: 32 }, (_, i) => i);
  const key = await sshToAge(privateKeyOf(seed));
  assertEquals(
    key,
    "AGE-SECRET-KEY-18K2WAFYUTQ9WLQTFX4MZHCZF2KWK69ZQMM0P9E4PYHCCG8LL3EHSJQ2486",
  );
});

/** An OpenSSH private key file of a seed; its public half does not matter. */
function privateKeyOf(seed: Uint8Array): string {
  const field = (...parts: (string | Uint8Array)[]) => {
    const all = parts.map((part) => [
      ...(typeof part === "string" ? bytes(part) : part),
    ]).flat();
    return [0, 0, all.length >> 8, all.length & 255, ...all];
  };
  const kind = field("ssh-ed25519");
  const half = field(new Uint8Array(32));
  const inner = [
    ...new Uint8Array(8),
    ...kind,
    ...half,
    ...field(seed, new Uint8Array(32)),
    ...field("comment"),
  ];
  const body = [
    ...bytes("openssh-key-v1\0"),
    ...field("none"),
    ...field("none"),
    ...field(),
    ...[0, 0, 0, 1],
    ...field(Uint8Array.from([...kind, ...half])),
    ...field(Uint8Array.from(inner)),
  ];
  const text = btoa(String.fromCharCode(...body));
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${text}\n-----END OPENSSH PRIVATE KEY-----\n`;
}
