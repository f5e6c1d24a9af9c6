/**
 * Reads a file and flags into a checked configuration.
 *
 * The module renders the file as JSON, which is also YAML. Such a file is read
 * as JSON. The YAML parser is loaded only for a file that needs it, because it
 * would take a quarter of the time of a run with nothing to do.
 *
 * @module
 */
import { configError, type SyncError } from "../base/errors.ts";
import { errno, isNumbered } from "../base/os_error.ts";
import {
  type Config,
  type Option,
  type OptionName,
  optionNames,
  options,
} from "./schema.ts";
import { Given, Problem } from "./given.ts";
import { isOpen } from "./kinds.ts";

/** Where the program looks when no `--config` is given. */
export const defaultConfigPath = "/etc/gitops-sync/config.yaml";

/** A configuration that may lack a repository. */
export type LocalConfig = Omit<Config, "repository"> & {
  readonly repository: string | undefined;
};

/**
 * Reads and checks a configuration.
 *
 * @param path The file, or `undefined` to use flags and defaults alone.
 * @param flags The flags of the command line; they override the file.
 * @throws {SyncError} `config-missing`, `config-unreadable`, `config-syntax`
 * or `config-wrong`, which lists every problem, not only the first one.
 */
export async function loadConfig(
  path: string | undefined,
  flags: readonly Given[],
): Promise<Config> {
  return await load(path, flags, () => true) as Config;
}

/** The same for commands that only read the stored state of this host. */
export async function loadLocalConfig(
  path: string | undefined,
  flags: readonly Given[],
): Promise<LocalConfig> {
  return await load(path, flags, ({ kind }) => kind !== "missing");
}

async function load(
  path: string | undefined,
  flags: readonly Given[],
  counts: (problem: Problem) => boolean,
): Promise<LocalConfig> {
  const given = path === undefined ? [] : await readFile(path);
  const { config, problems } = check([...given, ...flags]);
  const wrong = problems.filter(counts);
  if (wrong.length === 0) return config;
  const { explain } = await import("./problems.ts");
  throw explain(wrong, path);
}

/** Reads a file into the values it gives. */
async function readFile(path: string): Promise<Given[]> {
  const text = readText(path);
  const document = await parse(path, text);
  if (document === null || document === undefined) return [];
  if (typeof document !== "object" || Array.isArray(document)) {
    const message =
      `Cannot use ${path}: expected keys and values such as "ref: main"`;
    throw configError(
      "config-syntax",
      message,
      [{ file: path, line: null, key: null, message }],
      ["run man gitops-sync.yaml for the list of options"],
    );
  }
  return flatten(document as Record<string, unknown>, { path, text });
}

function readText(path: string): string {
  let text: string;
  let info: Deno.FileInfo;
  try {
    text = Deno.readTextFileSync(path);
    info = Deno.statSync(path);
  } catch (error) {
    throw unreadable(path, error);
  }
  // Not /dev/null, for example, which is empty.
  if (!info.isFile || (info.mode! & 0o002) === 0) return text;
  throw aboutFile(
    path,
    "config-unsafe",
    `Cannot trust ${path}: every user can write to it, and its hooks run as root`,
    `check what is in the file and who changed its mode, then run chmod o-w ${path}`,
  );
}

async function parse(path: string, text: string): Promise<unknown> {
  if (text.trimStart().startsWith("{")) {
    try {
      return JSON.parse(text);
    } catch {
      // Not JSON: YAML has braces too, and its parser reports the line.
    }
  } else refuseTabs(path, text);
  const yaml = await import("@std/yaml");
  try {
    return yaml.parse(text);
  } catch (error) {
    const { yamlProblem } = await import("./yaml_problem.ts");
    const { line, why, hint } = yamlProblem((error as Error).message, text);
    throw notYaml(path, line, why, hint);
  }
}

/** YAML forbids tabs before a key; the parser takes them for no indentation. */
function refuseTabs(path: string, text: string): void {
  const line = text.split("\n").findIndex((one) => /^ *\t\s*[^\s#]/.test(one));
  if (line === -1) return;
  throw notYaml(
    path,
    line + 1,
    "this line is indented with a tab",
    "indent with spaces",
  );
}

function notYaml(
  path: string,
  line: number,
  why: string,
  hint: string,
): SyncError {
  const message = `Cannot read this as YAML: ${why}`;
  return configError(
    "config-syntax",
    `${path}:${line}: ${message}`,
    [{ file: path, line, key: null, message }],
    [hint],
  );
}

/** Turns nested keys into dotted ones: `{timeouts: {build}}` → `timeouts.build`. */
function flatten(
  object: Record<string, unknown>,
  from: Given["from"],
  prefix = "",
): Given[] {
  return Object.entries(object).flatMap(([key, value]) => {
    const name = prefix + key;
    return isGroup(name) && value !== null && typeof value === "object" &&
        !Array.isArray(value)
      ? flatten(value as Record<string, unknown>, from, `${name}.`)
      : [{ key: name, value, from }];
  });
}

/** Whether options stand below a key, as below `timeouts`. */
function isGroup(key: string): boolean {
  return optionNames.some((known) => known.startsWith(`${key}.`));
}

/** Checks every value; a later one with the same key wins. */
function check(
  all: readonly Given[],
): { config: Config; problems: Problem[] } {
  const problems: Problem[] = [];
  const values: Record<string, unknown> = {};
  for (const given of all) {
    const option = optionOf(given.key);
    // `key: null` and an empty `key:` mean "as if it were not there".
    if ((option || isGroup(given.key)) && given.value === null) continue;
    const value = option?.kind.read(given.value);
    if (isGroup(given.key)) {
      problems.push({
        kind: "value",
        given,
        expected: "keys and values below this key",
      });
    } else if (!option) problems.push({ kind: "unknown", given });
    // First, because a message about the value would contain it.
    else if (given.key === "repository" && hasPassword(given.value)) {
      problems.push({ kind: "password", given });
    } else if (given.key === "repository" && hasHttpUser(given.value)) {
      problems.push({ kind: "user", given });
    } else if (value === undefined) {
      const { kind } = option;
      const expected = kind.explain?.(given.value) ?? kind.expected;
      problems.push({ kind: "value", given, expected });
    }
    if (option) values[given.key] = value;
  }
  problems.push(
    ...withoutMode(all, values),
    ...withoutKeys(all, values),
    ...withoutForge(all, values),
    ...withoutTls(all, values),
  );
  for (const name of optionNames) {
    if (name in values) continue;
    const option: Option<unknown> = options[name];
    if (option.required) problems.push({ kind: "missing", name });
    else values[name] = presetOf(option);
  }
  return { config: values as unknown as Config, problems };
}

/**
 * Finds `verify` options without a mode: a person who names keys and forgets the
 * mode is not protected. A default that is written out, as the module does, is
 * not counted.
 */
function withoutMode(
  all: readonly Given[],
  values: Readonly<Record<string, unknown>>,
): Problem[] {
  if ((values["verify.mode"] ?? "none") !== "none") return [];
  return all.filter(({ key, value }) => {
    const option = key.startsWith("verify.") ? optionOf(key) : undefined;
    if (!option || key === "verify.mode" || value === null) return false;
    return JSON.stringify(values[key]) !== JSON.stringify(presetOf(option));
  }).map((given) => ({ kind: "useless", given }));
}

/** Each of these options can name trusted keys. */
const keyOptions = [
  "verify.allowedSigners",
  "verify.openpgpKeys",
  "verify.keysFrom",
];

/** Finds a mode without keys: it would refuse every revision. */
function withoutKeys(
  all: readonly Given[],
  values: Readonly<Record<string, unknown>>,
): Problem[] {
  if ((values["verify.mode"] ?? "none") === "none") return [];
  const hasKeys = all.some(({ key, value }) =>
    keyOptions.includes(key) && value !== null && String(value) !== ""
  );
  if (hasKeys) return [];
  const given = all.findLast(({ key }) => key === "verify.mode");
  return given ? [{ kind: "keyless", given }] : [];
}

/** Finds checks without a forge: their gate would stay closed for ever. */
function withoutForge(
  all: readonly Given[],
  values: Readonly<Record<string, unknown>>,
): Problem[] {
  const checks = values["gates.checks"];
  const forges = [values["gates.forge"], values["commitStatus.forge"]];
  const isAsked = forges.some((forge) => (forge ?? "none") !== "none");
  if (!Array.isArray(checks) || checks.length === 0 || isAsked) return [];
  const given = all.findLast(({ key }) => key === "gates.checks");
  return given ? [{ kind: "forgeless", given }] : [];
}

/** Finds a token over HTTP: anybody on the network path could read it. */
function withoutTls(
  all: readonly Given[],
  values: Readonly<Record<string, unknown>>,
): Problem[] {
  if (!values["tokenFile"] || !isOpen(values["repository"])) return [];
  const given = all.findLast(({ key }) => key === "repository");
  return given ? [{ kind: "open", given }] : [];
}

function optionOf(key: string): Option<unknown> | undefined {
  return Object.hasOwn(options, key) ? options[key as OptionName] : undefined;
}

function presetOf(option: Option<unknown>): unknown {
  const preset = typeof option.preset === "function"
    ? option.preset()
    : option.preset;
  return preset === undefined ? undefined : option.kind.read(preset);
}

/** Whether a URL contains a password, which every `ps` would show. */
function hasPassword(url: unknown): boolean {
  return typeof url === "string" && /:\/\/[^/@]*:[^/@]*@/.test(url);
}

/**
 * Whether an HTTP URL contains a user. Many forges accept a token there, so a
 * user name can't be told from a token.
 */
function hasHttpUser(url: unknown): boolean {
  return typeof url === "string" && /^\s*https?:\/\/[^/]*@/i.test(url);
}

function unreadable(path: string, error: unknown): SyncError {
  if (error instanceof Deno.errors.NotFound) {
    return aboutFile(
      path,
      "config-missing",
      `Cannot read ${path}: there is no such file`,
      "name the file with --config FILE, or give --repository URL --ref main instead",
    );
  }
  if (isNumbered(error, errno.isAFolder)) {
    return aboutFile(
      path,
      "config-unreadable",
      `Cannot read ${path}: it is a folder`,
      "name the file in it with --config FILE",
    );
  }
  return aboutFile(
    path,
    "config-unreadable",
    `Cannot read ${path}: ${(error as Error).message}`,
    "run as root, or make the file readable for the user who runs gitops-sync",
  );
}

/** An error about the file as a whole. */
function aboutFile(
  path: string,
  reason: string,
  message: string,
  hint: string,
): SyncError {
  const problem = { file: path, line: null, key: null, message };
  return configError(reason, message, [problem], [hint]);
}
