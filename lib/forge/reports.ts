/**
 * The reports of a forge about a commit: its statuses and check runs, the
 * newest of each.
 *
 * As documented by GitHub, GitLab, Gitea and Forgejo.
 *
 * @module
 */
import { isObject, type JsonObject } from "../base/json.ts";
import { oneLine } from "../base/text.ts";
import type { Forge } from "./headers.ts";
import { allPages, type Asking, type Listed } from "./pages.ts";
import type { Place } from "./place.ts";

/** The newest report under one name. */
export interface Report {
  name: string;
  /** `skipped`: it did not run on purpose, and does not count. */
  state: "success" | "skipped" | "other";
  /** The state as the forge names it. */
  said: string;
}

/** The newest reports, or why they are unknown. */
export type Reported =
  | { reports: readonly Report[]; why?: never }
  | { why: string; after?: number };

/** A report as received, with the data that identifies the newest one. */
interface Raw extends Report {
  /** Identifies the check. */
  key: string;
  id: number;
  revision: string | undefined;
}

/** Gets all reports for a commit. */
export async function reportsOf(
  forge: Forge,
  { api, project }: Place,
  revision: string,
  asking: Asking,
): Promise<Reported> {
  const path = project.split("/").map(encodeURIComponent).join("/");
  const commits = `${api}/repos/${path}/commits/${revision}`;
  const list = async (
    url: string,
    key: string | undefined,
    read: (entry: JsonObject) => Raw | undefined,
  ) =>
    newestOf(
      await allPages({
        ...asking,
        forge,
        url,
        entriesOf: (page) => listIn(page, key, revision),
        read: (entry) => isObject(entry) ? read(entry) : undefined,
      }),
      revision,
    );
  switch (forge) {
    case "gitlab": {
      const id = encodeURIComponent(project);
      const url =
        `${api}/projects/${id}/repository/commits/${revision}/statuses`;
      return await list(url, undefined, fromGitLab);
    }
    case "github":
      return together(
        await Promise.all([
          list(`${commits}/status`, "statuses", fromGit),
          list(`${commits}/check-runs?filter=latest`, "check_runs", fromRun),
        ]),
      );
    default:
      return await list(`${commits}/status`, "statuses", fromGit);
  }
}

/** Merges lists. If one is missing, the result is incomplete. */
function together(parts: readonly Reported[]): Reported {
  const reports: Report[] = [];
  for (const part of parts) {
    if (part.why !== undefined) return part;
    reports.push(...part.reports);
  }
  return { reports };
}

/**
 * Returns the list of a page about this commit. Gitea writes `null` for an
 * empty one.
 */
function listIn(
  page: unknown,
  key: string | undefined,
  revision: string,
): readonly unknown[] | undefined {
  if (key === undefined) return Array.isArray(page) ? page : undefined;
  if (!isObject(page) || !(key in page)) return undefined;
  const { sha = revision } = page;
  const list = page[key] ?? [];
  return Array.isArray(list) && (sha === revision || sha === "")
    ? list
    : undefined;
}

/** Returns the newest report of each check. */
function newestOf(listed: Listed<Raw>, revision: string): Reported {
  if (listed.why !== undefined) return listed;
  const newest = new Map<string, Raw>();
  for (const report of listed.entries) {
    if (report.revision !== undefined && report.revision !== revision) {
      return { why: "its answer is about another commit" };
    }
    const known = newest.get(report.key);
    if (!known || report.id > known.id) newest.set(report.key, report);
  }
  return {
    reports: [...newest.values()]
      .map(({ name, state, said }) => ({ name, state, said })),
  };
}

/**
 * Reads a commit status of GitHub, Gitea or Forgejo. They have two names for
 * its state.
 */
function fromGit(entry: JsonObject): Raw | undefined {
  const { context, state, status, id } = entry;
  const said = state ?? status;
  if (typeof context !== "string" || typeof said !== "string") return undefined;
  return raw(context, context, said, said === "success", id, entry["sha"]);
}

function fromGitLab(entry: JsonObject): Raw | undefined {
  const { name, status, id, sha } = entry;
  if (typeof name !== "string" || typeof status !== "string") return undefined;
  return raw(name, name, status, status === "success", id, sha);
}

/**
 * Reads a check run of GitHub. Two workflows may have jobs with the same name,
 * so each check suite counts separately.
 */
function fromRun(entry: JsonObject): Raw | undefined {
  const { name, status, conclusion, id, head_sha, app, check_suite } = entry;
  if (typeof name !== "string" || typeof status !== "string") return undefined;
  const said = status === "completed" && typeof conclusion === "string"
    ? conclusion
    : status;
  const isGood = status === "completed" && conclusion === "success";
  const idOf = (one: unknown) => isObject(one) ? one["id"] : undefined;
  const key = JSON.stringify([name, idOf(app), idOf(check_suite)]);
  return raw(name, key, said, isGood, id, head_sha);
}

/** States of checks that did not run on purpose. */
const skipped = ["skipped", "neutral"];

function raw(
  name: string,
  key: string,
  said: string,
  isGood: boolean,
  id: unknown,
  revision: unknown,
): Raw | undefined {
  // Without an id, the newer one of two reports is unknown.
  if (typeof id !== "number") return undefined;
  return {
    name: oneLine(name, 255),
    key,
    state: isGood ? "success" : skipped.includes(said) ? "skipped" : "other",
    said: oneLine(said, 40),
    id,
    revision: typeof revision === "string" ? revision : undefined,
  };
}
