/**
 * The five formats of sops as plain values: maps, lists and texts.
 *
 * @module
 */
import { parseAll } from "@std/yaml";

/** The formats that sops tells apart by a file's extension. */
export type SopsFormat = "yaml" | "json" | "dotenv" | "ini" | "binary";

/** The format that sops takes a file for (sops, `stores/` by extension). */
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

/**
 * Reads a text. INI and dotenv become maps like those of YAML, with their
 * metadata, which is flattened into one level, as the map `sops`.
 *
 * @returns the documents; several in YAML alone.
 * @throws {Error} where the text is not of that format.
 */
export function readDocuments(format: SopsFormat, text: string): unknown[] {
  return readers[format](text);
}

/** A map by its keys. */
export type Fields = Record<string, unknown>;

/** Whether a value is a map, and no list. */
export function isMap(value: unknown): value is Fields {
  return typeof value === "object" && value !== null &&
    !Array.isArray(value) && !(value instanceof Date);
}

// A key may be called `__proto__`.
const emptyMap = (): Fields => Object.create(null);

const readers: Readonly<Record<SopsFormat, (text: string) => unknown[]>> = {
  yaml: parseAll,
  json: (text) => [JSON.parse(text)],
  binary: (text) => [JSON.parse(text)],
  dotenv: readDotenv,
  ini: readIni,
};

function readDotenv(text: string): unknown[] {
  const values = emptyMap();
  const metadata = emptyMap();
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const at = line.indexOf("=");
    if (at === -1) throw new SyntaxError("a line of it is no NAME=VALUE");
    const name = line.slice(0, at);
    const value = line.slice(at + 1);
    if (name.startsWith("sops_")) metadata[name.slice(5)] = value;
    else values[name] = value;
  }
  return [withMetadata(values, metadata)];
}

function readIni(text: string): unknown[] {
  const sections = emptyMap() as Record<string, Fields>;
  let section = "DEFAULT";
  for (const line of text.split(/\r?\n/).map((line) => line.trim())) {
    if (line === "" || /^[#;]/.test(line)) continue;
    const name = /^\[(.*)\]$/.exec(line)?.[1];
    if (name !== undefined) {
      section = name;
      continue;
    }
    const at = line.search(/[=:]/);
    if (at === -1) throw new SyntaxError("a line of it is no name = value");
    const value = line.slice(at + 1).trim();
    (sections[section] ??= emptyMap())[line.slice(0, at).trim()] = unquoted(
      value,
    );
  }
  const { sops = {}, ...values } = sections;
  return [withMetadata(values, sops)];
}

const unquoted = (value: string) =>
  /^(["'`]).*\1$/.test(value) ? value.slice(1, -1) : value;

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
      // A list is asked for its numbers alone: its other keys are the program's
      // own. And a far number would make it as long.
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
