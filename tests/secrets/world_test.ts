import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readIdentity } from "../../lib/secrets/identities.ts";
import { effects } from "./keys.ts";
import type { Knobs } from "../world/repository.ts";
import { makeRepository } from "../world/repository.ts";
import { World } from "../world/world.ts";

const refusal = await World.refusal();
if (refusal) console.log(`worlds are not tested here: ${refusal}`);

/** A test with a world of its own. */
function test(name: string, body: (world: World) => Promise<void>) {
  Deno.test({
    name,
    ignore: refusal !== null,
    fn: async () => {
      await using world = await World.make();
      await body(world);
    },
  });
}

for (const manifest of ["script", "systemd"] as const) {
  test(`what a system installs is proven before it is activated (${manifest})`, async (world) => {
    const recipient = await world.makeKey();
    const repository = await makeRepository(`${world.folder}/infra`);
    world.configure(repository);
    const good = await world.encrypt(recipient, "password: swordfish\n");
    const age = await world.output(
      ["age", "--encrypt", "--armor", "-r", recipient],
      { input: "tuna" },
    );
    const publish = (message: string, knobs: Knobs) =>
      repository.publish(message, {
        knobs: { manifest, ...knobs },
        files: { "web.yaml": good, "mail.age": `${age}\n` },
      });
    await publish("Good", { secrets: ["web.yaml#password", "mail.age"] });
    const first = await world.sync("--verbose");
    assertEquals(first.code, 0, first.stderr);
    assertStringIncludes(first.stderr, "2 secrets of the system can be");
    const running = world.running();
    assertEquals(
      await world.output(["cat", "/run/secrets/password", "/run/secrets/mail"]),
      "swordfishtuna",
    );

    await publish("A key that is not there", { secrets: ["web.yaml#pasword"] });
    const second = await world.sync();
    assertEquals(second.code, 5, second.stderr);
    assertStringIncludes(
      second.stderr,
      "web.yaml, key pasword [no-key]: secret pasword uses it, but there is no pasword, only password",
    );
    assertEquals(world.running(), running);
    assertEquals(world.state()?.last?.stage, "prove");
    assertEquals(world.state()?.holds.length, 1);
    assert(world.calls().every(({ system }) => system === running));
  });
}

test("the keys that the built system names are the ones that count", async (world) => {
  const path = "/etc/gitops-sync/host.key";
  const recipient = await world.makeKey(path);
  const repository = await makeRepository(`${world.folder}/infra`, {
    manifest: "script",
    keyFile: path,
  });
  world.configure(repository);
  const secret = await world.encrypt(recipient, "password: swordfish\n");
  const publish = (message: string, knobs: Knobs, more = {}) =>
    repository.publish(message, {
      knobs: { secrets: ["web.yaml#password"], ...knobs },
      files: { "web.yaml": secret, ...more },
    });
  const refused = async (...words: string[]) => {
    const { code, stderr } = await world.sync();
    assertEquals(code, 5, stderr);
    for (const word of words) assertStringIncludes(stderr, word);
    assertEquals(world.running(), running);
    assertEquals(world.bootDefault(), running);
  };

  // Nothing says before the build where the key is; the built system does.
  await publish("The key is elsewhere", {});
  const first = await world.sync();
  assertEquals(first.code, 0, first.stderr);
  assertStringIncludes(first.stderr, "prove: 1 secret of the system can be");
  const running = world.running();

  // Now the running system says it.
  await publish("Another greeting", { greeting: "again" });
  const second = await world.sync("--operation=build");
  assertEquals(second.code, 0, second.stderr);
  assertStringIncludes(second.stderr, "secrets: 1 file can be decrypted");

  await publish("A key that is not there", { keyFile: "/etc/ssh/none.key" });
  await refused("/etc/ssh/none.key [identity-unreadable]: ", "wrong-recipient");

  const odd = await world.encrypt(recipient, "port: 5432\npassword: a\n");
  await publish("A value that is no text", {
    keyFile: path,
    secrets: ["odd.yaml#port"],
  }, { "odd.yaml": odd });
  await refused(
    "odd.yaml, key port [no-text]: secret port uses it, but the value is of type int",
    "put the value in quotes: sops edit odd.yaml",
  );

  await world.output(["age-keygen", "-o", "/etc/ssh/other.key"]);
  await publish("Another key", { keyFile: "/etc/ssh/other.key" });
  await refused(
    "web.yaml [wrong-recipient]: secret password uses it, but it is encrypted for others",
    `it is for ${recipient.slice(0, 16)}…`,
    "this host has: /etc/ssh/other.key",
    "sops updatekeys web.yaml",
  );

  const theirs = await world.output(["age-keygen", "-y", "/etc/ssh/other.key"]);
  const age = await world.output(
    ["age", "--encrypt", "--armor", "-r", theirs],
    { input: "tuna" },
  );
  await publish("An age file for others", {
    keyFile: path,
    secrets: ["web.yaml", "mail.age"],
  }, { "mail.age": `${age}\n` });
  await refused("mail.age [wrong-recipient]", "agenix --rekey");

  await publish("A file that is not encrypted", {
    secrets: ["plain.yaml#password"],
  }, { "plain.yaml": "password: carp\n" });
  await refused("plain.yaml [plaintext]: secret password uses it");
});

test("keys in the configuration take the place of those of the system", async (world) => {
  const path = "/etc/gitops-sync/host.key";
  const recipient = await world.makeKey(path);
  const repository = await makeRepository(`${world.folder}/infra`, {
    manifest: "systemd",
  });
  world.configure(repository, {
    "secrets.identities": [path],
    "operation": "build",
  });
  await repository.publish("A secret", {
    knobs: { secrets: ["web.yaml#password"] },
    files: {
      "web.yaml": await world.encrypt(recipient, "password: swordfish\n"),
    },
  });
  const { code, stderr } = await world.sync();
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "prove: 1 secret of the system can be");
});

for (const manifest of ["script", "systemd"] as const) {
  test(`SSH keys open what sops-nix can open with them (${manifest})`, async (world) => {
    const ssh = "/etc/ssh/ssh_host_ed25519_key";
    const rsa = "/etc/ssh/ssh_host_rsa_key";
    for (const [type, path] of [["ed25519", ssh], ["rsa", rsa]] as const) {
      await world.output(
        ["ssh-keygen", "-q", "-t", type, "-N", "", "-f", path],
      );
    }
    const { recipients: [own, made] } = await readIdentity(
      effects,
      world.path(ssh),
    );
    const repository = await makeRepository(`${world.folder}/infra`, {
      manifest,
      keyFile: "",
      secrets: ["web.yaml#password"],
    });
    world.configure(repository, { operation: "build" });
    const secret = "password: swordfish\n";
    const forOwn = await world.encrypt(own!, secret);
    const forMade = await world.encrypt(made!, secret);
    const pgp = forOwn.replace(
      /^ +age:\n( +- recipient: .*\n)[^]*?(?=^ {4}\w)/m,
      [
        "    pgp:",
        '        - created_at: "2026-01-01T00:00:00Z"',
        "          enc: x",
        "          fp: 0123456789ABCDEF0123456789ABCDEF01234567\n",
      ].join("\n"),
    );
    assert(pgp.includes("fp: 0123456789ABCDEF"), pgp);
    const environment = { SOPS_AGE_SSH_PRIVATE_KEY_FILE: ssh };
    const table: [Knobs["sops"], string, number, string][] = [
      [{ ageSshKeyPaths: [ssh] }, forMade, 0, "prove: 1 secret of the system"],
      // sops-nix passes over what is not there, or of another kind.
      [
        { ageSshKeyPaths: ["/etc/ssh/none", rsa, ssh] },
        forMade,
        0,
        "prove: 1 secret of the system",
      ],
      // What sops-nix makes of the key is not the key itself.
      [
        { ageSshKeyPaths: [ssh] },
        forOwn,
        5,
        "web.yaml [wrong-recipient]",
      ],
      [{ environment }, forOwn, 0, "prove: 1 secret of the system"],
      [{ sshKeyPaths: [rsa] }, pgp, 0, "Cannot prove that web.yaml opens here"],
      [{}, pgp, 5, "web.yaml [wrong-recipient]"],
    ];
    for (const [sops, file, code, words] of table) {
      await repository.publish(words, {
        knobs: { sops },
        files: { "web.yaml": file },
      });
      const ended = await world.sync();
      assertEquals(ended.code, code, `${words}\n${ended.stderr}`);
      assertStringIncludes(ended.stderr, words);
    }
  });
}
