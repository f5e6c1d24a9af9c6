/**
 * Reads the paginated lists of a forge.
 *
 * @module
 */
import { getJson } from "../base/get.ts";
import { type Forge, headersFor } from "./headers.ts";

/** How a list is requested. */
export interface Asking {
  token: string | undefined;
  /** Certificate authorities in PEM, in addition to the usual ones. */
  ca: string | undefined;
  /** Ends it, at any page. */
  signal: AbortSignal;
  now: Date;
}

/** A list, and how its pages are read. */
export interface Listing<T> extends Asking {
  forge: Forge;
  /** Without the parameters of the page. */
  url: string;
  /** Returns the entries of a page, or `undefined` if its format is unknown. */
  entriesOf: (page: unknown) => readonly unknown[] | undefined;
  /** Reads an entry. Returns `undefined` if its format is unknown. */
  read: (entry: unknown) => T | undefined;
}

/** All entries, or why there are none. */
export type Listed<T> =
  | { entries: readonly T[]; why?: never }
  /** `isOdd`: it answered, but the answer is not a list of a forge. */
  | { why: string; after?: number; isOdd?: true };

/** The limit of pages. */
const mostPages = 50;

/** The largest page size, by the documentation of each forge. */
const pageSizes: Readonly<Record<Forge, { name: string; size: number }>> = {
  github: { name: "per_page", size: 100 },
  gitlab: { name: "per_page", size: 100 },
  gitea: { name: "limit", size: 50 },
  forgejo: { name: "limit", size: 50 },
};

/**
 * Gets all pages. A list that does not end, or that lacks a part, counts as no
 * list: the missing part may matter.
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
 * Reports whether this is the last page. GitHub and GitLab fill each page
 * except the last one, and name the next one in `Link`. An administrator of
 * Gitea or Forgejo may make pages shorter, and their `total_count` counts the
 * page. So there the first page without anything new is the end. It is the end
 * everywhere, because a server that ignores the page number returns the first
 * page again.
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
