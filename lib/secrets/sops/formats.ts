/**
 * Reads the five formats of sops as plain values: maps, lists and strings.
 *
 * @module
 */
import { parse, parseAll } from "@std/yaml";

/** The formats that sops distinguishes by a file's extension. */
export type SopsFormat = "yaml" | "json" | "dotenv" | "ini" | "binary";

/**
 * Returns the format that sops uses for a file (sops, `stores/` by extension).
 */
export function sopsFormat(path: string): SopsFormat {
  const extension = /\.([a-z]+)$/.exec(path)?.[1];
  switch (extension) {
    case "yaml":
    case "yml":
      return "yaml";
    case "json":
    case "ini":
      return extension;
    case "env":
      return "dotenv";
    default:
      return "binary";
  }
}

/** How to recognise that sops wrote a file, for each format. */
const signs: readonly [SopsFormat, RegExp][] = [
  ["yaml", /^sops:(?:\s|$)/m],
  ["dotenv", /^sops_(?:mac|version|lastmodified)=/m],
  ["ini", /^\s*\[sops\]\s*$/m],
];

/**
 * Guesses the format of a file: from its content, or else from its name. sops
 * uses the name, but sops-nix uses its configuration, so names can be anything.
 */
export function guessedFormat(path: string, text: string): SopsFormat {
  const named = sopsFormat(path);
  if (/^\ufeff?\s*\{/.test(text)) return jsonFormat(named, text);
  const shown = signs.filter(([, sign]) => sign.test(text));
  if (shown.some(([format]) => format === named)) return named;
  return shown[0]?.[0] ?? named;
}

/**
 * Returns the format of a text in braces: JSON, a file wrapped in JSON, or
 * YAML.
 */
function jsonFormat(named: SopsFormat, text: string): SopsFormat {
  if (named === "json") return named;
  let content: unknown;
  try {
    content = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    return named === "yaml" ? named : "binary";
  }
  if (!isMap(content) || !isMap(content.sops)) return named;
  const isWrapped = Object.keys(content).every((key) =>
    key === "data" || key === "sops"
  );
  return isWrapped ? "binary" : "json";
}

/**
 * Reads a text. INI and dotenv become maps like those of YAML, with their
 * metadata, which is flattened into one level, as the map `sops`.
 *
 * @returns the documents; only YAML can have more than one.
 * @throws {Error} if the text is not of that format.
 */
export function readDocuments(format: SopsFormat, text: string): unknown[] {
  return readers[format](text);
}

/** A map. */
export type Fields = Record<string, unknown>;

/** Whether a value is a map, and not a list. */
export function isMap(value: unknown): value is Fields {
  return typeof value === "object" && value !== null &&
    !Array.isArray(value) && !(value instanceof Date);
}

// A key may be called `__proto__`.
const emptyMap = (): Fields => Object.create(null);

const readers: Readonly<Record<SopsFormat, (text: string) => unknown[]>> = {
  yaml: (text) => parseAll(withoutMergeTags(text)),
  json: (text) => [JSON.parse(text)],
  binary: (text) => [JSON.parse(text)],
  dotenv: readDotenv,
  ini: readIni,
};

/**
 * Removes merge tags. sops writes a merge key as `!!merge <<:`, which the YAML
 * reader rejects as an unknown tag.
 */
function withoutMergeTags(text: string): string {
  return text.replace(/^([\s-]*)!!merge (<<:)/gm, "$1$2");
}

function readDotenv(text: string): unknown[] {
  const values = emptyMap();
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const at = line.indexOf("=");
    if (at === -1) throw new SyntaxError("one of its lines is not NAME=VALUE");
    const name = line.slice(0, at);
    if (!name.startsWith("sops_")) values[name] = line.slice(at + 1);
  }
  return [withMetadata(values, dotenvMetadata(text))];
}

function dotenvMetadata(text: string): Fields {
  const flat = emptyMap();
  for (
    const [, name, value] of text.matchAll(/^sops_([^=\r\n]*)=(.*?)\r?$/gm)
  ) {
    flat[name!] = value;
  }
  return flat;
}

function readIni(text: string): unknown[] {
  const { sops = {}, ...values } = iniSections(text.split(/\r?\n/));
  return [withMetadata(values, sops)];
}

/** Returns the sections of an INI text as sops's library ini.v1 reads them. */
function iniSections(lines: readonly string[]): Record<string, Fields> {
  const sections = emptyMap() as Record<string, Fields>;
  let section = "DEFAULT";
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!.trim();
    if (line === "" || /^[#;]/.test(line)) continue;
    const name = /^\[(.*)\]/.exec(line)?.[1];
    if (name !== undefined) {
      section = name;
      continue;
    }
    const at = delimiterIn(line);
    if (at === -1) {
      throw new SyntaxError("one of its lines is not name = value");
    }
    let value = line.slice(at + 1).trim();
    const quote = /^(?:"""|`)/.exec(value)?.[0];
    if (quote !== undefined) {
      // Such a value ends at the closing quote, which may be lines below.
      const parts = [value.slice(quote.length)];
      while (!parts.at(-1)!.includes(quote) && i + 1 < lines.length) {
        parts.push(lines[++i]!);
      }
      value = parts.join("\n").split(quote)[0]!;
    } else value = unquoted(value);
    (sections[section] ??= emptyMap())[unquoted(line.slice(0, at).trim())] =
      value;
  }
  return sections;
}

/** Returns where the name ends; a quoted name may contain a delimiter. */
function delimiterIn(line: string): number {
  const quoted = /^("""|"|`)(.*?)\1/.exec(line)?.[0].length ?? 0;
  const at = line.slice(quoted).search(/[=:]/);
  return at === -1 ? -1 : quoted + at;
}

const unquoted = (value: string) =>
  /^(["'`]).*\1$/.test(value) ? value.slice(1, -1) : value;

/**
 * Reads only the metadata of sops, whatever the rest of the text is: the
 * programs that open a file may accept more than this reader.
 *
 * @returns `undefined` if there is none, or if it is ambiguous.
 */
export function readMetadata(
  format: SopsFormat,
  text: string,
): Fields | undefined {
  try {
    const found = metadataReaders[format](text);
    return found && Object.keys(found).length > 0 ? found : undefined;
  } catch {
    return undefined;
  }
}

const metadataReaders: Readonly<
  Record<SopsFormat, (text: string) => Fields | undefined>
> = {
  yaml: (text) => {
    const block = sectionOf(text, /^sops:[ \t]*(?:#.*)?$/, /^[^\s#]/);
    const content = block === undefined ? undefined : parse(block);
    return isMap(content) && isMap(content.sops) ? content.sops : undefined;
  },
  json: () => undefined,
  binary: () => undefined,
  dotenv: (text) => unflatten(dotenvMetadata(text)),
  ini: (text) => {
    const block = sectionOf(text, /^\s*\[sops\]/, /^\s*\[/);
    return block === undefined
      ? undefined
      : unflatten(iniSections(block.split("\n")).sops ?? {});
  },
};

/** Returns the last section, from the line that begins it to its end. */
function sectionOf(
  text: string,
  begin: RegExp,
  next: RegExp,
): string | undefined {
  const lines = text.split(/\r?\n/);
  const start = lines.findLastIndex((line) => begin.test(line));
  if (start === -1) return undefined;
  const length = lines.slice(start + 1).findIndex((line) => next.test(line));
  const end = length === -1 ? lines.length : start + 1 + length;
  return lines.slice(start, end).join("\n");
}

function withMetadata(values: Fields, flat: Fields): Fields {
  if (Object.keys(flat).length === 0) return values;
  return { ...values, sops: unflatten(flat) };
}

/** `age__list_0__map_enc` → `age[0].enc` (sops, `stores/flatten.go`). */
function unflatten(flat: Fields): Fields {
  const root = emptyMap();
  for (const [name, value] of Object.entries(flat)) {
    const steps = name.split(/__(?=list_\d+|map_)/);
    let at: Fields = root;
    let key = steps[0]!;
    for (const step of steps.slice(1)) {
      const isList = step.startsWith("list_");
      const below = at[key] ??= isList ? [] : emptyMap();
      // A list only has numbers as keys: other keys belong to the runtime. And
      // a large number would make the list that long.
      const isMeant = isList
        ? Array.isArray(below) && /^list_\d{1,3}$/.test(step)
        : isMap(below);
      if (!isMeant) throw new SyntaxError("its metadata contradicts itself");
      at = below as Fields;
      key = step.replace(/^(?:list|map)_/, "");
    }
    at[key] = value;
  }
  return root;
}
