/**
 * The options of notifications (docs/notifications.md): a part of the list in
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
    `The events that ${receiver} gets, e.g. \`[failed, needs-person, recovered]\`. If the list is empty, it gets all events.`,
});

const severityOf = (receiver: string): Option<Severity> => ({
  kind: choice(...severities),
  preset: "info",
  text:
    `The lowest severity that ${receiver} gets. The end of a fault counts with the severity of its beginning.`,
});

/** The options, in the order of the documentation. */
export const notifyOptions = {
  "notify.apprise.urlsFile": {
    kind: path,
    text:
      "A configuration file of Apprise, text or YAML, with the URLs of the services that get messages. The program `apprise` must be on PATH; the NixOS module adds it. The URLs contain tokens, so make the file readable only by root.",
  } as Option<string | undefined>,
  "notify.apprise.events": eventsOf("Apprise"),
  "notify.apprise.severity": severityOf("Apprise"),
  "notify.webhook.url": {
    kind: receiver,
    text:
      "A URL that gets each event as JSON. This URL is not treated as a secret: put a URL with a token into `notify.apprise.urlsFile`.",
  } as Option<string | undefined>,
  "notify.webhook.secretFile": {
    kind: path,
    text:
      "A file with the key that signs each request to `notify.webhook.url` (HMAC-SHA256, header `X-Signature`).",
  } as Option<string | undefined>,
  "notify.webhook.events": eventsOf("the webhook"),
  "notify.webhook.severity": severityOf("the webhook"),
  "notify.alertmanager.url": {
    kind: receiver,
    text:
      "An Alertmanager, e.g. `https://alerts.example.org`. It gets lasting events (faults, drift, a due reboot) as alerts, and their end.",
  } as Option<string | undefined>,
  "notify.alertmanager.tokenFile": {
    kind: path,
    text:
      "A file with a token for `notify.alertmanager.url`, if a proxy requires one (`Authorization: Bearer`).",
  } as Option<string | undefined>,
  "notify.alertmanager.events": eventsOf("Alertmanager"),
  "notify.alertmanager.severity": severityOf("Alertmanager"),
  "notify.caFile": {
    kind: path,
    text:
      "Certificate authorities (PEM) to trust for the webhook, Alertmanager and the forge, in addition to those of Deno.",
  } as Option<string | undefined>,
  "notify.title": {
    kind: lineTemplate,
    preset: "{host}: {summary}",
    text: `The title of a message. These fields in braces are replaced: ${
      templateFields.map((field) => `\`{${field}}\``).join(", ")
    }.`,
  } as Option<string>,
  "notify.body": {
    kind: textTemplate,
    preset: "{text}",
    text:
      "The text of a message, with the same fields as `notify.title`. It may have more than one line.",
  } as Option<string>,
  "notify.link": {
    kind: linkTemplate,
    text:
      "A URL with more about a revision, e.g. `https://git.example.org/infra/commit/{revision}`. Messages and commit statuses link to it.",
  } as Option<string | undefined>,
  "notify.suspendedAfter": {
    kind: duration,
    preset: "7d",
    text:
      "How long a host may be suspended before the event `suspended` is sent.",
  } as Option<number>,
  "notify.by": {
    kind: choice("run", "unit"),
    preset: "run",
    text:
      "Who delivers messages. `run`: each run tries for at most 30 seconds after it has ended. `unit`: a unit that runs `gitops-sync notify` delivers them. The NixOS module has that unit and sets this value.",
  } as Option<"run" | "unit">,
  "commitStatus.forge": {
    kind: choice("none", "github", "gitlab", "gitea", "forgejo"),
    preset: "none",
    text:
      "The forge to which this host reports how the deployment of a commit went, as the status `gitops-sync/HOST` of that commit. `none` reports to no forge.",
  } as Option<"none" | "github" | "gitlab" | "gitea" | "forgejo">,
  "commitStatus.tokenFile": {
    kind: path,
    text:
      "A file with the token for `commitStatus.forge`. It needs only the right to set statuses (GitHub: `Commit statuses: write`; GitLab: `api` as Developer; Gitea and Forgejo: `write:repository`).",
  } as Option<string | undefined>,
  "commitStatus.url": {
    kind: receiver,
    presetText: "taken from the URL of `repository`",
    text:
      "The address of the forge's API, e.g. `https://git.example.org/api/v1`.",
  } as Option<string | undefined>,
  "commitStatus.project": {
    kind: text,
    presetText: "taken from the URL of `repository`",
    text: "The project at the forge, e.g. `team/infra`.",
  } as Option<string | undefined>,
  "metrics.textfile": {
    kind: promFile,
    text:
      "A file ending in `.prom` in the folder of node_exporter's textfile collector, e.g. `/var/lib/node-exporter/gitops-sync.prom`. Each run that did something writes metrics to it. A run with nothing to do only writes the time of the check, to a file beside it (`gitops-sync-check.prom`).",
  } as Option<string | undefined>,
} as const;
