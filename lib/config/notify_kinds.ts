/**
 * The kinds of values that the options of notifications have.
 *
 * @module
 */
import { isOpen, type Kind, path, texts } from "./kinds.ts";

/** The events of messages. docs/notifications.md says when each is sent. */
export const eventNames = [
  "deployed",
  "failed",
  "rolled-back",
  "needs-person",
  "held",
  "recovered",
  "unreachable",
  "reboot-due",
  "reboot-done",
  "drift",
  "suspended",
  "approval-wanted",
  "gate-closed",
  "gates-skipped",
  "slot-wanted",
  "slot-kept",
  "unfollowed",
] as const;

/** The name of an event. */
export type EventName = (typeof eventNames)[number];

/** The severities of events, the lowest first. */
export const severities = ["info", "warning", "error", "critical"] as const;

/** One of {@linkcode severities}. */
export type Severity = (typeof severities)[number];

/** The fields that a template may name. */
export const templateFields = [
  "host",
  "event",
  "severity",
  "summary",
  "text",
  "at",
  "since",
  "repository",
  "ref",
  "revision",
  "short",
  "subject",
  "author",
  "system",
  "stage",
  "reason",
  "message",
  "hints",
  "link",
] as const;

/** The name of a field. */
export type TemplateField = (typeof templateFields)[number];

/** Several events. */
export const events: Kind<readonly EventName[]> = {
  name: "list of events",
  expected: `a list of events, each one of ${eventNames.join(", ")}`,
  read: (value) => {
    const names = texts.read(value);
    const isKnown = names?.every((name) =>
      (eventNames as readonly string[]).includes(name)
    );
    return isKnown ? names as readonly EventName[] : undefined;
  },
  isList: true,
};

/** A text with fields in braces. */
function templateOf(
  known: readonly string[],
  mayBreak: boolean,
): Kind<string> {
  return {
    name: "template",
    expected: `a text with fields such as {host}; the fields are ${
      known.join(", ")
    }`,
    read: (value) => {
      if (typeof value !== "string" || value.trim() === "") return undefined;
      // deno-lint-ignore no-control-regex
      const unsafe = /[\u0000-\u0009\u000b-\u001f\u007f]/;
      if (unsafe.test(value) || (!mayBreak && value.includes("\n"))) {
        return undefined;
      }
      const fields = [...value.matchAll(/\{([^{}]*)\}/g)];
      return fields.every(([, name]) => known.includes(name!))
        ? value
        : undefined;
    },
  };
}

/** A template of one line. */
export const lineTemplate = templateOf(templateFields, false);

/** A template that may have several lines. */
export const textTemplate = templateOf(templateFields, true);

const ofLink = templateOf(["host", "revision", "ref"], false);

/** A template of a web address. */
export const linkTemplate: Kind<string> = {
  ...ofLink,
  name: "template of a URL",
  expected:
    "a URL such as https://git.example.org/infra/commit/{revision}; the fields are host, revision, ref",
  read: (value) => {
    const read = ofLink.read(value);
    return read !== undefined && /^https?:\/\/[^\s@]+$/.test(read)
      ? read
      : undefined;
  },
};

/** The address of a server that receives secrets. */
export const receiver: Kind<string> = {
  name: "URL of a server",
  expected:
    "a URL that begins with https:// and contains no user or password (http:// only for this machine: localhost, 127.0.0.1, [::1])",
  read: (value) => {
    if (typeof value !== "string" || /\s/.test(value)) return undefined;
    const url = URL.parse(value);
    if (!url || url.username !== "" || url.hash !== "") return undefined;
    const isSafe = url.protocol === "https:" ||
      url.protocol === "http:" && !isOpen(value);
    return isSafe ? value : undefined;
  },
};

/** A file that the textfile collector reads. */
export const promFile: Kind<string> = {
  name: "path",
  expected:
    "an absolute path that ends in .prom such as /var/lib/node-exporter/gitops-sync.prom",
  read: (value) => {
    const read = path.read(value);
    return read !== undefined && /[^/]\.prom$/.test(read) ? read : undefined;
  },
};
