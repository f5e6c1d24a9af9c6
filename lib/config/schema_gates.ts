/**
 * The options of gates (docs/fleet.md): a part of the list in schema.ts.
 *
 * @module
 */
import type { Argv } from "./checks.ts";
import {
  checkPatterns,
  command,
  type PrometheusGate,
  prometheusGates,
} from "./gate_kinds.ts";
import { choice, duration, path } from "./kinds.ts";
import type { Option } from "./option.ts";

/** The options, in the order of the documentation. */
export const gateOptions = {
  "gates.soak": {
    kind: duration,
    text:
      "How long a revision waits after this host first saw it, before it is activated. On a branch or a pattern of tags that moves more often, the newest revision that has waited so long is deployed. `sync --now` and `rollback` do not wait.",
  } as Option<number | undefined>,
  "gates.checks": {
    kind: checkPatterns,
    preset: [],
    text:
      "Names of commit statuses and check runs that must be successful for a revision before it is activated, e.g. `[ci/*, gitops-sync/canary-*]`; `*` stands for any characters. Each name must match at least one, and all that it matches must be successful.",
  } as Option<readonly string[]>,
  "gates.forge": {
    kind: choice("none", "github", "gitlab", "gitea", "forgejo"),
    preset: "none",
    text:
      "The forge that is asked for `gates.checks`. `none`: the one of `commitStatus.forge`. Where it is, `commitStatus.url` and `commitStatus.project` say, or the URL of `repository`.",
  } as Option<"none" | "github" | "gitlab" | "gitea" | "forgejo">,
  "gates.tokenFile": {
    kind: path,
    text:
      "A file with the token by which `gates.checks` are read. It needs the right to read alone (GitHub: `Commit statuses: read` and `Checks: read`; GitLab: `read_api`; Gitea and Forgejo: `read:repository`). A public project needs none.",
  } as Option<string | undefined>,
  "gates.caFile": {
    kind: path,
    text:
      "Certificate authorities (PEM) that the servers of gates are trusted by, beside those that Deno brings.",
  } as Option<string | undefined>,
  "gates.prometheus": {
    kind: prometheusGates,
    preset: [],
    noFlag: true,
    text:
      "Queries that must be true before a revision is activated: a list of `{url, query, for, tokenFile}`. `{revision}` and `{host}` in the query are replaced. True is an answer with at least one value, and none that is 0 or no number. `for` is how long it must have been true without a gap, by the data of Prometheus. `tokenFile` holds a token (`Authorization: Bearer`).",
  } as Option<readonly PrometheusGate[]>,
  "gates.command": {
    kind: command,
    preset: [],
    noFlag: true,
    text:
      "A command that must end with 0 before a revision is activated, as a list of words, e.g. `[/etc/gitops-sync/may-deploy, web]`. No shell reads it; its environment is that of the hooks.",
  } as Option<Argv>,
  "gates.tellAfter": {
    kind: duration,
    preset: "1h",
    text:
      "How long a gate other than `gates.soak` may be closed before that is told (event `gate-closed`).",
  } as Option<number>,
} as const;
