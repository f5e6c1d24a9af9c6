/**
 * Lists that a forge gives a page at a time.
 *
 * @module
 */
import { getJson } from "../base/get.ts";
import { type Forge, headersFor } from "./headers.ts";

/** How a list is asked for. */
export interface Asking {
  token: string | undefined;
  /** Certificate authorities in PEM, beside the usual ones. */
  ca: string | undefined;
  /** Ends it, whatever page it is at. */
  signal: AbortSignal;
  now: Date;
}

/** A list, and how its pages are read. */
export interface Listing<T> extends Asking {
  forge: Forge;
  /** Without the parameters of the page. */
  url: string;
  /** The entries of a page; `undefined` where it is not of the known form. */
  entriesOf: (page: unknown) => readonly unknown[] | undefined;
  /** What an entry says; `undefined` where it is not of the known form. */
  read: (entry: unknown) => T | undefined;
}

/** All entries, or why there are none. */
export type Listed<T> =
  | { entries: readonly T[]; why?: never }
  /** `isOdd`: it answered, and that is no list of a forge. */
  | { why: string; after?: number; isOdd?: true };

/** More is no list that anybody reads. */
const mostPages = 50;

/** What a page may have at most, by the documentation of each forge. */
const pageSizes: Readonly<Record<Forge, { name: string; size: number }>> = {
  github: { name: "per_page", size: 100 },
  gitlab: { name: "per_page", size: 100 },
  gitea: { name: "limit", size: 50 },
  forgejo: { name: "limit", size: 50 },
};

/**
 * Gets all pages. A list that does not end, or one of which a part is missing,
 * is none: what is missing may be what matters.
 */
export async function allPages<T>(listing: Listing<T>): Promise<Listed<T>> {
  const { forge, url, token, ca, signal, now, entriesOf, read } = listing;
  const { name, size } = pageSizes[forge];
  const all = new Map<string, T>();
  for (let page = 1; page <= mostPages; page++) {
    const mark = url.includes("?") ? "&" : "?";
    const got = await getJson({
      url: `${url}${mark}${name}=${size}&page=${page}`,
      headers: headersFor(forge, token),
      ca,
      signal,
    }, now);
    if (got.why !== undefined) return got;
    const found = entriesOf(got.json)?.map(read);
    if (!found || found.includes(undefined)) {
      return {
        why: "its answer does not have the documented format",
        isOdd: true,
      };
    }
    const before = all.size;
    for (const entry of found) all.set(JSON.stringify(entry), entry!);
    const isFresh = all.size > before;
    const isFull = found.length >= size;
    if (!isFresh || isLast(forge, isFull, all.size, got)) {
      return { entries: [...all.values()] };
    }
  }
  return { why: `its list has more than ${mostPages} pages`, isOdd: true };
}

/**
 * Whether no page follows. GitHub and GitLab fill each page but the last one,
 * and name the next one in `Link`. An administrator of Gitea or Forgejo may make
 * pages shorter, and their `total_count` counts the page. So there the first
 * page without anything new is the end; it is the end everywhere, because a
 * server that ignores the number of the page gives the first one again.
 */
function isLast(
  forge: Forge,
  isFull: boolean,
  many: number,
  { json, headers }: { json: unknown; headers: Headers },
): boolean {
  if (forge === "gitea" || forge === "forgejo") return false;
  const { total_count: total } = json as { total_count?: unknown };
  const isMore = typeof total === "number" && total > many;
  const isNamed = /;\s*rel="?next"?/i.test(headers.get("Link") ?? "");
  return !isFull && !isMore && !isNamed;
}
