/**
 * Reads the hosts of a fleet from the statuses that they reported for a commit.
 *
 * @module
 */
import type { SyncError } from "../base/errors.ts";
import { isObject } from "../base/json.ts";
import { oneLine, short } from "../base/text.ts";
import { utc } from "../base/time.ts";
import type { Forge } from "../forge/headers.ts";
import { allPages, type Asking } from "../forge/pages.ts";
import type { Place } from "../forge/place.ts";
import { fleetError, unreachable } from "./ask.ts";
import { type FleetHost, type FleetState, unknownHost } from "./host.ts";

/** The prefix of the statuses of hosts. */
const context = "gitops-sync/";

/**
 * Returns the hosts that reported a status for a commit. A forge does not know
 * other hosts, or the current state of these.
 *
 * @throws {SyncError} exit 3, if a page is missing or can't be read.
 */
export async function hostsAtForge(
  forge: Forge,
  place: Place,
  revision: string,
  asking: Asking,
): Promise<FleetHost[]> {
  const listed = await allPages({
    ...asking,
    forge,
    url: place.api + pathOf(forge, place, revision),
    entriesOf: (page) => listIn(page, forge),
    read: statusOf,
  });
  if (listed.why !== undefined) throw failure(place, listed);
  const newest = new Map<string, Status>();
  for (const status of listed.entries) {
    const known = newest.get(status.name);
    if (!known || status.id >= known.id) newest.set(status.name, status);
  }
  return [...newest.values()]
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
  if (!isObject(json) || !("statuses" in json)) return undefined;
  // Gitea writes `null` for an empty list.
  const list = json["statuses"] ?? [];
  return Array.isArray(list) ? list : undefined;
}

/** A status, with the fields that all forges have. */
interface Status {
  name: string;
  state: string;
  description: string;
  at: string | null;
  id: number;
}

function statusOf(entry: unknown): Status | undefined {
  if (!isObject(entry)) return undefined;
  const name = entry["context"] ?? entry["name"];
  const state = entry["status"] ?? entry["state"];
  if (typeof name !== "string" || typeof state !== "string") return undefined;
  const { description, id } = entry;
  // Without an id, the newer one of two statuses is unknown.
  if (typeof id !== "number") return undefined;
  const time = entry["finished_at"] ?? entry["updated_at"] ??
    entry["created_at"];
  return {
    name,
    state,
    description: typeof description === "string" ? description : "",
    at: typeof time === "string" ? utc(time) ?? null : null,
    id,
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
    ...unknownHost(host, stands === "ok" ? "" : why || state),
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

/** Returns a host that reported no status for a commit. */
export function unreported(host: string, revision: string): FleetHost {
  return unknownHost(host, `it has reported no status for ${short(revision)}`);
}

function failure(
  { api }: Place,
  { why, isOdd }: { why: string; isOdd?: true },
): SyncError {
  const name = `the forge at ${api}`;
  return isOdd
    ? fleetError("fleet-answer", `Cannot use the answer of ${name}: ${why}`, [
      "check commitStatus.forge and commitStatus.url, or use Prometheus: gitops-sync fleet --fleet-prometheus URL",
    ])
    : unreachable(name, why);
}
