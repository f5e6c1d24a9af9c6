/**
 * Reads a webhook: which repository was pushed to, and which refs moved. The
 * formats are those that the forges document for their push events.
 *
 * @module
 */
import { isObject, type JsonObject, parseJson } from "../base/json.ts";

/** A push to a repository. */
export interface Push {
  /** Every URL by which the event names the repository. */
  urls: readonly string[];
  /** The full names of the moved refs, e.g. `refs/heads/main`. */
  refs: readonly string[];
}

/** The event of a webhook. */
export type HookEvent =
  | { kind: "push"; push: Push }
  /**
   * It names no URL of a repository: the sender is no forge, or is Bitbucket.
   */
  | { kind: "signal" }
  /** Another event of a forge, e.g. `ping` or `issues`. */
  | { kind: "other"; name: string };

/**
 * The headers with the name of the event. Forgejo sends all except the last
 * two.
 */
const eventHeaders = [
  "x-forgejo-event",
  "x-gitea-event",
  "x-gogs-event",
  "x-github-event",
  "x-gitlab-event",
  "x-event-key",
];

/** The names of push events of all forges. */
const pushEvents = new Set([
  "push",
  "push hook",
  "tag push hook",
  "repo:push",
  "repo:refs_changed",
]);

/**
 * Reads the event of a webhook.
 *
 * @param body Its text.
 * @returns `undefined` for a push with an unknown format.
 */
export function readEvent(
  headers: Headers,
  body: string,
): HookEvent | undefined {
  const name = eventHeaders.map((header) => headers.get(header))
    .find((value) => value !== null);
  if (name === undefined || name === null) return { kind: "signal" };
  if (!pushEvents.has(name.toLowerCase())) return { kind: "other", name };
  const event = parseJson(jsonIn(headers, body));
  if (!isObject(event)) return undefined;
  const push = { urls: urlsOf(event), refs: refsOf(event) };
  if (push.urls.length === 0 && isWithoutUrls(event)) return { kind: "signal" };
  return push.urls.length > 0 && push.refs.length > 0
    ? { kind: "push", push }
    : undefined;
}

/** Returns the JSON. GitHub and Gitea may send it in a form field. */
function jsonIn(headers: Headers, body: string): string {
  const type = headers.get("content-type") ?? "";
  return /^application\/x-www-form-urlencoded\b/i.test(type)
    ? new URLSearchParams(body).get("payload") ?? ""
    : body;
}

const isText = (value: unknown): value is string => typeof value === "string";

/** The keys of the URLs of a repository. */
const urlKeys = [
  "clone_url",
  "ssh_url",
  "git_url",
  "html_url",
  "url",
  "git_http_url",
  "git_ssh_url",
  "homepage",
  "web_url",
];

function urlsOf(event: JsonObject): string[] {
  const named = [event.repository, event.project].filter(isObject);
  return named.flatMap((one) => [
    ...urlKeys.map((key) => one[key]),
    ...linksOf(one),
  ]).filter(isText);
}

/** Bitbucket: `links.html.href`. Its server also has lists in `links.clone`. */
function linksOf({ links }: JsonObject): unknown[] {
  if (!isObject(links)) return [];
  return Object.values(links).flat().filter(isObject).map(({ href }) => href);
}

/**
 * Reports whether a push of Bitbucket Server or Data Center names its
 * repository only by the key of a project and a short name, as some do. Such a
 * push starts a run: an unneeded run does no harm, a missing one does.
 */
function isWithoutUrls(event: JsonObject): boolean {
  const { eventKey, repository } = event;
  return eventKey === "repo:refs_changed" && isObject(repository) &&
    isText(repository.slug) && isObject(repository.project) &&
    isText(repository.project.key) && refsOf(event).length > 0;
}

function refsOf(event: JsonObject): string[] {
  if (isText(event.ref)) return [event.ref];
  const { push, changes } = event;
  // Bitbucket Cloud, and Bitbucket Server.
  const moved = isObject(push) ? push.changes : changes;
  return Array.isArray(moved)
    ? moved.filter(isObject).map(refOf).filter(isText)
    : [];
}

function refOf(change: JsonObject): string | undefined {
  const { ref } = change;
  if (isObject(ref)) return isText(ref.id) ? ref.id : undefined;
  // Bitbucket Server sends it twice.
  if (isText(change.refId)) return change.refId;
  const end = [change.new, change.old].find(isObject);
  if (!end || !isText(end.name)) return undefined;
  return `${end.type === "tag" ? "refs/tags/" : "refs/heads/"}${end.name}`;
}
