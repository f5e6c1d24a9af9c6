/**
 * Encrypted files in many states of ruin, made by code from good ones: the same
 * each time but for the keys.
 *
 * @module
 */
import { bytes } from "./keys.ts";

/** A good file to ruin. */
export interface Good {
  name: string;
  content: Uint8Array;
  /** Another good file of the same format, for other keys. */
  foreign: Uint8Array;
}

/** A ruined file, and what may be said of it. */
export interface Ruined {
  name: string;
  what: string;
  content: Uint8Array;
  /**
   * `never`: whatever is said, it must not be that it opened. `as-sops`: only
   * where sops itself opens it.
   */
  opens: "never" | "always" | "either" | "as-sops";
}

type Ruin = (text: string, foreign: string) => string | Uint8Array;

/** What can happen to a file of sops in whichever format. */
const anyRuins: readonly [string, Ruined["opens"], Ruin][] = [
  ["empty", "never", () => ""],
  ["one blank", "never", () => " "],
  ["one zero byte", "never", () => new Uint8Array(1)],
  ["zeros", "never", () => new Uint8Array(4096)],
  ["noise", "never", () => noise(2000, 7)],
  ["half noise", "never", (text) => joined(text.slice(0, 200), noise(999, 3))],
  ["UTF-16", "never", utf16],
  ["a mark of byte order", "either", (text) => `\ufeff${text}`],
  ["bytes of no encoding inside", "never", (text) => {
    const all = bytes(text);
    all[text.indexOf("ENC[") + 25] = 0xff;
    return all;
  }],
  ["ends of line of Windows", "either", (t) => t.replaceAll("\n", "\r\n")],
  ["twice itself", "either", (text) => text + text],
  [
    "a value from a file for others",
    "never",
    (text, foreign) =>
      text.replace(firstValue, () => firstValue.exec(foreign)![0]),
  ],
  [
    "the MAC of another file",
    "never",
    (text, foreign) => replaceMac(text, macOf(foreign)),
  ],
  [
    "the first value as MAC",
    "never",
    (text) => replaceMac(text, firstValue.exec(text)![0]),
  ],
  ["no value", "never", (text) => text.replace(firstValue, "")],
  ["a plain value", "never", (text) => text.replace(firstValue, "hunter2")],
  [
    "a value of another type",
    "never",
    (text) => text.replace("type:str]", "type:int]"),
  ],
  [
    "a value of an unknown type",
    "never",
    (text) => text.replace("type:str]", "type:secret]"),
  ],
  ["a value without its end", "never", (text) => text.replace("type:str]", "")],
  [
    "a value without a tag",
    "never",
    (text) => text.replace(/,tag:[^,]*/, ",tag:"),
  ],
  [
    "a value without a vector",
    "never",
    (text) => text.replace(/,iv:[^,]*/, ",iv:"),
  ],
  [
    "a value without data",
    "never",
    (text) => text.replace(/data:[^,]*/, "data:"),
  ],
  [
    "a value that is no base64",
    "never",
    (text) => text.replace(/data:[^,]*/, "data:!!!!"),
  ],
  [
    "a long value",
    "never",
    (text) => text.replace("data:", `data:${"AAAA".repeat(50_000)}`),
  ],
  [
    "another recipient by name",
    "never",
    (text, foreign) =>
      text.replace(recipient, () => recipient.exec(foreign)![0]),
  ],
  [
    "a recipient that is none",
    "never",
    (text) => text.replace(recipient, "age1hunter"),
  ],
  [
    "no data key",
    "never",
    (text) => text.replaceAll(/[A-Za-z0-9+\/=]{40,64}(?=\\n|\n)/g, ""),
  ],
  [
    "another data key",
    "never",
    (text) =>
      text.replace(
        /(?<=BEGIN AGE ENCRYPTED FILE-----(?:\\n|\n\s*))\w{8}/,
        "AAAAAAAA",
      ),
  ],
  [
    "a changed date",
    "never",
    (text) =>
      text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/, "2001-01-01T00:00:00Z"),
  ],
  [
    "a date that is none",
    "never",
    (text) => text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/, "yesterday"),
  ],
  [
    "metadata by another name",
    "never",
    (text) => text.replace(/sops(?=["\]:_])/g, "spos"),
  ],
  [
    "a sops of the future",
    "either",
    (text) => text.replace(/3\.\d+\.\d+/, "99.0.0"),
  ],
];

/** Cuts at so many hundredths of the length. */
const cuts = [1, 3, 7, 12, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99];

const byFormat: Readonly<
  Record<string, readonly [string, Ruined["opens"], Ruin][]>
> = {
  yaml: [
    ["tabs", "never", (text) => text.replaceAll("    ", "\t")],
    ["an alias that is a loop", "never", (t) => `x: &x\n  - *x\n${t}`],
    ["a bomb of aliases", "never", (text) => bomb() + text],
    // Lists of nothing hold no value: sops opens the file.
    ["deep lists", "either", (text) => `x: ${deep("[", "]", 5000)}\n${text}`],
    ["deep maps", "never", (t) => `x: ${"{a: ".repeat(5000)}1\n${t}`],
    ["an unknown tag", "never", (text) => `x: !secret hunter2\n${text}`],
    ["a binary tag", "never", (text) => `x: !!binary aHVudGVyMg==\n${text}`],
    ["a key twice", "never", (text) => `a: hunter2\n${text}`],
    ["a key of a list", "never", (text) => `? [a, b]\n: hunter2\n${text}`],
    ["a second document", "never", (text) => `${text}---\nx: hunter2\n`],
    ["a list at the top", "never", (t) => `- ${t.replaceAll("\n", "\n  ")}`],
    ["a null document", "never", (t) => t.replace(/^sops:[^]*/m, "sops: ~\n")],
    [
      "metadata that is text",
      "never",
      (t) => t.replace(/^sops:[^]*/m, "sops: x"),
    ],
    [
      "metadata that is a list",
      "never",
      (t) => t.replace(/^sops:[^]*/m, "sops: [mac, age]\n"),
    ],
    ["a merge key", "never", (t) => `b: &b {x: hunter2}\nc:\n  <<: *b\n${t}`],
    ["a plain number", "never", (text) => `port: 5432\n${text}`],
    ["a plain truth", "never", (text) => `on_call: true\n${text}`],
    [
      "two MACs",
      "never",
      (t) => t.replace(/^( +)mac: .*$/m, "$1mac: x\n$1mac: y"),
    ],
    [
      // Without groups it means nothing to sops.
      "a threshold out of reach",
      "either",
      (t) => t.replace(/^sops:$/m, "sops:\n    shamir_threshold: 3"),
    ],
    ["a prototype", "never", (t) => `__proto__: {polluted: hunter2}\n${t}`],
    ["a comment", "either", (text) => `# hunter2 is not here\n${text}`],
    ["a blank key", "never", (text) => `"": hunter2\n${text}`],
  ],
  json: [
    ["a comma too many", "never", (t) => t.replace(/\}\s*$/, ",}")],
    ["a comment", "never", (text) => `// hunter2\n${text}`],
    [
      "deep lists",
      "never",
      (t) => t.replace("{", `{"x": ${deep("[", "]", 20_000)},`),
    ],
    ["a list at the top", "never", (text) => `[${text}]`],
    ["a text at the top", "never", (text) => JSON.stringify(text)],
    [
      "a prototype",
      "never",
      (t) => t.replace("{", '{"__proto__": {"x": "hunter2"},'),
    ],
    ["a key twice", "never", (t) => t.replace("{", '{"a": "hunter2",')],
    [
      "metadata that is text",
      "never",
      (t) => JSON.stringify({ ...JSON.parse(t), sops: "mac age" }),
    ],
    [
      "metadata that is null",
      "never",
      (t) => JSON.stringify({ ...JSON.parse(t), sops: null }),
    ],
    ["recipients that are text", "never", (t) => withSops(t, { age: "age1" })],
    ["recipients that are numbers", "never", (t) => withSops(t, { age: [1] })],
    ["a MAC that is a list", "never", (t) => withSops(t, { mac: ["x"] })],
    [
      "two groups out of nothing",
      "never",
      (t) => withSops(t, { age: [], key_groups: [{ age: null }, null] }),
    ],
  ],
  dotenv: [
    ["a line without a sign", "never", (text) => `hunter2\n${text}`],
    ["a plain variable", "never", (text) => `X=hunter2\n${text}`],
    [
      "a path of metadata that is none",
      "either",
      (t) => `${t}sops_age__list_x__map_recipient=1\nsops___list_0=2\n`,
    ],
    [
      "metadata that is a value and a map",
      "either",
      (t) => `${t}\nsops_age=x\nsops_age__list_1__map_recipient=y\n`,
    ],
    ["a prototype", "either", (t) => `${t}sops___proto____map_x=1\n`],
  ],
  ini: [
    ["a line without a sign", "never", (t) => `[x]\nhunter2\n${t}`],
    ["a plain value more", "never", (t) => `[x]\ny = hunter2\n${t}`],
    ["a section without an end", "never", (t) => t.replace("[sops]", "[sops")],
    ["two sections of metadata", "either", (t) => `${t}\n[sops]\nx = 1\n`],
    ["a prototype", "never", (t) => `[__proto__]\nx = hunter2\n${t}`],
  ],
  binary: [
    ["other words in front", "never", (text) => `hunter2\n${text}`],
    [
      "data that is a list",
      "never",
      (t) => JSON.stringify({ ...JSON.parse(t), data: ["hunter2"] }),
    ],
    [
      "no data",
      "never",
      (t) => JSON.stringify({ ...JSON.parse(t), data: undefined }),
    ],
  ],
};

/** All ruins of one good file of sops. */
export function ruinsOf(good: Good, format: string): Ruined[] {
  const text = new TextDecoder().decode(good.content);
  const foreign = new TextDecoder().decode(good.foreign);
  const made = [...anyRuins, ...byFormat[format]!].map(
    ([what, opens, ruin]): Ruined => {
      const content = ruin(text, foreign);
      return {
        name: good.name,
        what,
        opens,
        content: typeof content === "string" ? bytes(content) : content,
      };
    },
  );
  return [
    ...made,
    ...cuts.map((cut): Ruined => ({
      name: good.name,
      what: `cut at ${cut} %`,
      // The metadata of INI and dotenv have no order: the last of them may be
      // one that sops does without.
      opens: "as-sops",
      content: good.content.subarray(
        0,
        Math.floor(good.content.length * cut / 100),
      ),
    })),
  ];
}

/** All ruins of one good file of age. */
export function ageRuinsOf(good: Good): Ruined[] {
  const { name, content } = good;
  const ruined = (what: string, content: Uint8Array): Ruined => ({
    name,
    what,
    opens: "never",
    content,
  });
  const flips = [
    0,
    21,
    24,
    40,
    80,
    100,
    140,
    170,
    200,
    215,
    content.length - 1,
  ];
  return [
    ...cuts.map((cut) =>
      ruined(
        `cut at ${cut} %`,
        content.subarray(0, Math.floor(content.length * cut / 100)),
      )
    ),
    ...flips.filter((at) => at < content.length).map((at) => {
      const flipped = content.slice();
      flipped[at]! ^= 1;
      return ruined(`a bit changed at ${at}`, flipped);
    }),
    ruined("empty", new Uint8Array()),
    ruined("a plain text", bytes("hunter2\n")),
    ruined("noise behind", joined(content, noise(64, 5))),
    ruined("twice itself", joined(content, content)),
    ruined(
      "a version of the future",
      joined(
        bytes("age-encryption.org/v9\n"),
        content.subarray(22),
      ),
    ),
    ruined("UTF-16", utf16(new TextDecoder("latin1").decode(content))),
    ruined(
      "armour around nothing",
      bytes(
        "-----BEGIN AGE ENCRYPTED FILE-----\n-----END AGE ENCRYPTED FILE-----\n",
      ),
    ),
    ruined(
      "armour around noise",
      bytes(
        "-----BEGIN AGE ENCRYPTED FILE-----\n!!!!\n-----END AGE ENCRYPTED FILE-----\n",
      ),
    ),
  ];
}

const firstValue = /ENC\[AES256_GCM,[^\]]*\]/;
const recipient = /age1[0-9a-z]{58}/;
const mac = /((?:^|["\s_])mac"?\s*[:=]\s*"?)(ENC\[[^\]]*\])/m;

const macOf = (text: string) => mac.exec(text)![2]!;

const replaceMac = (text: string, other: string) =>
  text.replace(mac, (_, before: string) => before + other);

function withSops(text: string, fields: Record<string, unknown>): string {
  const file = JSON.parse(text);
  return JSON.stringify({ ...file, sops: { ...file.sops, ...fields } });
}

const deep = (open: string, close: string, depth: number) =>
  open.repeat(depth) + close.repeat(depth);

/** Nine lists of nine: a thousand million words, once they are followed. */
function bomb(): string {
  const names = [..."abcdefghij"].map((letter) => `bomb_${letter}`);
  return names.map((name, i) =>
    i === 0
      ? `${name}: &${name} [lol]\n`
      : `${name}: &${name} [${Array(9).fill(`*${names[i - 1]}`).join(", ")}]\n`
  ).join("");
}

function utf16(text: string): Uint8Array {
  const all = new Uint8Array(2 + 2 * text.length);
  all.set([0xff, 0xfe]);
  for (let i = 0; i < text.length; i++) all[2 + 2 * i] = text.charCodeAt(i);
  return all;
}

/** The same noise each time (a linear congruence). */
function noise(length: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state >> 16;
  });
}

function joined(...parts: (string | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => [
      ...(typeof part === "string" ? bytes(part) : part),
    ]),
  );
}
