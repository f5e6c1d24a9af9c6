/**
 * What a webhook tells: which repository was pushed to, and which of its names
 * moved. The forms are those that the forges document for their push events.
 *
 * @module
 */
import { isObject, type JsonObject, parseJson } from "../base/json.ts";

/** A push to a repository. */
export interface Push {
  /** Every URL by which the event names the repository. */
  urls: readonly string[];
  /** The full names that moved, e.g. `refs/heads/main`. */
  refs: readonly string[];
}

/** What a webhook is about. */
export type HookEvent =
  | { kind: "push"; push: Push }
  /** It names no repository by a URL: a sender that is no forge, or Bitbucket. */
  | { kind: "signal" }
  /** Another event of a forge, e.g. `ping` or `issues`. */
  | { kind: "other"; name: string };

/** Headers in which forges name the event. Forgejo sends all but the last two. */
const eventHeaders = [
  "x-forgejo-event",
  "x-gitea-event",
  "x-gogs-event",
  "x-github-event",
  "x-gitlab-event",
  "x-event-key",
];

/** Events about names that move, by the words of all forges. */
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
 * @returns `undefined` for a push that has not the form of any forge.
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

/** GitHub and Gitea may send the event as the field of a form. */
function jsonIn(headers: Headers, body: string): string {
  const type = headers.get("content-type") ?? "";
  return /^application\/x-www-form-urlencoded\b/i.test(type)
    ? new URLSearchParams(body).get("payload") ?? ""
    : body;
}

const isText = (value: unknown): value is string => typeof value === "string";

/** Where the forges name the URLs of a repository. */
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

/** Bitbucket: `links.html.href`; its server has lists of `links.clone` too. */
function linksOf({ links }: JsonObject): unknown[] {
  if (!isObject(links)) return [];
  return Object.values(links).flat().filter(isObject).map(({ href }) => href);
}

/**
 * Bitbucket Server and Data Center document a push that names its repository by
 * the key of a project and a short name alone, and send some so: one run too
 * many harms nobody, and one too few does.
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
  // Bitbucket's cloud, and its server.
  const moved = isObject(push) ? push.changes : changes;
  return Array.isArray(moved)
    ? moved.filter(isObject).map(refOf).filter(isText)
    : [];
}

function refOf(change: JsonObject): string | undefined {
  const { ref } = change;
  if (isObject(ref)) return isText(ref.id) ? ref.id : undefined;
  // Bitbucket's server says it twice.
  if (isText(change.refId)) return change.refId;
  const end = [change.new, change.old].find(isObject);
  if (!end || !isText(end.name)) return undefined;
  return `${end.type === "tag" ? "refs/tags/" : "refs/heads/"}${end.name}`;
}
