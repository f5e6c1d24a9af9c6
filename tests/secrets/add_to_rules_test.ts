import { assert, assertEquals } from "@std/assert";
import { addToNix } from "../../lib/secrets/people/add_to_nix.ts";
import { addToSops } from "../../lib/secrets/people/add_to_sops.ts";
import {
  namesInNix,
  namesInSops,
} from "../../lib/secrets/people/recipient_names.ts";

const [me, web, db] = ["m", "w", "d"].map((letter) =>
  `age1${letter.repeat(58)}`
) as [string, string, string];
const newcomer = { name: "db", recipient: db };

Deno.test("a recipient is added to .sops.yaml as a person would", () => {
  const table: [string, string, string][] = [
    [
      "lists of anchors",
      `# who
keys:
  - &me ${me} # at home
  - &web ${web}

creation_rules:
  # the first
  - path_regex: a/.*
    key_groups:
      - age:
          - *me
          - *web
        pgp: []
  - path_regex: b/.*
    key_groups:
      - age: [*me]
`,
      `# who
keys:
  - &me ${me} # at home
  - &web ${web}
  - &db ${db}

creation_rules:
  # the first
  - path_regex: a/.*
    key_groups:
      - age:
          - *me
          - *web
          - *db
        pgp: []
  - path_regex: b/.*
    key_groups:
      - age: [*me]
`,
    ],
    [
      "a text with commas",
      `creation_rules:\n- path_regex: a/.*\n  age: ${me},${web} # both\n`,
      `creation_rules:\n- path_regex: a/.*\n  age: ${me},${web},${db} # both\n`,
    ],
    [
      "a quoted text",
      `creation_rules:\n  - age: "${me}"\n`,
      `creation_rules:\n  - age: "${me},${db}"\n`,
    ],
    [
      "a text over several lines",
      `creation_rules:\n  - path_regex: a\n    age: >-\n      ${me},\n      ${web}\n  - age: ${me}\n`,
      `creation_rules:\n  - path_regex: a\n    age: >-\n      ${me},\n      ${web},\n      ${db}\n  - age: ${me}\n`,
    ],
    [
      "a list in brackets",
      `keys:\n- &me ${me}\ncreation_rules:\n- key_groups:\n  - age: [ *me ]\n`,
      `keys:\n- &me ${me}\n- &db ${db}\ncreation_rules:\n- key_groups:\n  - age: [ *me, *db ]\n`,
    ],
    [
      "a list without anchors",
      `creation_rules:\n  - key_groups:\n    - age:\n      - ${me}\n`,
      `creation_rules:\n  - key_groups:\n    - age:\n      - ${me}\n      - &db ${db}\n`,
    ],
    [
      "one that is there already",
      `creation_rules:\n  - age: ${db}\n`,
      `creation_rules:\n  - age: ${db}\n`,
    ],
  ];
  for (const [what, before, after] of table) {
    assertEquals(addToSops(before, newcomer, new Set([0])), after, what);
  }
});

Deno.test("several rules get a newcomer at once, and its key stands once", () => {
  const before = `keys:
  - &me ${me}
creation_rules:
  - path_regex: a
    key_groups: [{age: [*me]}]
  - path_regex: b
    key_groups:
      - age:
          - *me
  - path_regex: c
    key_groups:
      - age:
          - *me
`;
  const after = addToSops(before, newcomer, new Set([1, 2]))!;
  assertEquals(after.split("- *db").length, 3);
  assertEquals(after.split(db).length, 2);
});

Deno.test("a .sops.yaml that a person must edit is left alone", () => {
  const table = [
    // Two groups: which one is for the person to say.
    `creation_rules:\n- key_groups:\n  - age: [${me}]\n  - age: [${web}]\n`,
    `creation_rules:\n- key_groups: [{age: [${me}]}]\n`,
    `creation_rules:\n- pgp: ABC\n`,
    // Used before it is made.
    `creation_rules:\n- key_groups:\n  - age:\n    - ${me}\nkeys:\n- &web ${web}\n`,
    `creation_rules: [{age: ${me}}]\n`,
    "creation_rules:\n",
    "",
    "{",
  ];
  for (const text of table) {
    assertEquals(addToSops(text, newcomer, new Set([0])), undefined, text);
  }
});

Deno.test("a recipient is added to secrets.nix as a person would", () => {
  const before = `# who
let
  me = "${me}"; # at home
  web = "${web}";
  all = [ me web ];
in
{
  "a.age".publicKeys = [ me ];
  "b.age".publicKeys = all;
  "c.age" = { armor = true; publicKeys = [
    me
    web
  ]; };
}
`;
  const after = addToNix(before, newcomer, ["a.age", "b.age", "c.age"]);
  assertEquals(
    after,
    `# who
let
  me = "${me}"; # at home
  web = "${web}";
  db = "${db}";
  all = [ me web ];
in
{
  "a.age".publicKeys = [ me db ];
  "b.age".publicKeys = all ++ [ db ];
  "c.age" = { armor = true; publicKeys = [
    me
    web
    db
  ]; };
}
`,
  );
  assertEquals(addToNix(before, newcomer, ["none.age"]), undefined);
  const bare = `{ "a.age".publicKeys = [ "${me}" ]; }\n`;
  assertEquals(
    addToNix(bare, newcomer, ["a.age"]),
    `let\n  db = "${db}";\nin\n{ "a.age".publicKeys = [ "${me}" db ]; }\n`,
  );
});

Deno.test("recipients have the names that people gave them", () => {
  const ssh = `ssh-ed25519 ${"A".repeat(68)}`;
  const pgp = "0123456789abcdef0123456789ABCDEF01234567";
  assertEquals(
    namesInSops(
      `keys:\n  - &me ${me} # home\n  - ${web} # web, at work\n  - &ssh "${ssh}"\n  - &pgp ${pgp}\n  - ${db}\n  - *me\n`,
    ),
    [
      { name: "me", recipient: me },
      { name: "web", recipient: web },
      { name: "ssh", recipient: ssh },
      { name: "pgp", recipient: pgp.toUpperCase() },
    ],
  );
  assertEquals(
    namesInNix(`let me = "${me}"; # x = "${web}";\n  web = "${ssh} root@web";`),
    [{ name: "me", recipient: me }, { name: "web", recipient: ssh }],
  );
  assert(namesInSops("password: hunter2").length === 0);
});
