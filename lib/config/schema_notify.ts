/**
 * The options of who is told (docs/notifications.md): a part of the list in
 * schema.ts.
 *
 * @module
 */
import { choice, duration, path, text } from "./kinds.ts";
import type { Option } from "./option.ts";
import {
  type EventName,
  events,
  lineTemplate,
  linkTemplate,
  promFile,
  receiver,
  severities,
  type Severity,
  templateFields,
  textTemplate,
} from "./notify_kinds.ts";

const eventsOf = (receiver: string): Option<readonly EventName[]> => ({
  kind: events,
  preset: [],
  text:
    `The events that ${receiver} gets, e.g. \`[failed, needs-person, recovered]\`; all, if none is given.`,
});

const severityOf = (receiver: string): Option<Severity> => ({
  kind: choice(...severities),
  preset: "info",
  text:
    `The least severity that ${receiver} gets. The end of a fault has the severity of its beginning here.`,
});

/** The options, in the order of the documentation. */
export const notifyOptions = {
  "notify.apprise.urlsFile": {
    kind: path,
    text:
      "A configuration file of Apprise, text or YAML, with the URLs of the services that get messages. The program `apprise` must be on PATH; the NixOS module sees to that. The URLs hold tokens: the file is for root alone.",
  } as Option<string | undefined>,
  "notify.apprise.events": eventsOf("Apprise"),
  "notify.apprise.severity": severityOf("Apprise"),
  "notify.webhook.url": {
    kind: receiver,
    text:
      "A URL that gets each event as JSON. The URL is no secret here: put one that holds a token into `notify.apprise.urlsFile`.",
  } as Option<string | undefined>,
  "notify.webhook.secretFile": {
    kind: path,
    text:
      "A file with the key by which each request to `notify.webhook.url` is signed (HMAC-SHA256, header `X-Signature`).",
  } as Option<string | undefined>,
  "notify.webhook.events": eventsOf("the webhook"),
  "notify.webhook.severity": severityOf("the webhook"),
  "notify.alertmanager.url": {
    kind: receiver,
    text:
      "An Alertmanager, e.g. `https://alerts.example.org`. It gets what lasts (faults, drift, a reboot that is due) as alerts, and their end.",
  } as Option<string | undefined>,
  "notify.alertmanager.tokenFile": {
    kind: path,
    text:
      "A file with a token for `notify.alertmanager.url`, where a proxy asks for one (`Authorization: Bearer`).",
  } as Option<string | undefined>,
  "notify.alertmanager.events": eventsOf("Alertmanager"),
  "notify.alertmanager.severity": severityOf("Alertmanager"),
  "notify.caFile": {
    kind: path,
    text:
      "Certificate authorities (PEM) that the webhook, Alertmanager and the forge are trusted by, beside those that Deno brings.",
  } as Option<string | undefined>,
  "notify.title": {
    kind: lineTemplate,
    preset: "{host}: {summary}",
    text: `The title of a message, with fields in braces: ${
      templateFields.map((field) => `\`{${field}}\``).join(", ")
    }.`,
  } as Option<string>,
  "notify.body": {
    kind: textTemplate,
    preset: "{text}",
    text:
      "The text of a message, with the same fields; it may have several lines.",
  } as Option<string>,
  "notify.link": {
    kind: linkTemplate,
    text:
      "Where more is to be read about a revision, e.g. `https://git.example.org/infra/commit/{revision}`. It is the link of messages and of commit statuses.",
  } as Option<string | undefined>,
  "notify.suspendedAfter": {
    kind: duration,
    preset: "7d",
    text:
      "How long a host may be suspended before that is told (event `suspended`).",
  } as Option<number>,
  "notify.by": {
    kind: choice("run", "unit"),
    preset: "run",
    text:
      "Who delivers messages. `run`: each run tries for at most 30 seconds once it has ended. `unit`: a unit that runs `gitops-sync notify`; the NixOS module has one and sets this.",
  } as Option<"run" | "unit">,
  "commitStatus.forge": {
    kind: choice("none", "github", "gitlab", "gitea", "forgejo"),
    preset: "none",
    text:
      "The forge that is told how the deployment of a commit went here, as the status `gitops-sync/HOST` of that commit.",
  } as Option<"none" | "github" | "gitlab" | "gitea" | "forgejo">,
  "commitStatus.tokenFile": {
    kind: path,
    text:
      "A file with the token for `commitStatus.forge`. It needs the right to set statuses alone (GitHub: `Commit statuses: write`; GitLab: `api` as Developer; Gitea and Forgejo: `write:repository`).",
  } as Option<string | undefined>,
  "commitStatus.url": {
    kind: receiver,
    presetText: "worked out: the URL of `repository` tells it",
    text:
      "The address of the forge's API, e.g. `https://git.example.org/api/v1`.",
  } as Option<string | undefined>,
  "commitStatus.project": {
    kind: text,
    presetText: "worked out: the URL of `repository` tells it",
    text: "The project at the forge, e.g. `team/infra`.",
  } as Option<string | undefined>,
  "metrics.textfile": {
    kind: promFile,
    text:
      "A file ending in `.prom` in the folder of node_exporter's textfile collector, e.g. `/var/lib/node-exporter/gitops-sync.prom`. Metrics are written there after each run that did something; a run with nothing to do writes the time of the check beside it (`gitops-sync-check.prom`).",
  } as Option<string | undefined>,
} as const;
