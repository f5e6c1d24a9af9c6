import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { output, run } from "../world/program.ts";
import { Checkout } from "./checkout.ts";
import { pluginFolder } from "./foreign/programs.ts";

const rules = ({ me, web }: Checkout["keys"]) =>
  `creation_rules:\n  - path_regex: .*\n    age: ${me},${web}\n`;

Deno.test("a file with merge keys is encrypted, checked and re-keyed", async () => {
  await using checkout = await Checkout.make();
  await checkout.write(".sops.yaml", rules(checkout.keys));
  await checkout.write(
    "a.yaml",
    "base: &base\n  user: web\nsite:\n  <<: *base\n  password: word\n",
  );
  for (const words of [["encrypt", "a.yaml"], ["updatekeys", "a.yaml"]]) {
    const { code, stderr } = await checkout.secrets(...words);
    assertEquals(code, 0, stderr);
  }
  assertStringIncludes(checkout.read("a.yaml"), "<<:");
  const { code, stdout } = await checkout.secrets("check");
  assertEquals(code, 0, stdout);
  assertStringIncludes(await checkout.decrypt("a.yaml", "web"), "word");
});

Deno.test("files of age without a secrets.nix are nobody's fault", async () => {
  await using checkout = await Checkout.make();
  const key = checkout.keys.me;
  const args = ["age", "-e", "-a", "-r", key];
  await checkout.write("a.age", `${await output(args, { input: "x" })}\n`);
  const { code, stdout } = await checkout.secrets("check");
  assertEquals(code, 0, stdout);
  assertStringIncludes(stdout, "1 file, no problems");
  // With one, a file that it does not name can't be re-keyed.
  await checkout.write("secrets.nix", "{ }\n");
  const named = await checkout.secrets("check");
  assertEquals(named.code, 5);
  assertStringIncludes(named.stdout, "no secrets.nix names it");
});

Deno.test("a host is added where secrets.nix imports its keys", async () => {
  await using checkout = await Checkout.make();
  const { me, web, db } = checkout.keys;
  await checkout.write("keys.nix", `{ me = "${me}"; web = "${web}"; }\n`);
  await checkout.write(
    "secrets/secrets.nix",
    `let\n  inherit (import ../keys.nix) me web;\nin\n{\n  "a.age".publicKeys = [ me web ];\n}\n`,
  );
  await checkout.write("secrets/a.age", "word");
  const encrypted = await checkout.secrets("encrypt", "secrets/a.age");
  assertEquals(encrypted.code, 0, encrypted.stderr);
  const words = ["add-host", "db", db, "secrets/a.age"];
  const { code, stderr } = await checkout.secrets(...words);
  assertEquals(code, 0, stderr);
  assertStringIncludes(checkout.read("secrets/secrets.nix"), "[ me web db ]");
  assertEquals(await checkout.decryptAge("secrets/a.age", "db"), "word");
  const names = Array.from(
    Deno.readDirSync(`${checkout.top}/secrets`),
    ({ name }) => name,
  );
  assertEquals(names.sort(), ["a.age", "secrets.nix"]);
});

Deno.test("RULES names the rules, as for agenix", async () => {
  await using checkout = await Checkout.make();
  const { me } = checkout.keys;
  await checkout.write(
    "rules/age.nix",
    `{ "secrets/a.age".publicKeys = [ "${me}" ]; }\n`,
  );
  await checkout.write("secrets/a.age", "word");
  const env = { RULES: "./rules/age.nix" };
  const { code, stderr } = await checkout
    .start(["encrypt", "secrets/a.age"], env).ended;
  assertEquals(code, 0, stderr);
  assertEquals(await checkout.decryptAge("secrets/a.age", "me"), "word");
  const checked = await checkout.start(["check"], env).ended;
  assertEquals(checked.code, 0, checked.stdout);
});

Deno.test("what is larger than limits.secrets is left out and told", async () => {
  await using checkout = await Checkout.make();
  await checkout.write(".sops.yaml", rules(checkout.keys));
  await checkout.write("large.bin", "x".repeat(100_000));
  const { code, stderr } = await checkout.secrets("encrypt", "large.bin");
  assertEquals(code, 0, stderr);
  const whole = await checkout.secrets("check");
  assertStringIncludes(whole.stdout, "1 file, no problems");
  const less = await checkout.secrets("check", "--limits-secrets=50K");
  assertStringIncludes(less.stdout, "Not checked, because larger");
  assertStringIncludes(less.stdout, "large.bin");
  assert(!less.stdout.includes("no problems"), less.stdout);
});

const plugins = await pluginFolder();
if (!plugins) console.log("plugins of age are not tested here: none is there");

Deno.test({
  name: "a recipient and a person's own identity may be those of a plugin",
  ignore: plugins === undefined,
  fn: async () => {
    await using checkout = await Checkout.make();
    const key = `${checkout.home}/pq.key`;
    await output([`${plugins}/age-keygen`, "-pq", "-o", key]);
    const to = await output([`${plugins}/age-keygen`, "-y", key]);
    const line = await output([`${plugins}/age-plugin-pq`, "-identity", key]);
    await Deno.writeTextFile(`${checkout.home}/own.key`, `${line}\n`);
    await checkout.write(
      "secrets.nix",
      `let\n  me = "${to}";\nin\n{ "a.age".publicKeys = [ me "${checkout.keys.web}" ]; }\n`,
    );
    await checkout.write("a.age", "word");
    const env = {
      PATH: `${Deno.env.get("PATH")}:${plugins}`,
      SOPS_AGE_KEY_FILE: `${checkout.home}/own.key`,
    };
    for (const words of [["encrypt", "a.age"], ["rotate", "a.age"]]) {
      const { code, stderr } = await checkout.start(words, env).ended;
      assertEquals(code, 0, stderr);
    }
    const { code, stdout } = await checkout.start(["check"], env).ended;
    assertEquals(code, 0, stdout);
    const own = ["age", "-d", "-i", `${checkout.home}/own.key`];
    const opened = await run([...own, `${checkout.top}/a.age`], { env });
    assertEquals(opened.stdout, "word", opened.stderr);
  },
});
