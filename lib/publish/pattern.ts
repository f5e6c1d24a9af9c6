/**
 * Selects hosts, and finds the file of each host's system. Pure.
 *
 * @module
 */
import { usageError } from "../base/errors.ts";
import { isOfStars } from "../base/pattern.ts";
import { oneLine } from "../base/text.ts";
import { host as hostKind } from "../config/kinds.ts";

/**
 * Returns the hosts that match a list of patterns.
 *
 * @param patterns Names with commas between them. `*` matches any characters.
 * `undefined` selects all hosts.
 * @throws {SyncError} `no-such-host`, exit 2, if a pattern matches no host.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { chosenHosts } from "./pattern.ts";
 *
 * assertEquals(chosenHosts(["db", "web1", "web2"], "web*"), ["web1", "web2"]);
 * ```
 */
export function chosenHosts(
  hosts: readonly string[],
  patterns: string | undefined,
): string[] {
  if (patterns === undefined) return [...hosts];
  const all = patterns.split(",").map((one) => one.trim())
    .filter((one) => one !== "");
  // An empty variable of CI must not select all hosts, and must not succeed.
  if (all.length === 0) throw noSuchHost(hosts, patterns);
  const chosen = new Set<string>();
  for (const pattern of all) {
    const found = hosts.filter((host) => isOfStars(pattern, host));
    if (found.length === 0) throw noSuchHost(hosts, pattern);
    for (const host of found) chosen.add(host);
  }
  return hosts.filter((host) => chosen.has(host));
}

function noSuchHost(hosts: readonly string[], pattern: string) {
  const known = hosts.slice(0, 20).join(", ") || "none";
  return usageError(
    "no-such-host",
    `Cannot publish ${
      oneLine(pattern, 80).trim() || '""'
    }: the flake has no such host in nixosConfigurations`,
    `use a name or a pattern of these: ${known}${
      hosts.length > 20 ? ", …" : ""
    }`,
  );
}

/** Reports whether a host may have this name. */
export function isHostName(name: string): boolean {
  return hostKind.read(name) !== undefined;
}

/** The files of the hosts' systems, as `build.prebuilt` defines them. */
export interface FileNames {
  /** Returns the path of a host's file. */
  of(host: string): string;
  /** Returns the host of a file, or `undefined` if it is not a host's file. */
  hostOf(path: string): string | undefined;
  /** Whether each revision has its own files. */
  isPerRevision: boolean;
}

/**
 * Reads `build.prebuilt`.
 *
 * @param isBranch Whether the place is a branch. A file in a branch can't be
 * named after its own commit.
 * @throws {SyncError} `file-pattern`, exit 2.
 */
export function fileNames(
  pattern: string,
  revision: string,
  isBranch: boolean,
): FileNames {
  const isPerRevision = pattern.includes("{revision}");
  const isPlain = /^(?:[\w.+-]|\{host\}|\{revision\}|\/(?!\/))+$/.test(pattern);
  const isOutside = /^\/|\/$|(?:^|\/)\.\.?(?:\/|$)|^\.git(?:\/|$)/i
    .test(pattern);
  const isGood = isPlain && !isOutside && pattern.includes("{host}") &&
    !(isBranch && isPerRevision);
  if (!isGood) {
    throw usageError(
      "file-pattern",
      `Cannot write to ${oneLine(pattern, 80)}: expected a path with {host}${
        isBranch ? ", and without {revision} in a branch" : ""
      }, such as systems/{host}`,
      "set it with --build-prebuilt, and give the hosts the same value in build.prebuilt",
    );
  }
  const named = pattern.replaceAll("{revision}", revision);
  const [before, ...rest] = named.split("{host}");
  const expression = new RegExp(
    `^${literal(before!)}(?<host>\\w[\\w.-]*)${
      rest.map(literal).join("\\k<host>")
    }$`,
  );
  return {
    of: (host) => named.replaceAll("{host}", host),
    hostOf: (path) => expression.exec(path)?.groups?.["host"],
    isPerRevision,
  };
}

/** Escapes a text for a regular expression. */
function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
