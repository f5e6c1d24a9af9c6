import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { modeOf } from "../folder.ts";
import { output } from "../world/program.ts";
import { Checkout, leftovers } from "./checkout.ts";

/** Rules of sops and of agenix for everything in the folder `secrets`. */
async function withRules(): Promise<Checkout> {
  const checkout = await Checkout.make();
  const { me, web } = checkout.keys;
  await checkout.write(
    ".sops.yaml",
    `keys:
  - &me ${me}
  - &web ${web}
creation_rules:
  - path_regex: secrets/.*
    key_groups:
      - age:
          - *me
          - *web
`,
  );
  await checkout.write(
    "secrets.nix",
    `let
  me = "${me}";
  web = "${web}";
in
{
  "secrets/token.age".publicKeys = [ me web ];
}
`,
  );
  return checkout;
}

/** An editor that writes what it sees, and then changes the file. */
async function editorOf(checkout: Checkout, change: string): Promise<string> {
  const path = `${checkout.home}/editor`;
  await Deno.writeTextFile(
    path,
    `#!/bin/sh
file=$1
folder=$(dirname "$file")
{ echo "$file"; stat -f -c %T "$file"; stat -c %a "$folder"; cat "$file"; } >'${checkout.home}/seen'
${change}
`,
    { mode: 0o755 },
  );
  await Deno.chmod(path, 0o755);
  return path;
}

Deno.test("files of every format are encrypted in place, and keep their mode", async () => {
  await using checkout = await withRules();
  const table: [string, string][] = [
    ["secrets/a.yaml", "password: hunter2\n"],
    ["secrets/a.json", '{\n\t"password": "hunter2"\n}\n'],
    ["secrets/a.env", "PASSWORD=hunter2\n"],
    ["secrets/a.ini", "[web]\npassword = hunter2\n"],
    ["secrets/a", "hunter2"],
    ["secrets/token.age", "hunter2"],
  ];
  for (const [path, plain] of table) {
    await checkout.write(path, plain);
    await Deno.chmod(`${checkout.top}/${path}`, 0o640);
  }
  const paths = table.map(([path]) => path);
  const { code, stdout, stderr } = await checkout.secrets("encrypt", ...paths);
  assertEquals(code, 0, stderr);
  assertEquals(stdout, paths.map((path) => `Encrypted ${path}\n`).join(""));
  for (const [path, plain] of table) {
    assert(!checkout.read(path).includes("hunter2"), path);
    assertEquals(modeOf(`${checkout.top}/${path}`), 0o640, path);
    const seen = path.endsWith(".age")
      ? await checkout.decryptAge(path, "web")
      : await checkout.decrypt(path, "web");
    assertEquals(seen.trim(), plain.trim(), path);
  }
  const again = await checkout.secrets("encrypt", "secrets/a.yaml");
  assertEquals(again.code, 5);
  assertStringIncludes(again.stderr, "it is already encrypted");
  const age = await checkout.secrets("encrypt", "secrets/token.age");
  assertEquals(age.code, 2);
  assertStringIncludes(age.stderr, "it is already encrypted");
  assertEquals(leftovers(), []);
});

Deno.test("one file that fails leaves all as they were", async () => {
  await using checkout = await withRules();
  await checkout.write("secrets/a.yaml", "password: hunter2\n");
  await checkout.write("elsewhere.yaml", "password: hunter2\n");
  const { code, stderr } = await checkout.secrets(
    "encrypt",
    "secrets/a.yaml",
    "elsewhere.yaml",
  );
  assertEquals(code, 5);
  assertStringIncludes(stderr, "no matching creation rules");
  assertEquals(checkout.read("secrets/a.yaml"), "password: hunter2\n");
  const missing = await checkout.secrets("encrypt", "secrets/none.yaml");
  assertEquals(missing.code, 2);
  await output(["git", "add", "secrets/a.yaml"], { cwd: checkout.top });
  const known = await checkout.secrets("encrypt", "secrets/a.yaml");
  assertEquals(known.code, 0, known.stderr);
  assertStringIncludes(known.stderr, "Git already tracks secrets/a.yaml");
});

Deno.test("an editor sees the secret in memory alone", async () => {
  await using checkout = await withRules();
  const editor = await editorOf(
    checkout,
    'printf "more: hunter3\\n" >>"$file"; : >"$file~"',
  );
  await checkout.write("secrets/a.yaml", "password: hunter2\n");
  await checkout.write("secrets/token.age", "password: hunter2\n");
  await checkout.secrets("encrypt", "secrets/a.yaml", "secrets/token.age");
  const before = checkout.read("secrets/a.yaml");
  for (const path of ["secrets/a.yaml", "secrets/token.age"]) {
    const { code, stderr } = await checkout.start(["edit", path], {
      EDITOR: editor,
    }).ended;
    assertEquals(code, 0, stderr);
    const seen = await Deno.readTextFile(`${checkout.home}/seen`);
    const [file, type, mode, ...content] = seen.split("\n");
    assertEquals([type, mode], ["tmpfs", "700"], file);
    assertEquals(content.join("\n"), "password: hunter2\n");
    const changed = path.endsWith(".age")
      ? await checkout.decryptAge(path, "web")
      : await checkout.decrypt(path, "web");
    assertEquals(changed, "password: hunter2\nmore: hunter3\n");
  }
  // What was not changed is as it was.
  assertEquals(
    checkout.read("secrets/a.yaml").split("\n")[0],
    before.split("\n")[0],
  );
  assertEquals(leftovers(), []);
});

Deno.test("an edit that changes nothing, or fails, leaves the file alone", async () => {
  await using checkout = await withRules();
  await checkout.write("secrets/a.yaml", "password: hunter2\n");
  await checkout.write("secrets/token.age", "password: hunter2\n");
  await checkout.secrets("encrypt", "secrets/a.yaml", "secrets/token.age");
  for (const path of ["secrets/a.yaml", "secrets/token.age"]) {
    const before = checkout.read(path);
    const edit = async (change: string) => {
      const EDITOR = await editorOf(checkout, change);
      return await checkout.start(["edit", path], { EDITOR }).ended;
    };
    const same = await edit("true");
    assertEquals([same.code, same.stdout], [0, "Nothing was changed\n"]);
    const failed = await edit('echo lost >>"$file"; exit 3');
    assert(failed.code !== 0);
    assertEquals(checkout.read(path), before);
    if (path.endsWith(".age")) continue;
    // sops writes nothing at all then, not even who can read it.
    const emptied = await edit(': >"$file"');
    assertEquals(emptied.code, 5, emptied.stderr);
    assertStringIncludes(emptied.stderr, "the edited text is empty");
    assertEquals(checkout.read(path), before);
  }
  assertEquals(leftovers(), []);
});

Deno.test("a new file is made by the editor, for those of its rule", async () => {
  await using checkout = await withRules();
  const EDITOR = await editorOf(checkout, 'echo "new: hunter2" >"$file"');
  for (const path of ["secrets/new.yaml", "secrets/token.age"]) {
    const { code, stderr } = await checkout.start(["edit", path], { EDITOR })
      .ended;
    assertEquals(code, 0, stderr);
    const seen = path.endsWith(".age")
      ? await checkout.decryptAge(path, "web")
      : await checkout.decrypt(path, "web");
    assertEquals(seen, "new: hunter2\n", path);
  }
  const ruled = await checkout.start(["edit", "secrets/other.age"], { EDITOR })
    .ended;
  assertEquals(ruled.code, 2);
  assertStringIncludes(ruled.stderr, "no secrets.nix names it");
});

Deno.test("an edit that is ended leaves nothing behind, and one that is killed until the next", async () => {
  await using checkout = await withRules();
  await checkout.write("secrets/token.age", "password: hunter2\n");
  await checkout.write("secrets/a.yaml", "password: hunter2\n");
  await checkout.secrets("encrypt", "secrets/token.age", "secrets/a.yaml");
  const before = checkout.read("secrets/token.age");
  const EDITOR = await editorOf(checkout, "sleep 60 >&- 2>&-");
  const started = async (path = "secrets/token.age") => {
    await Deno.remove(`${checkout.home}/seen`).catch(() => {});
    const edit = checkout.start(["edit", path], { EDITOR });
    const end = Date.now() + 20_000;
    while (Date.now() < end) {
      const seen = await Deno.readTextFile(`${checkout.home}/seen`)
        .catch(() => "");
      if (seen.includes("hunter2")) return edit;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error("the editor was not started");
  };
  const ended = await started();
  ended.signal("SIGTERM");
  const { code, stderr } = await ended.ended;
  assertEquals(code, 130, stderr);
  assertStringIncludes(
    stderr,
    "Interrupted: secrets/token.age was not changed",
  );
  assertEquals(leftovers(), []);
  const throughSops = await started("secrets/a.yaml");
  throughSops.signal("SIGTERM");
  assertEquals((await throughSops.ended).code, 130);
  assertEquals(leftovers(), []);
  const killed = await started();
  killed.kill();
  await killed.ended;
  assertEquals(leftovers().length, 1);
  const next = await started();
  assertEquals(leftovers().length, 1);
  next.signal("SIGTERM");
  await next.ended;
  assertEquals(leftovers(), []);
  assertEquals(checkout.read("secrets/token.age"), before);
});

Deno.test("a rotated file has another data key for the same people", async () => {
  await using checkout = await withRules();
  await checkout.write("secrets/a.yaml", "password: hunter2\n");
  await checkout.write("secrets/token.age", "password: hunter2\n");
  const files = ["secrets/a.yaml", "secrets/token.age"];
  await checkout.secrets("encrypt", ...files);
  const before = files.map((path) => checkout.read(path));
  const { code, stderr } = await checkout.secrets("rotate", ...files);
  assertEquals(code, 0, stderr);
  for (const [i, path] of files.entries()) {
    assertNotEquals(checkout.read(path), before[i]!);
  }
  assertEquals(
    await checkout.decrypt("secrets/a.yaml", "web"),
    "password: hunter2\n",
  );
  assertEquals(
    await checkout.decryptAge("secrets/token.age", "web"),
    "password: hunter2\n",
  );
});

Deno.test("re-keyed files are for those whom the rules name now", async () => {
  await using checkout = await withRules();
  await checkout.write("secrets/a.yaml", "password: hunter2\n");
  await checkout.write("secrets/token.age", "password: hunter2\n");
  await checkout.secrets("encrypt", "secrets/a.yaml", "secrets/token.age");
  const { web, db } = checkout.keys;
  for (const path of [".sops.yaml", "secrets.nix"]) {
    await checkout.write(path, checkout.read(path).replaceAll(web, db));
  }
  const { code, stderr } = await checkout.secrets(
    "updatekeys",
    "secrets/a.yaml",
    "secrets/token.age",
  );
  assertEquals(code, 0, stderr);
  const plain = "password: hunter2\n";
  assertEquals(await checkout.decrypt("secrets/a.yaml", "db"), plain);
  assertEquals(await checkout.decrypt("secrets/a.yaml", "web"), "");
  assertEquals(await checkout.decryptAge("secrets/token.age", "db"), plain);
  assertEquals(await checkout.decryptAge("secrets/token.age", "web"), "");
});

Deno.test("a file in plaintext is told to be encrypted", async () => {
  await using checkout = await withRules();
  await checkout.write("secrets/a.yaml", "password: hunter2\n");
  for (const word of ["rotate", "updatekeys"]) {
    const { code, stderr } = await checkout.secrets(word, "secrets/a.yaml");
    assertEquals(code, 5);
    assertStringIncludes(stderr, "secrets/a.yaml: it is not encrypted\n");
    assertStringIncludes(stderr, "gitops-sync secrets encrypt FILE");
  }
});
