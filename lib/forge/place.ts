/**
 * Where the interface of a forge is, and which project there: worked out from
 * the URL of the repository unless the configuration says it.
 *
 * @module
 */
import { forgeHost } from "../base/names.ts";
import type { LocalConfig } from "../config/config.ts";

/** A project at a forge. */
export interface Place {
  /** The address of the interface, without a slash at its end. */
  api: string;
  /** `owner/name`, for GitLab perhaps with groups before. */
  project: string;
}

/** Below the forge's own address; GitHub itself has another one for it. */
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

/** The place, or `undefined` where a part of it is known by nothing. */
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

/** Host and path of a URL that Git takes; nothing for a path of this machine. */
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
  // The port of a forge's web pages, and not that of its ssh.
  const isWeb = parsed.protocol === "https:" || parsed.protocol === "http:";
  const host = isWeb ? parsed.host : forgeHost(parsed.hostname);
  return { host, path: plain(decoded(parsed.pathname)) };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // A % that stands for itself.
    return path;
  }
}

const plain = (path: string) =>
  path.replace(/^\/+/, "").replace(/\/+$/, "").replace(/\.git$/, "");
