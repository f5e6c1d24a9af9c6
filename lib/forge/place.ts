/**
 * Finds the API of a forge and the project there: from the configuration, or
 * else from the URL of the repository.
 *
 * @module
 */
import { forgeHost } from "../base/names.ts";
import type { LocalConfig } from "../config/config.ts";

/** A project at a forge. */
export interface Place {
  /** The address of the API, without a slash at its end. */
  api: string;
  /** `owner/name`, for GitLab perhaps with groups before it. */
  project: string;
}

/** Below the address of the forge. github.com has a separate address. */
const paths = {
  github: "/api/v3",
  gitlab: "/api/v4",
  gitea: "/api/v1",
  forgejo: "/api/v1",
} as const;

type Options = Pick<
  LocalConfig,
  | "repository"
  | "commitStatus.forge"
  | "commitStatus.url"
  | "commitStatus.project"
>;

/** Returns the place, or `undefined` if a part of it is unknown. */
export function placeOf(config: Options): Place | undefined {
  const forge = config["commitStatus.forge"];
  if (forge === "none") return undefined;
  const from = repositoryParts(config.repository ?? "");
  const project = config["commitStatus.project"] ?? from?.path;
  const api = config["commitStatus.url"] ?? (from && apiAt(from.host, forge));
  if (project === undefined || api === undefined) return undefined;
  return { api: api.replace(/\/+$/, ""), project };
}

function apiAt(host: string, forge: keyof typeof paths): string {
  return forge === "github" && host === "github.com"
    ? "https://api.github.com"
    : `https://${host}${paths[forge]}`;
}

/** Returns host and path of a Git URL, or `undefined` for a local path. */
export function repositoryParts(
  url: string,
): { host: string; path: string } | undefined {
  const [, scpHost, scpPath] = /^(?:[^@/:]+@)?([^/:]+):(?!\/\/)(.+)$/
    .exec(url) ?? [];
  if (scpHost && scpPath) {
    return { host: forgeHost(scpHost), path: plain(scpPath) };
  }
  const parsed = URL.parse(url);
  if (!parsed || parsed.hostname === "") return undefined;
  // Keep the port of web URLs, not that of SSH.
  const isWeb = parsed.protocol === "https:" || parsed.protocol === "http:";
  const host = isWeb ? parsed.host : forgeHost(parsed.hostname);
  return { host, path: plain(decoded(parsed.pathname)) };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // A literal %.
    return path;
  }
}

const plain = (path: string) =>
  path.replace(/^\/+/, "").replace(/\/+$/, "").replace(/\.git$/, "");
