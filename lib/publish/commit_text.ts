/**
 * Makes the message of a commit that publishes systems. Pure.
 *
 * @module
 */
import { isRevision } from "../base/names.ts";
import { count, oneLine, short } from "../base/text.ts";
import type { Update } from "./place.ts";
import type { Source } from "./source.ts";

/** The prefix of the published commit's hash, on its own line. */
const trailer = "Published-From: ";

/** The limit of named hosts. */
const mostNamed = 20;

/** The changes of a commit. */
interface Changes {
  /** Hosts with a new system. */
  changed: readonly string[];
  /** Hosts that were removed. */
  removed: readonly string[];
  update: Update;
}

/** Returns the message. Its subject names the published commit. */
export function commitText(
  { revision, subject }: Source,
  { changed, removed, update: { failed } }: Changes,
): string {
  const reasons = [...failed].map(([host, reason]) => `${host} (${reason})`);
  return [
    `Publish ${short(revision)}: ${oneLine(subject, 200)}`,
    "",
    changed.length === 0
      ? "The system of every host is unchanged."
      : `${count(changed.length, "host")} with a new system: ${
        named(changed)
      }.`,
    ...reasons.length > 0
      ? [`Not published, and unchanged: ${named(reasons)}.`]
      : [],
    ...removed.length > 0 ? [`Removed: ${named(removed)}.`] : [],
    "",
    `${trailer}${revision}`,
    "",
  ].join("\n");
}

function named(hosts: readonly string[]): string {
  const more = hosts.length - mostNamed;
  return hosts.slice(0, mostNamed).join(", ") +
    (more > 0 ? ` and ${more} more` : "");
}

/** Returns the published commit that a message names. */
export function publishedFrom(text: string): string | undefined {
  const last = text.trimEnd().split("\n").at(-1) ?? "";
  const revision = last.startsWith(trailer) ? last.slice(trailer.length) : "";
  return isRevision(revision) ? revision : undefined;
}
