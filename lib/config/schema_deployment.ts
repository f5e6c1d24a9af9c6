/**
 * The options about deployments (docs/deployments.md): a part of the list in
 * schema.ts.
 *
 * @module
 */
import {
  type Argv,
  commands,
  type HttpCheck,
  httpChecks,
  ports,
  windows,
} from "./checks.ts";
import { choice, duration, flag, number, texts } from "./kinds.ts";
import {
  type Approval,
  approval,
  machineId,
  testingRef,
} from "./steering_kinds.ts";
import type { Option } from "./option.ts";

/** The options, in the order of the documentation. */
export const deploymentOptions = {
  "windows.deploy": {
    kind: windows,
    preset: [],
    text:
      "The times when this host may be changed. Each item is `[deny] [DAYS] [FROM-TO] [TIME ZONE]`, e.g. `Mon-Fri 22:00-04:00 Europe/Berlin`, `Sat,Sun` or `deny Fri 12:00-24:00`. The days are those on which a window begins. A `deny` window takes precedence over the others. Without a time zone, the time zone of the host is used. If the list is empty, the host may be changed at any time. `sync --now` does not wait.",
  } as Option<readonly string[]>,
  "windows.reboot": {
    kind: windows,
    preset: [],
    text:
      "The times when this host may be rebooted, written like `windows.deploy`. If the list is empty, the host may be rebooted at any time.",
  } as Option<readonly string[]>,
  approval: {
    kind: approval,
    preset: "none",
    text:
      "Whether a built revision waits for approval. `none` deploys it at once. `manual` waits until a person runs `approve`. A duration such as `30m` deploys it after that time, unless a person runs `reject`.",
  } as Option<Approval>,
  machineId: {
    kind: machineId,
    text:
      "The id of the only machine that may be changed, as in `/etc/machine-id`. On any other machine, a run refuses to do anything. This protects a copy of a disk that has the same configuration. If it is not set, any machine may be changed.",
  } as Option<string | undefined>,
  "testing.enable": {
    kind: flag,
    preset: false,
    text:
      "Whether this host tries out the branch `testing.ref`. The branch is activated until the next reboot, and never becomes the boot default.",
  } as Option<boolean>,
  "testing.ref": {
    kind: testingRef,
    preset: "testing/{host}",
    text:
      "The branch to try out, as long as it descends from what `ref` names. It may be force-pushed. It is verified like any other revision. `{host}` is replaced with the value of `host`.",
  } as Option<string>,
  reboot: {
    kind: choice("never", "when-needed", "always"),
    preset: "never",
    text:
      "Whether to reboot after a system is confirmed. `when-needed` reboots if its kernel, initrd, kernel modules or systemd differ from those that were booted. `always` reboots if it is not the system that was booted. The next run checks whether the host booted the new system and is healthy. If not, the host returns to the system that was booted before.",
  } as Option<"never" | "when-needed" | "always">,
  rescue: {
    kind: choice("none", "reboot"),
    preset: "none",
    text:
      "What to do if a system is unhealthy and the rollback failed too. `none` ends with exit code 8 (manual action is needed), and each run tries the rollback again. `reboot` also reboots the host, once, if a reboot starts the system that was good before.",
  } as Option<"none" | "reboot">,
  "health.ignoreUnits": {
    kind: texts,
    preset: [],
    text:
      "Units whose failure does not cause a rollback, e.g. `[backup-*.service]`. `*` stands for any characters and `?` for one.",
  } as Option<readonly string[]>,
  "health.steady": {
    kind: duration,
    preset: "10s",
    text:
      "How long the units must stay healthy after all of them have started. A unit that crashes less often than that is not detected.",
  } as Option<number>,
  "health.http": {
    kind: httpChecks,
    preset: [],
    noFlag: true,
    text:
      "HTTP requests that must succeed after an activation: a list of `{url, status, body, caFile}`. The response must have the given `status`; without it, any status from 200 to 299 is accepted. `body` is a text that the response must contain. `caFile` adds certificate authorities to trust. Redirects are not followed.",
  } as Option<readonly HttpCheck[]>,
  "health.tcp": {
    kind: ports,
    preset: [],
    text:
      "TCP ports that must accept a connection after an activation, e.g. `[localhost:22]`.",
  } as Option<readonly string[]>,
  "health.commands": {
    kind: commands,
    preset: [],
    noFlag: true,
    text:
      "Commands that must succeed after an activation: a list of argument lists, e.g. `[[systemctl, is-active, nginx]]`. No shell is used. They have the same environment as hooks.",
  } as Option<readonly Argv[]>,
  "health.route": {
    kind: flag,
    preset: true,
    text:
      "Whether a host that had a default route must still have one after an activation.",
  } as Option<boolean>,
  "hooks.preDeploy": {
    kind: commands,
    preset: [],
    noFlag: true,
    text:
      "Commands to run before an activation, as argument lists. If one fails, the host is not changed. The guide to deployments describes their environment (gitops-sync(1), FILES).",
  } as Option<readonly Argv[]>,
  "hooks.postDeploy": {
    kind: commands,
    preset: [],
    noFlag: true,
    text: "Commands to run after a system is confirmed.",
  } as Option<readonly Argv[]>,
  "hooks.onFailure": {
    kind: commands,
    preset: [],
    noFlag: true,
    text:
      "Commands to run once for each new fault. A fault is an attempt that failed, or a remote that did not answer for longer than `alerts.unreachableAfter`. A retry that fails for the same reason is not a new fault.",
  } as Option<readonly Argv[]>,
  "hooks.onRecovered": {
    kind: commands,
    preset: [],
    noFlag: true,
    text:
      "Commands to run once when a fault that `hooks.onFailure` reported is over.",
  } as Option<readonly Argv[]>,
  onFailure: {
    kind: texts,
    preset: [],
    noFlag: true,
    text:
      "Units of systemd to start once for each new fault, as with `hooks.onFailure`, e.g. `[notify-admin.service]`.",
  } as Option<readonly string[]>,
  onRecovered: {
    kind: texts,
    preset: [],
    noFlag: true,
    text: "Units of systemd to start once when a reported fault is over.",
  } as Option<readonly string[]>,
  onSuccess: {
    kind: texts,
    preset: [],
    noFlag: true,
    text:
      "Units of systemd to start after each run that ends with exit code 0, even if there was nothing to do. A run with nothing to do then takes longer.",
  } as Option<readonly string[]>,
  "alerts.unreachableAfter": {
    kind: duration,
    preset: "1h",
    text:
      "How long the repository may fail to answer, or may lack the ref, before that is a fault.",
  } as Option<number>,
  bootEntries: {
    kind: number,
    preset: 0,
    text:
      "How many generations of the system profile, and so boot entries, to keep when a new one is added. `0` keeps all. The running system, the booted system and the last good systems are kept in addition.",
  } as Option<number>,
  garbageCollect: {
    kind: flag,
    preset: false,
    text:
      "Whether to collect garbage in the store after a deployment. It deletes no generation.",
  } as Option<boolean>,
} as const;
