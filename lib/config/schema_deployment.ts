/**
 * The options of what surrounds a deployment (docs/deployments.md): a part of
 * the list in schema.ts.
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
      "When this host may be changed; always, if none is given. Each is `[deny] [DAYS] [FROM-TO] [TIME ZONE]`: `Mon-Fri 22:00-04:00 Europe/Berlin`, `Sat,Sun`, `deny Fri 12:00-24:00`. The days are those on which it begins; one that denies wins; without a time zone that of the host counts. `sync --now` does not wait.",
  } as Option<readonly string[]>,
  "windows.reboot": {
    kind: windows,
    preset: [],
    text:
      "When this host may be rebooted, written like `windows.deploy`; always, if none is given.",
  } as Option<readonly string[]>,
  approval: {
    kind: approval,
    preset: "none",
    text:
      "Whether a revision waits, once it is built, until a person says `approve`. `manual`: until then. A duration such as `30m`: it is deployed by itself when that is over, unless a person says `reject`. `none`: it is deployed at once.",
  } as Option<Approval>,
  machineId: {
    kind: machineId,
    text:
      "The id of the one machine that may be changed, as `/etc/machine-id` has it. On any other machine a run refuses to do anything: for a configuration that may come to a copy of a disk.",
  } as Option<string | undefined>,
  "testing.enable": {
    kind: flag,
    preset: false,
    text:
      "Whether the branch `testing.ref` is tried out on this host: it is activated until the next reboot, and never becomes the boot default.",
  } as Option<boolean>,
  "testing.ref": {
    kind: testingRef,
    preset: "testing/{host}",
    text:
      "The branch that is tried out as long as it descends from what `ref` names. It may be force-pushed, and is verified like any other. `{host}` is replaced.",
  } as Option<string>,
  reboot: {
    kind: choice("never", "when-needed", "always"),
    preset: "never",
    text:
      "Whether to reboot once a system is confirmed. `when-needed`: if its kernel, initrd, kernel modules or systemd are not those that were booted. `always`: if it is not the system that was booted. The next run looks whether the host came up on it and is well; if not, the system that was booted before comes back.",
  } as Option<"never" | "when-needed" | "always">,
  rescue: {
    kind: choice("none", "reboot"),
    preset: "none",
    text:
      "What is done where a system is not well and the way back from it has failed too. `none`: a person is called (exit code 8), and each run tries the way back again. `reboot`: the host is also rebooted, once, if what a reboot starts is the system that was good before.",
  } as Option<"none" | "reboot">,
  "health.ignoreUnits": {
    kind: texts,
    preset: [],
    text:
      "Units whose failure is no reason to go back, e.g. `[backup-*.service]`; `*` stands for any characters and `?` for one.",
  } as Option<readonly string[]>,
  "health.steady": {
    kind: duration,
    preset: "10s",
    text:
      "How long the units must stay well, once all have started, before they count as well. What crashes less often than that is not found.",
  } as Option<number>,
  "health.http": {
    kind: httpChecks,
    preset: [],
    noFlag: true,
    text:
      "HTTP requests that must succeed after an activation: a list of `{url, status, body, caFile}`. Right is `status`, or any from 200 to 299; `body` is a text that the answer must hold, and `caFile` trusts further certificate authorities. No redirect is followed.",
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
      "Commands that must succeed after an activation: a list of argument lists, e.g. `[[systemctl, is-active, nginx]]`. No shell reads them; their environment is that of the hooks.",
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
      "Commands to run before an activation, as argument lists; if one fails, the host is left as it is. Their environment is in the guide to deployments (gitops-sync(1), FILES).",
  } as Option<readonly Argv[]>,
  "hooks.postDeploy": {
    kind: commands,
    preset: [],
    noFlag: true,
    text: "Commands to run once a system is confirmed.",
  } as Option<readonly Argv[]>,
  "hooks.onFailure": {
    kind: commands,
    preset: [],
    noFlag: true,
    text:
      "Commands to run once for each new fault: an attempt that failed, a remote that has been silent for longer than `alerts.unreachableAfter`. What is tried again and fails for the same reason is no new one.",
  } as Option<readonly Argv[]>,
  "hooks.onRecovered": {
    kind: commands,
    preset: [],
    noFlag: true,
    text: "Commands to run once when what `hooks.onFailure` told is over.",
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
    text: "Units of systemd to start once when a fault that was told is over.",
  } as Option<readonly string[]>,
  onSuccess: {
    kind: texts,
    preset: [],
    noFlag: true,
    text:
      "Units of systemd to start after each run that ends with 0, also where there was nothing to do. A run with nothing to do takes longer then.",
  } as Option<readonly string[]>,
  "alerts.unreachableAfter": {
    kind: duration,
    preset: "1h",
    text:
      "How long the repository may not answer, or not have the ref, before that counts as a fault.",
  } as Option<number>,
  bootEntries: {
    kind: number,
    preset: 0,
    text:
      "How many generations of the system profile, and so boot entries, are kept when a new one is added; `0` keeps all. What runs, what was booted and the last good systems are kept beside them.",
  } as Option<number>,
  garbageCollect: {
    kind: flag,
    preset: false,
    text:
      "Whether to collect the store's garbage after a deployment. No generation is deleted by it.",
  } as Option<boolean>,
} as const;
