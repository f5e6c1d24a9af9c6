/**
 * Which hosts are meant, and in which file each has its system. Pure.
 *
 * @module
 */
import { usageError } from "../base/errors.ts";
import { isOfStars } from "../base/pattern.ts";
import { oneLine } from "../base/text.ts";
import { host as hostKind } from "../config/kinds.ts";

/**
 * The hosts that a list of patterns means.
 *
 * @param patterns Names with commas between them, in which `*` stands for any
 * letters; nothing: all hosts.
 * @throws {SyncError} `no-such-host`, exit 2, for a pattern that means none.
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
  // A variable of CI that is empty is neither all hosts nor a success.
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

/** Whether a host can follow under this name. */
export function isHostName(name: string): boolean {
  return hostKind.read(name) !== undefined;
}

/** Where each host has its system, as `build.prebuilt` says. */
export interface FileNames {
  /** The path of a host's file. */
  of(host: string): string;
  /** The host whose file a path is; nothing where it is nobody's. */
  hostOf(path: string): string | undefined;
  /** Whether each revision has files of its own. */
  isPerRevision: boolean;
}

/**
 * Reads `build.prebuilt`.
 *
 * @param isBranch A file of a branch can't be named after its own commit.
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

/** A text as part of an expression that finds it as it stands. */
function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
