/**
 * Foreign-shaped files, made by real programs, and our answers to each held to
 * those of the programs that open them.
 *
 * @module
 */
import type { Effects } from "../../../lib/base/effects.ts";
import { inParallel } from "../../../lib/secrets/check.ts";
import {
  type Identity,
  readIdentity,
} from "../../../lib/secrets/identities.ts";
import { KeyFiles } from "../../../lib/secrets/key_files.ts";
import { judgeFile } from "../../../lib/secrets/opening.ts";
import { Reader } from "../../../lib/secrets/reading/reader.ts";
import type { SopsFormat } from "../../../lib/secrets/sops/formats.ts";
import type { Keys } from "../../../lib/secrets/sops/sops.ts";
import { bytes, effects, must } from "../keys.ts";
import {
  ageVersions,
  effectsOf,
  pluginFolder,
  sopsVersions,
  type Version,
} from "./programs.ts";
import { large, type Shape, shapes } from "./shapes.ts";

/** An encrypted file, and whom it was made for. */
interface Made {
  /** Tells it from all others. */
  what: string;
  name: string;
  format: SopsFormat | "age";
  content: Uint8Array;
  /** Whether a key of the host is among its recipients. */
  isOwn: boolean;
  keys: readonly string[];
}

/** How many were held, and what was wrong. */
export interface Held {
  files: number;
  opened: number;
  foreign: number;
  refused: number;
  /** Keys of files that sops-nix is to install. */
  keys: number;
  falseAlarms: string[];
  falsePasses: string[];
}

/** The keys of the host and of others. */
interface Cast {
  folder: string;
  age: Identity;
  ssh: Identity;
  /** A key of a plugin in the file of `age`, where there is a plugin. */
  plugin?: string;
  stranger: string;
}

/**
 * Makes the files and holds our answers.
 *
 * @param share Every so-manieth file only.
 */
export async function holdAll(share = 1): Promise<Held> {
  const folder = await Deno.makeTempDir({ prefix: "gitops-sync-foreign-" });
  const path = Deno.env.get("PATH")!;
  const plugins = await pluginFolder();
  if (plugins) Deno.env.set("PATH", `${path}:${plugins}`);
  try {
    const cast = await castIn(folder, plugins);
    const files = await madeFiles(cast, share);
    return await heldTo(cast, files);
  } finally {
    Deno.env.set("PATH", path);
    await Deno.remove(folder, { recursive: true });
  }
}

async function castIn(
  folder: string,
  plugins: string | undefined,
): Promise<Cast> {
  const text = async (program: string, ...args: string[]) =>
    new TextDecoder().decode(await must(program, args)).trim();
  for (const name of ["age", "stranger"]) {
    await must("age-keygen", ["-o", `${folder}/${name}.key`]);
  }
  const stranger = await text("age-keygen", "-y", `${folder}/stranger.key`);
  const ssh = ["-q", "-t", "ed25519", "-N", "", "-f", `${folder}/ssh`];
  await must("ssh-keygen", ssh);
  let plugin: string | undefined;
  if (plugins) {
    const key = `${folder}/pq.key`;
    await must(`${plugins}/age-keygen`, ["-pq", "-o", key]);
    plugin = await text(`${plugins}/age-keygen`, "-y", key);
    const identity = await text(`${plugins}/age-plugin-pq`, "-identity", key);
    // As a second line beside a good key.
    const file = `${folder}/age.key`;
    await Deno.writeTextFile(file, `\n${identity}\n`, { append: true });
  }
  return {
    folder,
    age: await readIdentity(effects, `${folder}/age.key`),
    ssh: await readIdentity(effects, `${folder}/ssh`),
    stranger,
    ...(plugin ? { plugin } : {}),
  };
}

// --- making ---------------------------------------------------------------

/** Not yet made: whoever refuses to make it makes none. */
type Recipe = () => Promise<Made | undefined>;

async function madeFiles(cast: Cast, share: number): Promise<Made[]> {
  const recipes = [...await sopsRecipes(cast), ...await ageRecipes(cast)]
    .filter((_, i) => i % share === 0);
  const made = await inParallel(recipes, (recipe) => recipe());
  const whole = made.filter((one) => one !== undefined);
  return [...whole, ...whole.flatMap((one, i) => ruinOf(one, i))];
}

async function sopsRecipes(cast: Cast): Promise<Recipe[]> {
  const own = cast.age.recipients[0]!;
  const whom: [string, string[], boolean][] = [
    ["own", ["--age", own], true],
    ["both", ["--age", `${cast.stranger},${own}`], true],
    ["ssh", ["--age", cast.ssh.recipients[0]!], true],
    ["stranger", ["--age", cast.stranger], false],
    ...(cast.plugin
      ? [["plugin", ["--age", cast.plugin], true]] as [
        string,
        string[],
        boolean,
      ][]
      : []),
  ];
  const versions = await sopsVersions();
  const recipeOf = (sops: Version, shape: Shape) =>
    whom.map(([word, args, isOwn]): Recipe => async () => {
      const content = await encrypted(sops, shape, args);
      if (!content) return undefined;
      const { name, format, keys = [] } = shape;
      const what = `sops ${sops.version}, ${format} in ${name}, ${word}`;
      return { what, name, format, content, isOwn, keys };
    });
  return [
    ...versions.flatMap((sops) =>
      shapes.flatMap((shape) => recipeOf(sops, shape))
    ),
    // For the host alone, and by the newest alone: it takes its time.
    recipeOf(versions.at(-1)!, large)[0]!,
  ];
}

/** Older versions refuse what newer ones take. */
async function encrypted(
  { path }: Version,
  { format, name, text }: Shape,
  whom: readonly string[],
): Promise<Uint8Array | undefined> {
  const { code, stdout } = await effects.run({
    program: path,
    args: [
      ...["--config", "/dev/null", "encrypt"],
      ...["--input-type", format, "--output-type", format],
      ...["--filename-override", name, ...whom, "/dev/stdin"],
    ],
    env: { SOPS_DISABLE_VERSION_CHECK: "1", HOME: "/var/empty" },
    input: typeof text === "string" ? bytes(text) : text,
    timeout: 120_000,
  });
  return code === 0 ? stdout : undefined;
}

async function ageRecipes(cast: Cast): Promise<Recipe[]> {
  const { age, ssh, stranger, plugin } = cast;
  const whom: [string, string[], boolean][] = [
    ["own", [age.recipients[0]!], true],
    ["ssh", [ssh.recipients[0]!], true],
    ["both", [stranger, age.recipients[0]!], true],
    ["stranger", [stranger], false],
    ...(plugin
      ? [["plugin", [plugin], true], ["with plugin", [stranger, plugin], true]]
      : []) as [string, string[], boolean][],
  ];
  return (await ageVersions()).flatMap(({ version, path }) =>
    [0, 20, 65_536, 1_000_000].flatMap((size) =>
      [[], ["--armor"]].flatMap((armor) =>
        whom.map(([word, to, isOwn]): Recipe => async () => {
          const args = to.flatMap((one) => ["-r", one]);
          const { code, stdout } = await effects.run({
            program: path,
            args: ["--encrypt", ...armor, ...args],
            input: new Uint8Array(size),
            timeout: 120_000,
          });
          if (code !== 0) return undefined;
          const what = `age ${version}, ${size} bytes ${armor}, ${word}`;
          return {
            what,
            name: "a.age",
            format: "age",
            content: stdout,
            isOwn,
            keys: [],
          };
        })
      )
    )
  );
}

/** Of every fourth file of the host's own a damaged one. */
function ruinOf(made: Made, i: number): Made[] {
  if (i % 4 !== 0 || !made.isOwn || made.content.length < 200) return [];
  const content = made.content.slice();
  if (made.format === "age") {
    content[content.length - 20]! ^= 1;
    return [{ ...made, content, what: `${made.what}, a bit changed` }];
  }
  const text = new TextDecoder().decode(content);
  // The text of a value, so that its tag does not fit.
  const changed = text.replace(
    /ENC\[AES256_GCM,data:(\w)/,
    (all, letter) => all.slice(0, -1) + (letter === "A" ? "B" : "A"),
  );
  const what = `${made.what}, a value changed`;
  return changed === text ? [] : [{ ...made, content: bytes(changed), what }];
}

// --- holding --------------------------------------------------------------

async function heldTo(cast: Cast, files: readonly Made[]): Promise<Held> {
  const judge = (await sopsVersions()).at(-1)!;
  const judged = effectsOf(judge);
  await using keyFiles = new KeyFiles();
  using reader = new Reader();
  const keys = await keyFiles.with({ identities: [cast.age, cast.ssh] });
  const held: Held = {
    files: files.length,
    opened: 0,
    foreign: 0,
    refused: 0,
    keys: 0,
    falseAlarms: [],
    falsePasses: [],
  };
  await inParallel(files, async (file) => {
    const plain = file.format === "age"
      ? await openedByAge(cast, file)
      : await openedBySops(cast, judge, file, file.format);
    await holdFile(judged, keys, reader, file, plain !== undefined, held);
    const { format } = file;
    if (format === "age" || !plain || file.keys.length === 0) return;
    await holdKeys(cast, judge, reader, { ...file, format }, held);
  });
  return held;
}

async function openedByAge(
  { folder }: Cast,
  { content }: Made,
): Promise<Uint8Array | undefined> {
  const { code, stdout } = await effects.run({
    program: "age",
    args: ["--decrypt", "-i", `${folder}/age.key`, "-i", `${folder}/ssh`],
    input: content,
    timeout: 120_000,
  });
  return code === 0 ? stdout : undefined;
}

/** What a person would type, with the keys of the host alone. */
async function openedBySops(
  { folder }: Cast,
  { path }: Version,
  { content }: Made,
  format: SopsFormat,
  output: string = format,
): Promise<Uint8Array | undefined> {
  const { code, stdout } = await effects.run({
    program: path,
    args: [
      ...["decrypt", "--input-type", format, "--output-type", output],
      "/dev/stdin",
    ],
    env: {
      SOPS_DISABLE_VERSION_CHECK: "1",
      SOPS_AGE_KEY_FILE: `${folder}/age.key`,
      SOPS_AGE_SSH_PRIVATE_KEY_FILE: `${folder}/ssh`,
      HOME: "/var/empty",
      XDG_CONFIG_HOME: "/var/empty",
    },
    input: content,
    timeout: 120_000,
  });
  return code === 0 ? stdout : undefined;
}

/**
 * Holds what we say of keys to the values that sops decrypts, by the rule of
 * sops-install-secrets: maps by the parts of the key, then a text; no maps of
 * JSON; dotenv files as godotenv reads them.
 */
async function holdKeys(
  cast: Cast,
  judge: Version,
  reader: Reader,
  file: Made & { format: SopsFormat },
  held: Held,
): Promise<void> {
  const { what, name, format, content, keys } = file;
  const asked = { name, bytes: content, format, keys };
  const facts = await reader.facts(asked);
  const plain = format === "yaml" || format === "json"
    ? await openedBySops(cast, judge, file, format, "json")
    : undefined;
  const values = plain && JSON.parse(new TextDecoder().decode(plain));
  for (const [i, key] of keys.entries()) {
    held.keys++;
    const installs = format === "dotenv"
      ? !/hyphen|umlaut|open/.test(name)
      : key === "" || values === undefined || isText(values, key, format);
    const found = facts.kind === "sops" && facts.keys[i]!.kind === "found";
    if (installs === found) continue;
    const told = `${what}, key ${key}: ${Deno.inspect(facts)}`;
    (installs ? held.falseAlarms : held.falsePasses).push(told);
  }
}

function isText(values: unknown, key: string, format: SopsFormat): boolean {
  // Of several documents sops-nix reads the first.
  let value = Array.isArray(values) ? values[0] : values;
  for (const [i, part] of key.split("/").entries()) {
    const isMap = typeof value === "object" && value !== null &&
      !Array.isArray(value);
    if (!isMap || (format === "json" && i > 0)) return false;
    const map = value as Record<string, unknown>;
    // sops leaves merge keys as they are, and the YAML library of sops-nix
    // resolves them.
    value = part in map ? map[part] : (map["<<"] as typeof map)?.[part];
  }
  return typeof value === "string";
}

async function holdFile(
  effects: Effects,
  keys: Keys,
  reader: Reader,
  { what, name, format, content, isOwn }: Made,
  opens: boolean,
  held: Held,
): Promise<void> {
  // As in a tree, where nobody says the format.
  const given = {
    name,
    bytes: content,
    ...(format === "age" ? { format } : {}),
  };
  const answer = await judgeFile(effects, keys, given, 120_000, reader.facts);
  const told = `${what}: ${Deno.inspect(answer)}`;
  if (answer.kind === "opened") held.opened++;
  else if (answer.kind === "foreign") held.foreign++;
  else held.refused++;
  if (opens && answer.kind !== "opened") held.falseAlarms.push(told);
  if (!opens && answer.kind === "opened") held.falsePasses.push(told);
  // Not for this host, it stops nobody; for this host, it stops the run.
  if (!isOwn && answer.kind !== "foreign") held.falseAlarms.push(told);
  if (isOwn && !opens && answer.kind !== "problem") held.falsePasses.push(told);
}
