/**
 * Whether sops-install-secrets would find and install a key of a file, as far
 * as the encrypted file shows. It follows maps by the parts of the key, and
 * only installs strings (sops-nix, `pkgs/sops-install-secrets/main.go`,
 * "recurseSecretKey" and "loadSopsFile"). Pure.
 *
 * @module
 */
import { isMap, type SopsFormat } from "../sops/formats.ts";
import { encryptedType } from "../sops/leaves.ts";
import type { SopsFile } from "../sops/metadata.ts";

/** The result for one key. */
export type KeyAnswer =
  | { kind: "found" }
  /** `there`: the keys that exist instead. */
  | { kind: "missing"; part: string; there: readonly string[] }
  | { kind: "map" }
  /** A value of another type: `int`, `float`, `bool`, `null` …. */
  | { kind: "no-text"; type: string }
  /** sops-install-secrets does not enter maps in JSON. */
  | { kind: "json-map"; part: string }
  /** sops-install-secrets can't read the file. */
  | { kind: "unreadable"; why: string }
  /** This program can't tell. */
  | { kind: "unknown"; why: string };

/**
 * Returns the results for some keys of a file, in their order.
 *
 * @param text The same file as text.
 * @param keys The keys, with parts separated by `/`; empty for the whole file.
 */
export function keyAnswers(
  file: SopsFile,
  text: string,
  keys: readonly string[],
): KeyAnswer[] {
  return keys.map((key) => answerOf(file, text, key));
}

/**
 * Returns the encrypted values of some keys, in their order: two files with the
 * same values install the same. `undefined` if a value is unknown.
 */
export function sealedValues(
  { format, unread, documents }: SopsFile,
  keys: readonly string[],
): (string | undefined)[] {
  return keys.map((key) => {
    if (unread !== undefined) return undefined;
    const isWhole = key === "" || (format !== "yaml" && format !== "json");
    if (isWhole) return JSON.stringify(documents);
    let value: unknown = documents[0];
    for (const part of key.split("/")) {
      if (!isMap(value) || !Object.hasOwn(value, part)) return undefined;
      value = value[part];
    }
    return JSON.stringify(value);
  });
}

/** Returns the result for a key of a file that this program can't read. */
export function unreadAnswer(
  format: SopsFormat,
  key: string,
  why: string,
): KeyAnswer {
  const isWhole = format === "binary" || format === "ini" ||
    (key === "" && format !== "dotenv");
  return isWhole ? { kind: "found" } : { kind: "unknown", why };
}

function answerOf(file: SopsFile, text: string, key: string): KeyAnswer {
  const { format, unread, documents } = file;
  if (format === "dotenv") {
    const why = dotenvFault(text);
    if (why !== undefined) return { kind: "unreadable", why };
  }
  // For other formats, sops-nix installs the whole file.
  if (key === "" || (format !== "yaml" && format !== "json")) {
    return { kind: "found" };
  }
  if (unread !== undefined) return { kind: "unknown", why: unread };
  let value: unknown = documents[0];
  const parts = key.split("/");
  for (const [i, part] of parts.entries()) {
    if (i > 0 && !isMap(value)) return { kind: "missing", part, there: [] };
    if (i > 0 && format === "json") {
      return { kind: "json-map", part: parts.slice(0, i).join("/") };
    }
    if (!isMap(value) || !Object.hasOwn(value, part)) {
      const there = isMap(value) ? Object.keys(value).slice(0, 10) : [];
      return { kind: "missing", part, there };
    }
    value = value[part];
  }
  const type = typeOf(value);
  return type === "str"
    ? { kind: "found" }
    : type === "map"
    ? { kind: "map" }
    : { kind: "no-text", type };
}

/** Returns the type of a value after decryption, as sops names it. */
function typeOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  switch (typeof value) {
    case "string": {
      const type = encryptedType(value) ?? "str";
      // The YAML library of sops-nix has no times: it reads them as strings.
      return type === "bytes" || type === "time" ? "str" : type;
    }
    case "number":
      return Number.isInteger(value) ? "int" : "float";
    case "boolean":
      return "bool";
    default:
      return value instanceof Date ? "str" : "map";
  }
}

/**
 * Returns why godotenv, the library of sops-install-secrets, can't read an
 * encrypted file. Names may only contain letters, digits, `_` and `.`, and a
 * value that begins with a quote must end with one (godotenv 1.5, `parser.go`).
 */
function dotenvFault(text: string): string | undefined {
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === "" || line.trimStart().startsWith("#")) continue;
    const at = line.search(/[=:]/);
    const name = line.slice(0, at === -1 ? undefined : at)
      .replace(/^\s*export\s+/, "");
    // It checks bytes, and reads each as a character of Latin-1.
    const odd = /[^\p{L}\p{N}_.\s]/u.exec(latin1(name))?.[0];
    if (at === -1 || odd !== undefined) {
      return odd === undefined
        ? "one of its lines is not NAME=VALUE"
        : `sops-install-secrets does not accept the name ${name} in a dotenv file`;
    }
    const value = line.slice(at + 1).trim();
    const quote = /^["']/.exec(value)?.[0];
    if (quote && value.indexOf(quote, 1) === -1) {
      return `one of its values begins with ${quote} and does not end with it`;
    }
  }
  return undefined;
}

const latin1 = (text: string) =>
  new TextDecoder("latin1").decode(new TextEncoder().encode(text));
