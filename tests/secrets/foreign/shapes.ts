/**
 * Files as people and other programs write them, before they are encrypted.
 *
 * @module
 */
import type { SopsFormat } from "../../../lib/secrets/sops/formats.ts";

/** One file. */
export interface Shape {
  format: SopsFormat;
  /** What it is called in a repository; formats and names may differ. */
  name: string;
  text: string | Uint8Array;
  /** What sops-nix may be asked to install of it. */
  keys?: readonly string[];
}

const yaml = `# a comment
text: word
port: 5432
ratio: 1.5
on: true
nothing: null
empty: ""
quoted: "5432"
lines: |
  one
  two
map:
  inner: word
  number: 7
list:
  - a
  - b
"with space": word
plain_unencrypted: word
number_unencrypted: 7
`;

const yamlKeys = [
  ...["text", "port", "ratio", "on", "nothing", "empty", "quoted", "lines"],
  ...["map", "map/inner", "map/number", "map/none", "list", "list/0", "none"],
  ...["with space", "plain_unencrypted", "number_unencrypted", ""],
];

const merged = `base: &base
  user: web
  port: 80
site:
  <<: *base
  password: word
again: *base
`;

const commented = `# above
a: word # behind
list:
  # on an item
  - one
  - two # behind an item
# between
b: word
`;

const json =
  `{"text": "word", "port": 5432, "on": true, "nothing": null, "empty": "",
 "map": {"inner": "word"}, "map/inner": "flat", "list": ["a", 1],
 "plain_unencrypted": "word", "number_unencrypted": 7}`;

const jsonKeys = ["text", "port", "on", "nothing", "empty", "map", ""].concat(
  ["map/inner", "list", "plain_unencrypted", "number_unencrypted", "none"],
);

const dotenv = (name: string, ...lines: string[]): Shape => ({
  format: "dotenv",
  name,
  text: `${lines.join("\n")}\n`,
  keys: [""],
});

const ini = (name: string, ...lines: string[]): Shape => ({
  format: "ini",
  name,
  text: `${lines.join("\n")}\n`,
  keys: [""],
});

const binary = (name: string, size: number): Shape => ({
  format: "binary",
  name,
  text: Uint8Array.from({ length: size }, (_, i) => (i * 7919) >> 3),
  keys: [""],
});

/** All shapes; names that sops would not take for the format are among them. */
export const shapes: readonly Shape[] = [
  { format: "yaml", name: "a.yaml", text: yaml, keys: yamlKeys },
  { format: "yaml", name: "a.enc", text: yaml },
  { format: "yaml", name: "a.sops", text: yaml },
  { format: "yaml", name: "a.env", text: yaml },
  { format: "yaml", name: "secrets", text: yaml },
  {
    format: "yaml",
    name: "merged.yaml",
    text: merged,
    keys: ["site/user", "site/port", "site/password", "again/user", ""],
  },
  { format: "yaml", name: "commented.yml", text: commented, keys: ["a", ""] },
  {
    format: "yaml",
    name: "two.yaml",
    text: "a: one\n---\nb: two\n",
    keys: ["a", "b"],
  },
  {
    format: "yaml",
    name: "quoting.yaml",
    text: "k_unencrypted: |\n  sops:\n    mac: none\n  [sops]\na: word\n",
    keys: ["a", "k_unencrypted"],
  },
  { format: "json", name: "a.json", text: json, keys: jsonKeys },
  { format: "json", name: "a.enc", text: json },
  { format: "json", name: "terraform.tfstate", text: json },
  { format: "json", name: "state", text: json },
  { format: "json", name: "j.yaml", text: json },
  dotenv("a.env", "A=word", "# comment", "B=two words", "C="),
  dotenv(".env.prod", "A=word"),
  dotenv("dotted.env", "A.B=word"),
  dotenv("hyphen.env", "A-B=word"),
  dotenv("umlaut.env", "ä=word"),
  dotenv("quoted.env", 'A="word"', "B_unencrypted='word'"),
  dotenv("open.env", 'A_unencrypted="word'),
  ini("a.ini", "[web]", "a = word", "b = two words"),
  ini("a.conf", "[web]", "a = word"),
  ini("top.ini", "a = word", "[web]", "b-2.c = word"),
  ini("lines.ini", "[web]", 'k_unencrypted = """a', 'b"""', "c = word"),
  ini("ticks.ini", "[web]", "k_unencrypted = `a", "b`"),
  ini("many.ini", "; comment", "[a.b]", "x=y", "[a.b.c]", "z=w"),
  binary("a.bin", 300),
  binary("app.env", 300),
  binary("app.ini", 300),
  binary("key", 70_000),
  { format: "binary", name: "empty.bin", text: "", keys: [""] },
];

/** One that sops-install-secrets installs all the same. */
export const large: Shape = binary("large.bin", 41 * 1024 * 1024);
