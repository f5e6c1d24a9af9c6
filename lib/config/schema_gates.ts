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
      "How long a revision waits before it is activated, from the moment when this host first saw it. If a branch or a tag pattern moves more often, the newest revision that has waited long enough is deployed. If it is not set, no revision waits. `sync --now` and `rollback` do not wait.",
  } as Option<number | undefined>,
  "gates.checks": {
    kind: checkPatterns,
    preset: [],
    text:
      "Names of commit statuses and check runs that must be successful before a revision is activated, e.g. `[ci/*, gitops-sync/canary-*]`. `*` stands for any characters. Each name must match at least one of them, and each one that it matches must be successful.",
  } as Option<readonly string[]>,
  "gates.forge": {
    kind: choice("none", "github", "gitlab", "gitea", "forgejo"),
    preset: "none",
    text:
      "The forge to query for `gates.checks`. `none` means the forge of `commitStatus.forge`. `commitStatus.url` and `commitStatus.project` give its address; without them, the URL of `repository` does.",
  } as Option<"none" | "github" | "gitlab" | "gitea" | "forgejo">,
  "gates.tokenFile": {
    kind: path,
    text:
      "A file with the token for reading `gates.checks`. It needs only the right to read (GitHub: `Commit statuses: read` and `Checks: read`; GitLab: `read_api`; Gitea and Forgejo: `read:repository`). A public project needs no token.",
  } as Option<string | undefined>,
  "gates.caFile": {
    kind: path,
    text:
      "Certificate authorities (PEM) to trust for the servers of gates, in addition to those of Deno.",
  } as Option<string | undefined>,
  "gates.prometheus": {
    kind: prometheusGates,
    preset: [],
    noFlag: true,
    text:
      "Queries that must be true before a revision is activated: a list of `{url, query, for, tokenFile}`. `{revision}` and `{host}` in the query are replaced. A query is true if its result has at least one value, and no value is 0 or not a number. `for` is how long it must have been true without a gap, according to the data of Prometheus. `tokenFile` is a file with a token (`Authorization: Bearer`).",
  } as Option<readonly PrometheusGate[]>,
  "gates.command": {
    kind: command,
    preset: [],
    noFlag: true,
    text:
      "A command that must end with exit code 0 before a revision is activated, as a list of words, e.g. `[/etc/gitops-sync/may-deploy, web]`. No shell is used. It has the same environment as hooks.",
  } as Option<Argv>,
  "gates.tellAfter": {
    kind: duration,
    preset: "1h",
    text:
      "How long a gate other than `gates.soak` may be closed before the event `gate-closed` is sent.",
  } as Option<number>,
} as const;
