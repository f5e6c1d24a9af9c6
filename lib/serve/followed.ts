/**
 * Decides whether a push concerns this host: whether it follows that repository
 * and ref.
 *
 * @module
 */
import type { LocalConfig } from "../config/config.ts";
import { forgeHost } from "../base/names.ts";
import { isPattern } from "../config/tag_pattern.ts";
import type { Push } from "./push_event.ts";

/** The options that decide which pushes concern a host. */
export type Followed = Pick<LocalConfig, "repository" | "mirrors" | "ref">;

/**
 * Returns why a push does not concern this host.
 *
 * @returns `undefined` if it does.
 */
export function whyNotFollowed(
  push: Push,
  { repository, mirrors, ref }: Followed,
): string | undefined {
  const own = [repository ?? "", ...mirrors.map(({ url }) => url)].map(placeOf);
  if (!push.urls.map(placeOf).some((place) => own.includes(place))) {
    return "the push is to a repository that this host does not follow";
  }
  return push.refs.some((name) => isFollowed(name, ref))
    ? undefined
    : "the push is to a branch or tag that this host does not follow";
}

/**
 * Reports whether a name may be followed. If in doubt it is: the run then finds
 * nothing new.
 */
function isFollowed(name: string, ref: string): boolean {
  if (isPattern(ref)) return name.startsWith("refs/tags/");
  return name === ref || name === `refs/heads/${ref}` ||
    name === `refs/tags/${ref}`;
}

/**
 * Returns the same text for every URL of a repository: host and path. A forge
 * names several URLs, and a host may follow any of them.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { placeOf } from "./followed.ts";
 *
 * assertEquals(placeOf("git@git.example.org:me/infra.git"), "git.example.org/me/infra");
 * assertEquals(placeOf("https://git.example.org:8443/me/infra"), "git.example.org/me/infra");
 * ```
 */
export function placeOf(url: string): string {
  const scp = /^(?:[\w.-]+@)?([\w.-]+):(?!\/\/)(.*)$/.exec(url);
  const parsed = scp ? undefined : URL.parse(url);
  const host = scp ? scp[1]! : parsed?.hostname ?? "";
  const path = scp ? scp[2]! : parsed?.pathname ?? url;
  const name = decoded(path).replace(/^\/+/, "").replace(/\/+$/, "")
    .replace(/\.git$/, "");
  // Forges ignore the case of paths, and an unneeded run does no harm.
  return `${forgeHost(host)}/${name.toLowerCase()}`;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
