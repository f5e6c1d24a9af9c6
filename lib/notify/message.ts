/**
 * Makes the title and the text of an event from the templates.
 *
 * @module
 */
import { short } from "../base/text.ts";
import type { TemplateField } from "../config/notify_kinds.ts";
import type { Config } from "../config/schema.ts";
import { filled, type Notice } from "./notice.ts";

/** A message for people. */
export interface Message {
  title: string;
  body: string;
}

/** Returns the message of an event. */
export function messageOf(
  config: Pick<Config, "notify.title" | "notify.body">,
  notice: Notice,
): Message {
  const fields = fieldsOf(notice);
  return {
    title: filled(config["notify.title"], fields).replace(/\s+/g, " ").trim(),
    body: filled(config["notify.body"], fields).trim() || notice.summary,
  };
}

function fieldsOf(
  notice: Notice,
): Readonly<Record<TemplateField, string | undefined>> {
  const { revision, hints = [] } = notice;
  return {
    host: notice.host,
    event: notice.event,
    severity: notice.severity,
    summary: notice.summary,
    text: textOf(notice),
    at: notice.at,
    since: notice.since,
    repository: notice.repository,
    ref: notice.ref,
    revision,
    short: revision === undefined ? undefined : short(revision),
    subject: notice.subject,
    author: notice.author,
    system: notice.system,
    stage: notice.stage,
    reason: notice.reason,
    message: notice.message,
    hints: hints.join("\n"),
    link: notice.link,
  };
}

/** Returns everything that is known, one fact a line. */
function textOf(notice: Notice): string {
  const { message, revision, subject, author, hints = [] } = notice;
  const what = subject ? `${revision} "${subject}"` : revision;
  const lines = [
    message,
    what && `revision: ${what}`,
    author && `author: ${author}`,
    notice.since && `since: ${notice.since}`,
    notice.about && `it began as: ${notice.about.summary}`,
    ...hints.map((hint) => `hint: ${hint}`),
    notice.link,
  ].filter((line) => line);
  return lines.length > 0 ? lines.join("\n") : notice.summary;
}
