/**
 * A `ref` that is a tag pattern: the tag with the highest version is followed.
 *
 * @module
 */
import {
  type Comparator,
  parseRange,
  type Range,
  satisfies,
} from "@std/semver";
import {
  compareVersions,
  parseVersion,
  type Version,
} from "../base/version.ts";

/** A pattern of tags. */
export interface TagPattern {
  /** What to request from the remote, below `refs/tags/`; none: all tags. */
  glob?: string;
  /** The version that a tag names, if the pattern is meant for it. */
  versionOf(tag: string): Version | undefined;
}

/** How a pattern is written, for messages. */
export const patternForm =
  "semver: and a range such as semver:>=1.2 <2, or tags: and a pattern such as tags:v*";

/** Whether a `ref` is a tag pattern; no valid name begins like one. */
export function isPattern(ref: string): boolean {
  return /^(semver|tags):/.test(ref);
}

/**
 * Reads a pattern: `semver:` and a version range in the syntax of npm and Flux
 * (Flux allows commas), or `tags:` and a name with a `*`.
 *
 * @returns nothing if it is not a pattern.
 */
export function parsePattern(ref: string): TagPattern | undefined {
  const [, kind, text = ""] = /^(semver|tags):\s*(.*?)\s*$/.exec(ref) ?? [];
  if (kind === "tags") return globPattern(text);
  if (kind !== "semver" || text === "" || text.length > 200) return undefined;
  try {
    return semverPattern(parseRange(text.replaceAll(",", " ")));
  } catch {
    return undefined;
  }
}

function semverPattern(range: Range): TagPattern {
  return {
    versionOf: (tag) => {
      const version = parseVersion(tag);
      if (!version || version.numbers.length > 3) return undefined;
      const [major = 0, minor = 0, patch = 0] = version.numbers;
      const prerelease = [...version.prerelease];
      const semver = { major, minor, patch, prerelease, build: [] };
      const isIn = satisfies(semver, range) ||
        range.some((bounds) => hasPrerelease(version, bounds));
      return isIn ? version : undefined;
    },
  };
}

/**
 * Whether a pre-release is within bounds of which one names a pre-release. Flux
 * then accepts those of all versions between the bounds (Masterminds/semver);
 * npm accepts only those of that one version. `<2` still excludes those of 2.
 */
function hasPrerelease(
  version: Version,
  bounds: readonly Comparator[],
): boolean {
  if (version.prerelease.length === 0) return false;
  if (!bounds.some(({ prerelease = [] }) => prerelease.length > 0)) {
    return false;
  }
  return bounds.every((bound) => {
    const { operator = "=", major, minor, patch, prerelease = [] } = bound;
    if (Number.isNaN(major)) return true;
    const isBelow = operator === "<" && prerelease.length === 0;
    const compared = isBelow ? { ...version, prerelease: [] } : version;
    const numbers = [major, minor, patch];
    const order = compareVersions(compared, { numbers, prerelease });
    return order === 0
      ? operator.includes("=") && operator !== "!="
      : operator === "!=" || operator.startsWith(order < 0 ? "<" : ">");
  });
}

/** The version is in the place of the `*`. */
function globPattern(glob: string): TagPattern | undefined {
  const [before, after, ...more] = glob.split("*");
  // Control characters are in no option.
  const isName = !/[\s~^:?[\\]|\.\.|@\{|\/\/|^[/.-]/.test(glob);
  if (after === undefined || more.length > 0 || !isName) return undefined;
  return {
    glob,
    versionOf: (tag) => {
      const isMeant = tag.startsWith(before!) && tag.endsWith(after) &&
        tag.length >= before!.length + after.length;
      return isMeant
        ? parseVersion(tag.slice(before!.length, tag.length - after.length))
        : undefined;
    },
  };
}
