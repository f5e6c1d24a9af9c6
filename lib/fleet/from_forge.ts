/**
 * The hosts of a fleet by the statuses that they gave a commit at its forge.
 *
 * @module
 */
import { oneLine, short } from "../base/text.ts";
import { utc } from "../base/time.ts";
import type { Place } from "../forge/place.ts";
import { askJson, fleetError, type Server } from "./ask.ts";
import { type FleetHost, type FleetState, unheard } from "./host.ts";

/** A forge that gives statuses. */
export type Forge = "github" | "gitlab" | "gitea" | "forgejo";

/** What each status is called that a host gives. */
const context = "gitops-sync/";

/** More is no list that anybody reads. */
const mostPages = 50;

/** What a page has at most, by the documentation of each forge. */
const pages: Readonly<Record<Forge, { name: string; size: number }>> = {
  github: { name: "per_page", size: 100 },
  gitlab: { name: "per_page", size: 100 },
  gitea: { name: "limit", size: 50 },
  forgejo: { name: "limit", size: 50 },
};

/**
 * The hosts that gave a commit a status. Which hosts there are beside them, and
 * how they stand by now, a forge does not know.
 *
 * @throws {SyncError} exit 3, where a page is missing or not understood.
 */
export async function hostsAtForge(
  forge: Forge,
  server: Server,
  place: Place,
  revision: string,
): Promise<FleetHost[]> {
  const { name, size } = pages[forge];
  const path = pathOf(forge, place, revision);
  const found = new Map<string, Status>();
  const seen = new Set<string>();
  for (let page = 1;; page++) {
    if (page > mostPages) throw tooMany(server);
    const query = `${path}?${name}=${size}&page=${page}`;
    const { json, headers } = await askJson(server, query);
    const list = listIn(json, forge);
    if (!list) throw odd(server);
    const before = seen.size;
    for (const entry of list) {
      seen.add(JSON.stringify(entry));
      const status = statusOf(entry);
      if (!status) throw odd(server);
      const known = found.get(status.name);
      if (!known || status.id >= known.id) found.set(status.name, status);
    }
    const isNamed = /;\s*rel="?next"?/i.test(headers.get("Link") ?? "");
    // Pages of Gitea may be shorter than what was asked for.
    const isShort = list.length < size && !isNamed &&
      (forge === "github" || forge === "gitlab");
    if (seen.size === before || isShort) break;
  }
  return [...found.values()]
    .filter(({ name }) => name.startsWith(context) && name !== context)
    .map((status) => hostOf(status, revision));
}

function pathOf(forge: Forge, { project }: Place, revision: string): string {
  if (forge === "gitlab") {
    const id = encodeURIComponent(project);
    return `/projects/${id}/repository/commits/${revision}/statuses`;
  }
  const path = project.split("/").map(encodeURIComponent).join("/");
  return `/repos/${path}/commits/${revision}/status`;
}

function listIn(json: unknown, forge: Forge): unknown[] | undefined {
  if (forge === "gitlab") return Array.isArray(json) ? json : undefined;
  if (typeof json !== "object" || json === null) return undefined;
  if (!("statuses" in json)) return undefined;
  // Gitea writes `null` for an empty list.
  const list = json.statuses ?? [];
  return Array.isArray(list) ? list : undefined;
}

/** One status, as far as all forges have it. */
interface Status {
  name: string;
  state: string;
  description: string;
  at: string | null;
  id: number;
}

function statusOf(entry: unknown): Status | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const one = entry as Readonly<Record<string, unknown>>;
  const name = one["context"] ?? one["name"];
  const state = one["status"] ?? one["state"];
  if (typeof name !== "string" || typeof state !== "string") return undefined;
  const { description, id } = one;
  const time = one["finished_at"] ?? one["updated_at"] ?? one["created_at"];
  return {
    name,
    state,
    description: typeof description === "string" ? description : "",
    at: typeof time === "string" ? utc(time) ?? null : null,
    id: typeof id === "number" ? id : 0,
  };
}

function hostOf(
  { name, state, description, at }: Status,
  revision: string,
): FleetHost {
  const host = oneLine(name.slice(context.length), 100);
  const why = oneLine(description, 140);
  const stands = stateOf(state);
  return {
    ...unheard(host, stands === "ok" ? "" : why || state),
    state: stands,
    revision: stands === "ok" ? revision : null,
    seen: revision,
    since: stands === "ok" ? at : null,
    checkedAt: at,
  };
}

/** In the words of all forges. */
function stateOf(state: string): FleetState {
  switch (state) {
    case "success":
      return "ok";
    case "failure":
    case "failed":
    case "error":
      return "failing";
    case "pending":
    case "running":
      return "behind";
    default:
      return "unknown";
  }
}

/** A host that gave a commit no status. */
export function unreported(host: string, revision: string): FleetHost {
  return unheard(host, `it gave ${short(revision)} no status`);
}

function odd({ name }: Server) {
  return fleetError(
    "fleet-answer",
    `Cannot use the answer of ${name}: it is not that of the forge`,
    ["look at commitStatus.forge and commitStatus.url"],
  );
}

function tooMany({ name }: Server) {
  return fleetError(
    "fleet-answer",
    `Cannot use the answer of ${name}: it has more than ${mostPages} pages of statuses`,
    ["ask Prometheus in place of the forge: fleet.prometheus"],
  );
}
