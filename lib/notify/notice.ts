/**
 * A notice: one event with everything that is known about it. The webhook gets
 * it unchanged (docs/notifications.md), so its fields are never renamed.
 *
 * @module
 */
import { redact } from "../base/redact.ts";
import { oneLine, short } from "../base/text.ts";
import {
  type EventName,
  severities,
  type Severity,
} from "../config/notify_kinds.ts";
import type { Config } from "../config/schema.ts";

/** One event. Texts are safe to show and hold no secret. */
export interface Notice {
  version: 1;
  /**
   * The same for each delivery of the event, so receivers can detect
   * duplicates.
   */
  id: string;
  event: EventName | "test";
  severity: Severity;
  host: string;
  repository: string;
  ref: string;
  /** When it happened, RFC 3339 in UTC. */
  at: string;
  /** When a lasting event began. */
  since?: string;
  /** In a few words. */
  summary: string;
  revision?: string;
  subject?: string;
  author?: string;
  system?: string;
  stage?: string;
  reason?: string;
  message?: string;
  exit?: number;
  hints?: readonly string[];
  /** The event that is over, with the id of its beginning. */
  about?: { event: EventName; id: string; summary: string; severity: Severity };
  link?: string;
}

/** The fields of an event that not every event has. */
export type NoticeParts = Omit<
  Notice,
  "version" | "host" | "repository" | "ref" | "at" | "link"
>;

/** The longest text of a field; a message of Nix may be long. */
const longest = 2000;

/** Makes a notice of this host, with its texts sanitized. */
export function noticeOf(
  config: Pick<Config, "host" | "repository" | "ref" | "notify.link">,
  at: Date,
  parts: NoticeParts,
): Notice {
  const safe = Object.fromEntries(
    Object.entries(parts).filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, safeValue(value)]),
  ) as unknown as NoticeParts;
  const link = linkTo(config, parts.revision);
  return {
    version: 1,
    ...safe,
    host: config.host,
    repository: redact(config.repository),
    ref: config.ref,
    at: timeText(at),
    ...(link === undefined ? {} : { link }),
  };
}

function safeValue(value: unknown): unknown {
  if (typeof value === "string") return oneLine(redact(value), longest);
  if (Array.isArray(value)) return value.map(safeValue);
  return value;
}

/** Returns the link for a revision, or `undefined` without `notify.link`. */
export function linkTo(
  config: Pick<Config, "host" | "ref" | "notify.link">,
  revision: string | undefined,
): string | undefined {
  const template = config["notify.link"];
  if (template === undefined || revision === undefined) return undefined;
  const { host, ref } = config;
  return filled(template, { host, ref, revision });
}

/**
 * Replaces each `{field}` by its value. A field without a value becomes empty.
 */
export function filled(
  template: string,
  values: Readonly<Record<string, string | undefined>>,
): string {
  return template.replace(
    /\{([a-z]+)\}/g,
    (_, name) => Object.hasOwn(values, name) ? values[name] ?? "" : "",
  );
}

/** RFC 3339 in UTC, without fractions of a second. */
export function timeText(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

/** Returns a time as the prefix of an id: readable, and sortable. */
export function stampOf(time: Date): string {
  return time.toISOString().slice(0, 19).replace(/[-:]/g, "")
    .replace("T", "-");
}

/** Returns the name of a revision in a summary. */
export function nameOf(revision: string, subject = ""): string {
  return subject === ""
    ? short(revision)
    : `${short(revision)} "${oneLine(subject, 60)}"`;
}

/** Reports whether a severity is at least another one. */
export function isAtLeast(severity: Severity, least: Severity): boolean {
  return severities.indexOf(severity) >= severities.indexOf(least);
}
