/**
 * Alertmanager's API, version 2. A lasting event is an alert. The same labels
 * with an end in the past resolve it.
 *
 * @module
 */
import { post, type Sent } from "../base/post.ts";
import type { LocalConfig } from "../config/config.ts";
import { messageOf } from "./message.ts";
import { type Notice, timeText } from "./notice.ts";
import { certificatesIn, tokenIn } from "./secret.ts";

/**
 * How long an unresolved alert stays active, in milliseconds. Each run sends it
 * again while the event lasts.
 */
const lasts = 24 * 3_600_000;

/** A test alert ends without a resolution. */
const testLasts = 5 * 60_000;

/** An alert in the format of Alertmanager. */
export interface Alert {
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
  startsAt: string;
  endsAt: string;
  generatorURL?: string;
}

/**
 * Delivers an event.
 *
 * @throws {BadFile} if the token or the certificates can't be used.
 */
export async function toAlertmanager(
  config: LocalConfig,
  notice: Notice,
  now: Date,
): Promise<Sent> {
  const tokenFile = config["notify.alertmanager.tokenFile"];
  const authorization = tokenFile === undefined ? {} : {
    "Authorization": `Bearer ${await tokenIn(
      tokenFile,
      "notify.alertmanager.tokenFile",
    )}`,
  };
  const base = config["notify.alertmanager.url"]!.replace(/\/+$/, "");
  return await post({
    url: `${base}/api/v2/alerts`,
    headers: { "User-Agent": "gitops-sync", ...authorization },
    body: JSON.stringify([alertOf(config, notice, now)]),
    ca: await certificatesIn(config["notify.caFile"]),
  }, now);
}

/**
 * Returns the alert of an event. The labels are those of its beginning, because
 * they identify the alert.
 */
export function alertOf(
  config: Pick<LocalConfig, "notify.title" | "notify.body">,
  notice: Notice,
  now: Date,
): Alert {
  const { about, host, since, at, event, severity } = notice;
  const { title, body } = messageOf(config, notice);
  const begun = about ?? { event, severity, id: notice.id };
  return {
    labels: {
      alertname: nameOf(begun.event),
      host,
      event: begun.event,
      severity: begun.severity,
      // A later fault of the same kind is a new alert.
      id: begun.id,
    },
    annotations: {
      summary: title,
      description: body,
      ...(notice.revision === undefined ? {} : { revision: notice.revision }),
    },
    ...spanOf(since ?? at, notice, now),
    ...(notice.link === undefined ? {} : { generatorURL: notice.link }),
  };
}

/**
 * Returns start and end. The clock may have been set back since they were
 * recorded. Alertmanager refuses an alert that ends before it starts, and
 * treats an alert with a future end as active.
 */
function spanOf(
  since: string,
  { about, at, event }: Notice,
  now: Date,
): Pick<Alert, "startsAt" | "endsAt"> {
  if (about) {
    const endsAt = earlier(at, timeText(now));
    return { startsAt: earlier(since, endsAt), endsAt };
  }
  const span = event === "test" ? testLasts : lasts;
  return {
    startsAt: earlier(since, timeText(now)),
    endsAt: timeText(new Date(now.getTime() + span)),
  };
}

/** Returns the earlier of two times in the same format. */
const earlier = (one: string, other: string) => one < other ? one : other;

/** `needs-person` becomes `GitopsSyncNeedsPerson`. */
function nameOf(event: string): string {
  const words = event.split("-").map((word) =>
    word[0]!.toUpperCase() + word.slice(1)
  );
  return `GitopsSync${words.join("")}`;
}
