/**
 * The kinds of option values: how each is written and read.
 *
 * @module
 */
import { parseDuration } from "../base/duration.ts";
import { parseSize } from "../base/size.ts";
import { isPattern, parsePattern, patternForm } from "./tag_pattern.ts";

/** How an option's value is written and what it becomes. */
export interface Kind<T> {
  /** Its name in the documentation, e.g. `duration`. */
  name: string;
  /** Completes "Cannot use X for key: expected …". */
  expected: string;
  /** Returns the value, or `undefined` if it is not of this kind. */
  read(value: unknown): T | undefined;
  /** Returns what exactly was expected instead of a value that `read` refuses. */
  explain?(value: unknown): string | undefined;
  /** Whether its flag stands alone (`--submodules`). */
  isFlag?: true;
  /** Whether its flag may be repeated. */
  isList?: true;
  /** The words it takes, if they are few. */
  choices?: readonly string[];
}

const nonEmpty = (value: unknown): string | undefined =>
  typeof value === "string" && value.trim() !== "" &&
    // deno-lint-ignore no-control-regex
    !/[\u0000-\u001f\u007f]/.test(value)
    ? value
    : undefined;

/** A text in one line. */
export const text: Kind<string> = {
  name: "text",
  expected: "a text without control characters",
  read: nonEmpty,
};

/** An absolute path. */
export const path: Kind<string> = {
  name: "path",
  expected: "an absolute path such as /etc/ssh/age.key",
  read: (value) =>
    nonEmpty(value)?.startsWith("/") ? value as string : undefined,
};

/** An absolute path for programs that end it at a space. */
export const plainPath: Kind<string> = {
  name: "path",
  expected: "an absolute path without spaces such as /run/secrets/tokens",
  read: (value) => {
    const read = path.read(value);
    return read === undefined || /\s/.test(read) ? undefined : read;
  },
};

/** Several absolute paths. */
export const paths: Kind<readonly string[]> = {
  name: "list of paths",
  expected: "a list of absolute paths such as [/etc/ssh/age.key]",
  read: (value) => listOf(value, path),
  isList: true,
};

/** Several texts. */
export const texts: Kind<readonly string[]> = {
  name: "list of texts",
  expected: "a list of texts",
  read: (value) => listOf(value, text),
  isList: true,
};

/** Files by the URL prefix that they are for. */
export const prefixedFiles: Kind<Readonly<Record<string, string>>> = {
  name: "files by URL",
  expected:
    "URL prefixes with a file each, such as {ssh://git@github.com/me/dep: /etc/ssh/dep}",
  read: (value) => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) {
      return undefined;
    }
    const entries = Object.entries(value);
    const isGood = ([url, file]: [string, unknown]) =>
      /^(?:(?:git\+)?ssh:\/\/|[\w.-]+@[\w.-]+:)[^\s'"\\]+$/.test(url) &&
      path.read(file) !== undefined;
    return entries.every(isGood) ? Object.fromEntries(entries) : undefined;
  },
};

/** True or false. */
export const flag: Kind<boolean> = {
  name: "true or false",
  expected: "true or false",
  read: (value) => typeof value === "boolean" ? value : undefined,
  isFlag: true,
};

// A timer of more milliseconds than 31 bits hold fires at once.
const longest = parseDuration("24d")!;

/** A span of time, as {@linkcode parseDuration} reads it; milliseconds. */
export const duration: Kind<number> = {
  name: "duration",
  expected: "a duration of at most 24d such as 90s, 30m or 1h30m",
  read: (value) => {
    const ms = typeof value === "string" ? parseDuration(value) : undefined;
    return ms !== undefined && ms > 0 && ms <= longest ? ms : undefined;
  },
};

/** A small whole number. */
export const number: Kind<number> = {
  name: "whole number",
  expected: "a whole number from 0 to 1000",
  read: (value) => {
    const n = typeof value === "string" && /^\d+$/.test(value)
      ? Number(value)
      : value;
    return typeof n === "number" && Number.isInteger(n) && n >= 0 && n <= 1000
      ? n
      : undefined;
  },
};

/** A small whole number that is not 0. */
export const positive: Kind<number> = {
  name: "whole number",
  expected: "a whole number from 1 to 1000",
  read: (value) => number.read(value) || undefined,
};

/** A full commit hash (SHA-1 or SHA-256). */
export const revision: Kind<string> = {
  name: "revision",
  expected: "a full commit hash of 40 or 64 lowercase hexadecimal digits",
  read: (value) =>
    typeof value === "string" &&
      /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(value)
      ? value
      : undefined,
};

/** A number of bytes, as {@linkcode parseSize} reads it. */
export const size: Kind<number> = {
  name: "size",
  expected: "a size such as 512M, 1.5G or 2GiB",
  read: (value) => typeof value === "string" ? parseSize(value) : undefined,
};

function listOf(value: unknown, kind: Kind<string>): string[] | undefined {
  const items = typeof value === "string" ? [value] : value;
  if (!Array.isArray(items)) return undefined;
  const read = items.map((item) => kind.read(item));
  return read.every((item) => item !== undefined) ? read : undefined;
}

/** One of a few words. */
export function choice<const T extends string>(...choices: T[]): Kind<T> {
  return {
    name: choices.map((word) => `\`${word}\``).join(", "),
    expected: `one of ${choices.join(", ")}`,
    read: (value) => choices.find((word) => word === value),
    choices,
  };
}

/** This machine, under the names that nobody can give to another one. */
const isHere = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Whether a URL is unencrypted, so that anybody on the network can read along. */
export function isOpen(url: unknown): boolean {
  if (typeof url !== "string" || !/^http:/i.test(url)) return false;
  return !isHere.test(URL.parse(url)?.hostname ?? "");
}

/** A remote as Git writes it: a URL, the scp form, or an absolute path. */
export const remote: Kind<string> = {
  name: "Git URL",
  expected:
    "a Git URL: https://, http://, ssh://, file://, user@host:path or an absolute path",
  read: (value) => {
    const url = nonEmpty(value);
    if (url === undefined || /\s/.test(url)) return undefined;
    if (/^(https?|ssh|file):\/\/./.test(url)) return url;
    // Git decodes %20 in a URL, but a path is meant as it stands.
    if (url.startsWith("/")) return `file://${url.replaceAll("%", "%25")}`;
    // A scheme with a slash too few would be the name of a host.
    if (/^(https?|ssh|file|git|ftps?):/.test(url)) return undefined;
    // scp form: no slash before the colon (git-fetch(1), "GIT URLS").
    return /^[A-Za-z0-9_][\w.-]*(@[\w.-]+)?:(?!:)[^-]/.test(url) &&
        !url.includes("://")
      ? url
      : undefined;
  },
};

/**
 * A branch, a tag, a full ref name (git-check-ref-format(1)), a full commit
 * hash, or a pattern of tags.
 */
export const ref: Kind<string> = {
  name: "ref",
  expected:
    "a branch, a tag, a full ref such as refs/heads/main, a full commit hash, or a pattern of tags such as semver:>=1.2 <2",
  explain: (value) => {
    if (typeof value === "string" && isPattern(value)) return patternForm;
    return typeof value === "number" || typeof value === "boolean" ||
        value instanceof Date
      ? `a text, but YAML reads this as another type: put it in quotes, e.g. ref: "1.10"`
      : undefined;
  },
  read: (value) => {
    const name = nonEmpty(value);
    if (name !== undefined && isPattern(name)) {
      return parsePattern(name) && name;
    }
    if (name === undefined || name.startsWith("-") || name === "@") return;
    const bad = /[\s~^:?*\[\\]|\.\.|@\{|\/\/|\/\.|^\/|^\.|\/$|\.$|\.lock(\/|$)/;
    return bad.test(name) ? undefined : name;
  },
};

/** A folder inside the repository. */
export const folder: Kind<string> = {
  name: "folder in the repository",
  expected: "a folder inside the repository such as hosts/web, without ..",
  read: (value) => {
    if (value === "") return "";
    const name = nonEmpty(value)?.replace(/^\.\//, "").replace(/\/+$/, "");
    if (name === undefined || name === ".") return name === "." ? "" : name;
    const bad = name.startsWith("/") ||
      name.split("/").some((part) => part === ".." || part === "");
    return bad || /[?#&%]/.test(name) ? undefined : name;
  },
};

/** The name of a host in the flake. */
export const host: Kind<string> = {
  name: "host name",
  expected:
    "a name in nixosConfigurations such as web-1 (letters, digits, _ - .)",
  read: (value) =>
    typeof value === "string" && /^[A-Za-z0-9_][\w.-]*$/.test(value)
      ? value
      : undefined,
};

/** The address of a Vault server: without TLS only on this machine. */
export const vaultAddress: Kind<string> = {
  name: "URL of a server",
  expected:
    "https:// and a server such as https://vault.example.com:8200 (http:// only for loopback addresses)",
  read: (value) => {
    const url = URL.parse(nonEmpty(value) ?? "");
    if (!url || url.username !== "" || url.search + url.hash !== "") return;
    const isSafe = url.protocol === "https:" ||
      url.protocol === "http:" && !isOpen(url.href);
    return isSafe ? url.href.replace(/\/+$/, "") : undefined;
  },
};

/** Where engines of Vault are mounted. */
export const mounts: Kind<readonly string[]> = {
  name: "list of mounts",
  expected: "a list of mounts such as [sops, team/transit]",
  read: (value) => listOf(value, mount),
  isList: true,
};

/** Where something is mounted in Vault, without slashes around it. */
export const mount: Kind<string> = {
  name: "mount",
  expected: "a mount such as sops or team/transit",
  read: (value) =>
    typeof value === "string" && /^\w[\w-]*(\/\w[\w-]*)*$/.test(value)
      ? value
      : undefined,
};

/** True, false, or `auto`: true if the host supports it. */
export const autoFlag: Kind<"auto" | "true" | "false"> = {
  name: "`auto`, true or false",
  expected: "auto, true or false",
  read: (value) =>
    choice("auto", "true", "false")
      .read(typeof value === "boolean" ? String(value) : value),
  choices: ["auto", "true", "false"],
};
