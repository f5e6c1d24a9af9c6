/**
 * Signed notes: a person's permission for many hosts, stored in the repository.
 * A note names everything that it applies to, so that it is valid nowhere else.
 *
 * @module
 */
import { isRevision } from "../base/names.ts";
import { isOfAny } from "../base/pattern.ts";
import { repositoryParts } from "../forge/place.ts";

/**
 * The namespace of the signatures, so that signatures of Git are not valid
 * here.
 */
export const noteNamespace = "gitops-sync-approve";

/** The action that a note allows. */
export type NoteOperation = "approve" | "accept";

/** The content of a note. */
export interface Note {
  version: 1;
  operation: NoteOperation;
  /** As {@linkcode repositoryName} returns it. */
  repository: string;
  /** The ref that the hosts follow, as in their configuration. */
  ref: string;
  /** The full revision. */
  revision: string;
  /**
   * For `accept`: the full revisions that the ref may be moved away from. Empty
   * for `approve`.
   */
  from: readonly string[];
  /** Names and patterns of hosts. */
  hosts: readonly string[];
  /** When it was signed and when it expires, ISO 8601. */
  at: string;
  until: string;
  /** Why, for people; may be empty. */
  reason: string;
}

/** The longest note, in bytes. */
export const mostNote = 8192;

/** The longest validity of a note, in milliseconds. */
export const longestNote = 90 * 24 * 3_600_000;

/**
 * Returns the name of a repository, whatever URL is used: server and path.
 * People and hosts may use different URLs of the same repository.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { repositoryName } from "./note.ts";
 *
 * const name = "git.example.org/team/infra";
 * assertEquals(repositoryName("git@git.example.org:team/infra.git"), name);
 * assertEquals(repositoryName("https://git.example.org/team/infra"), name);
 * ```
 */
export function repositoryName(url: string): string {
  const found = url.startsWith("/") ? undefined : repositoryParts(url);
  if (found) return `${found.host}/${found.path}`;
  const path = url.replace(/^file:\/\//, "");
  return `file:${path.replace(/\/+$/, "").replace(/\.git$/, "")}`;
}

/** Returns the exact text that is signed. */
export function noteText(note: Note): string {
  const { version, operation, repository, ref, revision, from } = note;
  const { hosts, at, until, reason } = note;
  const ordered = { version, operation, repository, ref, revision, from };
  return `${
    JSON.stringify({ ...ordered, hosts, at, until, reason }, null, 2)
  }\n`;
}

/**
 * Reads a note with a good signature.
 *
 * @returns the note, or what is wrong with it (completes "the note …"). The
 * text must be exactly what this program would have written.
 */
export function readNote(bytes: Uint8Array): Note | string {
  if (bytes.length > mostNote) return "is too long";
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const note: Note = JSON.parse(text);
    if (!isNote(note)) return "has an unexpected format";
    return noteText(note) === text ? note : "has an unexpected format";
  } catch {
    return "can't be read";
  }
}

function isNote(note: Note): boolean {
  if (typeof note !== "object" || note === null) return false;
  const isText = (one: unknown, most: number) =>
    typeof one === "string" && one.length <= most;
  const { version, operation, repository, ref, revision, from } = note;
  return version === 1 &&
    (operation === "approve" || operation === "accept") &&
    isText(repository, 1000) && isText(ref, 300) &&
    isText(revision, 64) && isRevision(revision) &&
    isList(from, (one) => isText(one, 64) && isRevision(one)) &&
    (operation === "accept") === (from.length > 0) &&
    isList(note.hosts, (one) => isText(one, 100)) && note.hosts.length > 0 &&
    isTime(note.at) && isTime(note.until) && isText(note.reason, 500);
}

function isList(list: unknown, isIt: (one: string) => boolean): boolean {
  return Array.isArray(list) && list.length <= 200 && list.every(isIt);
}

const isTime = (text: unknown) =>
  typeof text === "string" &&
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) &&
  Number.isFinite(Date.parse(text));

/** What a note must name to be valid here. */
export interface NotePlace {
  operation: NoteOperation;
  /** The URL of the configuration. */
  repository: string;
  ref: string;
  host: string;
  revision: string;
  /** For `accept`: the revision that was deployed last from the ref. */
  from?: string | undefined;
}

/**
 * Returns why a note is not valid for a place and time (completes "the note
 * …"), or `undefined` if it is valid.
 */
export function whyNotFor(
  note: Note,
  place: NotePlace,
  now: Date,
): string | undefined {
  if (note.operation !== place.operation) return `is for ${note.operation}`;
  if (note.revision !== place.revision) return "is for another revision";
  if (note.repository !== repositoryName(place.repository)) {
    return `is for another repository (${note.repository})`;
  }
  if (note.ref !== place.ref) return `is for another ref (${note.ref})`;
  if (!isOfAny(note.hosts, place.host)) return "is for other hosts";
  if (
    note.operation === "accept" &&
    !(place.from !== undefined && note.from.includes(place.from))
  ) {
    return "is for a move from another revision";
  }
  const [at, until] = [Date.parse(note.at), Date.parse(note.until)];
  if (until - at > longestNote) return "is valid for longer than 90 days";
  return now.getTime() < until ? undefined : `expired at ${note.until}`;
}

/** The form of the file names of notes. */
const nameForm =
  /^(approve|accept)-([0-9a-f]{40}|[0-9a-f]{64})-(\d{8}T\d{6}Z)-[0-9a-f]{8}\.json$/;

/**
 * Returns the file name of a note; the file of its signature also ends in
 * `.sig`.
 */
export function noteName({ operation, revision, until }: Note): string {
  const compact = until.replace(/[-:]/g, "");
  const own = crypto.randomUUID().slice(0, 8);
  return `${operation}-${revision}-${compact}-${own}.json`;
}

/**
 * Returns what a file name says about its note. The signed text contains it as
 * well.
 */
export function noteOfName(
  name: string,
): Pick<Note, "operation" | "revision" | "until"> | undefined {
  const [, operation, revision, until] = nameForm.exec(name) ?? [];
  if (operation === undefined) return undefined;
  return {
    operation: operation as NoteOperation,
    revision: revision!,
    until: until!.replace(
      /^(....)(..)(..)T(..)(..)(..)Z$/,
      "$1-$2-$3T$4:$5:$6Z",
    ),
  };
}
