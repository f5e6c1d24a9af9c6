import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { modeOf } from "../folder.ts";
import { output } from "../world/program.ts";
import { Checkout } from "./checkout.ts";

Deno.test("a key is made for root alone, and never over another", async () => {
  await using checkout = await Checkout.make();
  const path = `${checkout.home}/ssh/age.key`;
  const made = await checkout.secrets("keygen", path);
  assertEquals(made.code, 0, made.stderr);
  assertEquals(modeOf(path), 0o400);
  const recipient = await output(["age-keygen", "-y", path]);
  assertStringIncludes(made.stdout, `Its public key: ${recipient}`);
  assertStringIncludes(made.stdout, "secrets add-host");
  assert(!made.stdout.includes("AGE-SECRET-KEY"));
  const key = await Deno.readTextFile(path);
  const again = await checkout.secrets("keygen", path);
  assertEquals(again.code, 2);
  assertStringIncludes(again.stderr, "never overwritten");
  assertEquals(await Deno.readTextFile(path), key);
  // A link is something that is there, wherever it leads.
  await Deno.symlink(`${checkout.home}/elsewhere`, `${checkout.home}/link`);
  const linked = await checkout.secrets("keygen", `${checkout.home}/link`);
  assertEquals(linked.code, 2);
});

Deno.test("a person's own key says nothing of a host", async () => {
  await using checkout = await Checkout.make();
  const path = `${checkout.home}/.config/sops/age/keys.txt`;
  const { code, stdout, stderr } = await checkout.secrets("keygen", path);
  assertEquals(code, 0, stderr);
  const recipient = await output(["age-keygen", "-y", path]);
  assertEquals(
    stdout,
    `Your key is in ${path}; only you can read it.\nIts public key: ${recipient}\n`,
  );
});

Deno.test("a host's public keys are those of its age and SSH keys", async () => {
  await using checkout = await Checkout.make();
  const ssh = `${checkout.home}/ssh_host`;
  await output(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", ssh]);
  const flags = [`${checkout.home}/web.key`, ssh]
    .map((path) => `--secrets-identities=${path}`);
  const { code, stdout, stderr } = await checkout.secrets(
    "recipients",
    ...flags,
  );
  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, checkout.keys.web);
  const [type, key] = (await Deno.readTextFile(`${ssh}.pub`)).split(" ");
  assertStringIncludes(stdout, `${type} ${key}`);
  const json = await checkout.secrets("recipients", "--json", ...flags);
  const { identities } = JSON.parse(json.stdout);
  assertEquals(identities[0].recipients, [checkout.keys.web]);
  assertEquals(identities.length, 2);
  assert(!json.stdout.includes("SECRET"), "a secret key was shown");
});

Deno.test("a file with keys of a plugin alone is told, and not passed over", async () => {
  await using checkout = await Checkout.make();
  const path = `${checkout.home}/plugin.key`;
  const key = "AGE-PLUGIN-YUBIKEY-1QQQQQQQQQQQQQQQQQQQQQ";
  await Deno.writeTextFile(path, `${key}\n`, { mode: 0o600 });
  const flag = `--secrets-identities=${path}`;
  const { code, stdout, stderr } = await checkout.secrets("recipients", flag);
  assertEquals([code, stdout], [0, ""], stderr);
  assertStringIncludes(stderr, `${path} has keys of a plugin`);
  assert(!`${stdout}${stderr}`.includes(key), "a private key was shown");
  const json = await checkout.secrets("recipients", "--json", flag);
  const { identities } = JSON.parse(json.stdout);
  assertEquals(identities[0].hasPluginKeys, true);
});
