import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Checkout } from "./checkout.ts";

/** A repository in which `web` may read all, and `db` one file of each kind. */
async function infra(): Promise<Checkout> {
  const checkout = await Checkout.make();
  const { me, web, db } = checkout.keys;
  await checkout.write(
    ".sops.yaml",
    `keys:
  - &me ${me}
  - &web ${web}
creation_rules:
  - path_regex: secrets/web/.*
    key_groups:
      - age:
          - *me
          - *web
  - path_regex: secrets/.*
    age: ${me},${web},${db}
`,
  );
  await checkout.write(
    "secrets.nix",
    `let
  me = "${me}";
  web = "${web}";
  db = "${db}";
in
{
  "token.age".publicKeys = [ me web ];
  "both.age".publicKeys = [ me web db ];
}
`,
  );
  for (const path of ["secrets/web/a.yaml", "secrets/b.yaml"]) {
    await checkout.write(path, "password: hunter2\n");
  }
  for (const path of ["token.age", "both.age"]) {
    await checkout.write(path, "hunter2");
  }
  const made = await checkout.secrets(
    "encrypt",
    "secrets/web/a.yaml",
    "secrets/b.yaml",
    "token.age",
    "both.age",
  );
  assertEquals(made.code, 0, made.stderr);
  await checkout.write("README.md", "nothing of interest\n");
  return checkout;
}

/** No key of the machine that the test runs on. */
const nobody = "--secrets-identities=/dev/null";

Deno.test("the matrix says who can open what", async () => {
  await using checkout = await infra();
  const identity = `--secrets-identities=${checkout.home}/db.key`;
  const { code, stdout, stderr } = await checkout.secrets("check", identity);
  assertEquals(code, 0, stdout + stderr);
  const cells = stdout.split("\n").map((line) => line.trim().split(/\s{2,}/));
  assertEquals(cells.slice(0, 5), [
    ["me", "web", "db"],
    ["both.age", "yes", "yes", "yes"],
    ["secrets/b.yaml", "yes", "yes", "yes"],
    ["secrets/web/a.yaml", "yes", "yes", "-"],
    ["token.age", "yes", "yes", "-"],
  ]);
  assertStringIncludes(stdout, "4 files, no problems");
  const one = await checkout.secrets(
    "check",
    "--json",
    "--host=db",
    identity,
    "secrets",
  );
  assertEquals(JSON.parse(one.stdout).files, [
    { path: "secrets/b.yaml", hosts: { db: "yes" }, problems: [] },
    { path: "secrets/web/a.yaml", hosts: { db: "no" }, problems: [] },
  ]);
  const other = await checkout.secrets("check", "--host=mail", identity);
  assertEquals(other.code, 2);
  assertStringIncludes(other.stderr, "Use one of these names: me, web, db");
});

Deno.test("what is wrong ends the check with 5 and says how to mend it", async () => {
  await using checkout = await infra();
  const identity = `--secrets-identities=${checkout.home}/web.key`;
  const check = (...words: string[]) =>
    checkout.secrets("check", identity, ...words);
  const { web, db } = checkout.keys;
  // db may read what web reads, and nobody has re-keyed; web may no longer.
  await checkout.write(
    ".sops.yaml",
    checkout.read(".sops.yaml").replace(`- &web ${web}`, `- &db ${db}`)
      .replace("- *web", "- *db"),
  );
  const stale = await check("secrets/web");
  assertEquals(stale.code, 5, stale.stdout);
  assert(/a\.yaml +yes +MISSING +extra\n/.test(stale.stdout), stale.stdout);
  assertStringIncludes(
    stale.stdout,
    "fix: gitops-sync secrets updatekeys secrets/web/a.yaml",
  );
  const mended = await checkout.secrets("updatekeys", "secrets/web/a.yaml");
  assertEquals(mended.code, 0, mended.stderr);
  assertEquals((await check("secrets/web")).code, 0);
});

Deno.test("a damaged file and one in plaintext are found", async () => {
  await using checkout = await infra();
  const identity = `--secrets-identities=${checkout.home}/web.key`;
  const b = checkout.read("secrets/b.yaml");
  const age = checkout.read("token.age").length;
  assert(age > 0);
  const table: [string, string, string][] = [
    [
      "secrets/c.yaml",
      "password: hunter2\n",
      "it is in plaintext, but a rule of .sops.yaml requires encryption\nfix: gitops-sync secrets encrypt secrets/c.yaml\n",
    ],
    [
      "secrets/c.yaml",
      b.replace(/password: .*/, "password: x"),
      "in plaintext",
    ],
    ["secrets/c.yaml", b.replace(/sops:[^]*/, ""), "it is truncated"],
    ["secrets/c.yaml", `more: ${/ENC\S+/.exec(b)![0]}\n${b}`, ""],
    ["c.age", "hunter2", "it is not encrypted"],
  ];
  for (const [path, text, why] of table) {
    await checkout.write(path, text);
    const { code, stdout } = await checkout.secrets("check", identity, path);
    assertEquals(code, 5, stdout);
    assertStringIncludes(stdout, `${path}: `);
    assertStringIncludes(stdout, why);
    assert(!stdout.includes("hunter2"), stdout);
  }
});

Deno.test("nothing passes by rules that can't be read", async () => {
  await using checkout = await infra();
  const identity = `--secrets-identities=${checkout.home}/web.key`;
  const rules = checkout.read(".sops.yaml");
  for (
    const [text, why] of [
      [`creation_rules: [\n${rules}`, "its syntax is wrong"],
      [
        rules.replace(/path_regex: \S+/, "path_regex: (a+|b)+$"),
        "the path_regex of its rule 1 is too complex to match here",
      ],
    ]
  ) {
    await checkout.write(".sops.yaml", text!);
    const { code, stdout } = await checkout.secrets("check", identity);
    assertEquals(code, 5, stdout);
    assertStringIncludes(stdout, `.sops.yaml: ${why}`);
  }
});

Deno.test("without anything encrypted, or outside a checkout, it says so", async () => {
  await using checkout = await Checkout.make();
  const identity = `--secrets-identities=${checkout.home}/web.key`;
  const { code, stdout } = await checkout.secrets("check", identity);
  assertEquals([code, stdout], [0, "There are no encrypted files here\n"]);
  const outside = await checkout.secrets("check", identity, "/usr");
  assertEquals(outside.code, 2);
  assertStringIncludes(outside.stderr, "not in a checkout");
  const wrong = await checkout.secrets("check", nobody);
  assertEquals(wrong.code, 5);
});

Deno.test("a new host gets into the rules and the files", async () => {
  await using checkout = await infra();
  const { db } = checkout.keys;
  const before = checkout.read("secrets/b.yaml");
  const several = await checkout.secrets("add-host", "db", db);
  assertEquals(several.code, 2);
  assertStringIncludes(several.stderr, "has more than one rule");
  const added = await checkout.secrets(
    "add-host",
    "db",
    db,
    "secrets/web/a.yaml",
    "token.age",
  );
  assertEquals(added.code, 0, added.stderr);
  assertEquals(
    added.stdout,
    `Changed .sops.yaml
Changed secrets/web/a.yaml
Changed secrets.nix
Changed token.age
db can open them once they are committed and pushed
`,
  );
  assertEquals(
    await checkout.decrypt("secrets/web/a.yaml", "db"),
    "password: hunter2\n",
  );
  assertEquals(await checkout.decryptAge("token.age", "db"), "hunter2");
  assertEquals(checkout.read("secrets/b.yaml"), before);
  const identity = `--secrets-identities=${checkout.home}/db.key`;
  const check = await checkout.secrets("check", "--host=db", identity);
  assertEquals(check.code, 0, check.stdout);
  const other = await checkout.secrets(
    "add-host",
    "db",
    checkout.keys.web,
    "token.age",
  );
  assertEquals(other.code, 2);
  assertStringIncludes(other.stderr, "another key of that name");
  for (
    const words of [["db"], ["a b", db], ["db", "hunter2"], [
      "db",
      `${db} x`,
      "none/file",
    ]]
  ) {
    assert((await checkout.secrets("add-host", ...words)).code !== 0);
  }
});

Deno.test("a host that nobody can let in changes nothing", async () => {
  await using checkout = await infra();
  const names = [".sops.yaml", "secrets/b.yaml", "secrets/web/a.yaml"];
  const before = names.map((name) => checkout.read(name));
  // A stranger's key opens nothing, so nothing can be re-keyed.
  const { code } = await checkout.start(
    ["add-host", "mail", checkout.keys.db, "secrets/web/a.yaml"],
    { SOPS_AGE_KEY_FILE: `${checkout.home}/db.key` },
  ).ended;
  assertEquals(code, 5);
  assertEquals(names.map((name) => checkout.read(name)), before);
});
