import { assert, assertEquals } from "@std/assert";
import type { Identity } from "../../lib/tools/age.ts";
import { isSopsFile, namedIdentity, openSops } from "../../lib/tools/sops.ts";
import { type SopsFormat, sopsFormat } from "../../lib/tools/sops_formats.ts";
import { bytes, effects, must, withKeys } from "./keys.ts";

const value = "ENC[AES256_GCM,data:abc=,iv:x=,tag:y=,type:str]";

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

Deno.test("a file is one of sops if it has a value and the metadata of its format", () => {
  const table: [string, string, boolean][] = [
    ["a.yaml", `x: ${value}\nsops:\n  mac: ${value}\n`, true],
    ["a.yaml", `x: ${value}\r\nsops:\r\n  mac: ${value}\r\n`, true],
    ["a.yaml", `x: ${value}\n`, false],
    ["a.yaml", "x: 1\nsops:\n  age: []\n", false],
    ["a.yaml", `# write ${value} below\n# sops: here\n`, false],
    ["a.json", `{"x": "${value}", "sops": {}}`, true],
    ["a.json", `{"x": "${value}"}`, false],
    ["a.env", `X=${value}\nsops_mac=${value}\n`, true],
    ["a.env", `X=${value}\n`, false],
    ["a.ini", `[web]\nx = ${value}\n[sops]\nmac = ${value}\n`, true],
    ["a.ini", `[web]\nx = ${value}\n`, false],
    ["a.bin", `{\n\t"data": "${value}",\n\t"sops": {}\n}`, true],
    ["README.md", `It looks like {"data": "${value}", "sops": {}}`, false],
    ["README.md", `x: ${value}\nsops:\n`, false],
  ];
  for (const [path, content, is] of table) {
    assertEquals(isSopsFile(path, content), is, `${path}: ${content}`);
  }
});

Deno.test("the identity that a file names is found among several", () => {
  const identity = (path: string, ...recipients: string[]): Identity => ({
    path,
    kind: "age",
    recipients,
  });
  const web = identity("/web", "age1web", "age1web2");
  const mail = identity("/mail", "age1mail");
  const content = "sops:\n  age:\n    - recipient: age1web2\n";
  assertEquals(namedIdentity(content, [mail, web]), web);
  assertEquals(namedIdentity(content, [mail]), undefined);
  assertEquals(namedIdentity(content, []), undefined);
  assert(namedIdentity("age1mail age1web", [mail, web]) === mail);
});

Deno.test("a sops file of every format opens for those it names", async () => {
  await withKeys(async ({ folder, age, ssh, stranger }) => {
    const table: [string, string][] = [
      ["a.yaml", "password: hunter2\n"],
      ["a.json", '{"password": "hunter2"}'],
      ["a.env", "PASSWORD=hunter2\n"],
      ["a.ini", "[web]\npassword = hunter2\n"],
      ["a.bin", "hunter2"],
    ];
    for (const [name, plain] of table) {
      for (const identity of [age, ssh]) {
        await Deno.writeTextFile(`${folder}/${name}`, plain);
        const file = await must("sops", [
          "encrypt",
          "--age",
          identity.recipients[0]!,
          `${folder}/${name}`,
        ]);
        const content = new TextDecoder().decode(file);
        const what = `${name} for ${identity.kind}`;
        assert(isSopsFile(name, content), what);
        assertEquals(namedIdentity(content, [stranger, identity]), identity);
        assertEquals(namedIdentity(content, [stranger]), undefined);
        assertEquals(
          await openSops(effects, name, file, identity),
          { ok: true },
          what,
        );
        const other = await openSops(effects, name, file, stranger);
        assert(!other.ok, what);
        assertEquals(other.why.includes("hunter2"), false);
      }
    }
  });
});

Deno.test("a sops file that was changed by hand does not open", async () => {
  await withKeys(async ({ folder, age }) => {
    await Deno.writeTextFile(`${folder}/a.yaml`, "a: one\nb: two\n");
    const file = new TextDecoder().decode(
      await must("sops", [
        "encrypt",
        "--age",
        age.recipients[0]!,
        `${folder}/a.yaml`,
      ]),
    );
    const [first, ...rest] = file.split("\n");
    const table: [string, string][] = [
      [
        rest.join("\n"),
        "its MAC does not match: it was changed without sops",
      ],
      [
        [first!.replace("data:", "data:AAAA"), ...rest].join("\n"),
        "a value in it does not decrypt: it was changed by hand or cut off",
      ],
      [
        file.replace(/^ +mac: .*$/m, ""),
        "its MAC does not match: it was changed without sops",
      ],
    ];
    for (const [changed, why] of table) {
      assertEquals(
        await openSops(effects, "a.yaml", bytes(changed), age),
        { ok: false, foreign: false, why },
      );
    }
  });
});
