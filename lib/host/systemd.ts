/**
 * systemd: transient units that outlive us, failed units, and the dead-man's
 * switch, a timer that rolls the host back if we do not return.
 *
 * @module
 */
import type { Command, Effects } from "../base/effects.ts";
import { safeLines } from "../base/text.ts";

const patience = 60_000;

/** Our environment variables that an activation gets, as with nixos-rebuild. */
const activationVariables = ["LOCALE_ARCHIVE", "NIXOS_INSTALL_BOOTLOADER"];

/**
 * The unit that rolls the host back to the previous system, unless it is
 * disarmed.
 */
export const deadMansSwitch = "gitops-sync-dead-mans-switch";

/** Seconds between SIGTERM and SIGKILL. */
const graceSeconds = 10;

/**
 * Returns the command that runs an argument list in its own unit and waits for
 * it. It goes on if we end or our service restarts. Its output goes to the
 * journal: a pipe to us would break when we die, and then it would fail.
 *
 * @param seconds The longest it may run.
 * @param fields The fields of its lines in the journal.
 * @param env Environment variables in addition to those of systemd.
 */
export function runInUnit(
  unit: string,
  argv: readonly string[],
  seconds: number,
  fields: Readonly<Record<string, string>> = {},
  env: Variables = {},
): Command {
  return {
    program: "systemd-run",
    args: [
      `--unit=${unit}`,
      // Not --quiet, because it then does not report how the unit ended.
      "--wait",
      "--service-type=exec",
      `--property=RuntimeMaxSec=${seconds}`,
      `--property=TimeoutStopSec=${graceSeconds}`,
      "--property=KillMode=mixed",
      ...Object.entries(fields).map(([name, value]) =>
        `--property=LogExtraFields=${name}=${value}`
      ),
      ...activationVariables.filter((name) => Deno.env.has(name))
        .map((name) => `--setenv=${name}`),
      ...setting(env),
      "--",
      ...argv,
    ],
    // systemd stops the unit. We wait a little longer for its report.
    timeout: (seconds + graceSeconds + 30) * 1000,
    shielded: true,
  };
}

/** Environment variables by their names. */
export type Variables = Readonly<Record<string, string>>;

function setting(env: Variables): string[] {
  return Object.entries(env).map(([name, value]) =>
    `--setenv=${name}=${value}`
  );
}

/** How a unit ended, as systemd reports it. */
export interface UnitEnd {
  /** `success`, `exit-code`, `timeout`, `signal`, … (systemd.exec(5), `$SERVICE_RESULT`). */
  result: string;
  /**
   * The exit code of its main process; 128 + the signal number if a signal
   * killed it.
   */
  code: number;
}

// In the order of signal(7). Older versions of systemd write these names.
const signals = [
  ...["HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL"],
  ...["USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM"],
];

/**
 * Reads how a unit ended from what `systemd-run --wait` wrote.
 *
 * @returns `undefined` if it does not report this: it was killed itself, or
 * there was no such unit. If it loses D-Bus, it reports "success" for a unit
 * that still runs, but not how its process ended.
 */
export function unitEnd(output: string): UnitEnd | undefined {
  const result = /^\s*Finished with result: (\S+)/m.exec(output)?.[1];
  if (result === undefined) return undefined;
  // "code=exited, status=4/NOPERMISSION"; before systemd 257
  // "code=exited/status=4" and "code=killed/status=TERM".
  const [, how, status = ""] = /code=(\w+)[,/] ?status=(\w+)/.exec(output) ??
    [];
  const number = /^\d+$/.test(status)
    ? Number(status)
    : signals.indexOf(status) + 1;
  if (how === undefined) {
    return result === "success" ? undefined : { result, code: 1 };
  }
  return { result, code: how === "exited" ? number : 128 + number };
}

/** Returns whether `systemd-run` reports that it started a unit. */
export function hasStarted(output: string): boolean {
  return /^Running as unit: /m.test(output);
}

/**
 * Queries systemd without D-Bus how a started unit has ended. A failed unit
 * stays until it is reset.
 *
 * @returns `undefined` if systemd does not answer; `"active"` while it runs.
 */
export async function askUnitEnd(
  effects: Effects,
  unit: string,
): Promise<UnitEnd | "active" | undefined> {
  const shown = await said(effects, [
    "show",
    "--property=LoadState,ActiveState,Result,ExecMainCode,ExecMainStatus",
    "--",
    unit,
  ]);
  const value = (name: string) =>
    new RegExp(`^${name}=(.*)$`, "m").exec(shown)?.[1] ?? "";
  const active = value("ActiveState");
  if (active === "") return undefined;
  if (active === "inactive") return { result: "success", code: 0 };
  if (active !== "failed") return "active";
  // CLD_EXITED of waitid(2); the others are signals.
  const status = Number(value("ExecMainStatus"));
  const code = value("ExecMainCode") === "1" ? status : 128 + status;
  return { result: value("Result"), code };
}

/** Returns what `systemctl is-active` prints: `active`, `activating`, … */
export async function activityOf(
  effects: Effects,
  unit: string,
): Promise<string> {
  return await said(effects, ["is-active", "--", unit]);
}

/** Returns whether the machine is still booting. */
export async function isStarting(effects: Effects): Promise<boolean> {
  return /^(initializing|starting)$/.test(await systemState(effects));
}

/**
 * Returns whether the machine is shutting down. No unit can be started then.
 */
export async function isStopping(effects: Effects): Promise<boolean> {
  return await systemState(effects) === "stopping";
}

/** All words of `systemctl is-system-running` (systemctl(1)). */
const systemStates =
  /^(initializing|starting|running|degraded|maintenance|stopping|offline|unknown)$/;

/** How often systemd is queried if it answers with none of them. */
const mostQuestions = 3;

/**
 * Returns the state of the machine in one of these words; `unknown` without an
 * answer.
 */
async function systemState(effects: Effects): Promise<string> {
  for (let asked = 0; asked < mostQuestions; asked++) {
    const word = await said(effects, ["is-system-running"]);
    if (systemStates.test(word)) return word;
  }
  return "unknown";
}

async function said(
  effects: Effects,
  args: readonly string[],
): Promise<string> {
  const finished = await effects.run(systemctl(...args));
  return new TextDecoder().decode(finished.stdout).trim();
}

/**
 * Returns the command that runs an argument list in its own unit, outside our
 * sandbox, and waits for it. Its output and its exit code come to us.
 *
 * @param seconds The longest it may run.
 */
export function commandInUnit(
  unit: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  seconds: number,
): Command {
  return {
    program: "systemd-run",
    args: [
      `--unit=${unit}`,
      "--wait",
      "--pipe",
      "--collect",
      "--quiet",
      "--service-type=exec",
      `--property=RuntimeMaxSec=${seconds}`,
      ...Object.entries(env).map(([name, value]) =>
        `--setenv=${name}=${value}`
      ),
      "--",
      // systemd replaces variables in an argument list (systemd.service(5)).
      ...argv.map((word) => word.replaceAll("$", "$$$$")),
    ],
    // systemd-run looks for the program before systemd does.
    ...(env["PATH"] === undefined ? {} : { env: { PATH: env["PATH"] } }),
    timeout: (seconds + 30) * 1000,
  };
}

/**
 * Starts D-Bus if the running system has stopped it, because a switch needs it.
 * logind does not connect to a new D-Bus by itself.
 */
const restartBus =
  "/usr/bin/env PATH=/run/current-system/sw/bin:/usr/bin:/bin sh -c " +
  '"systemctl is-active --quiet dbus.socket || { systemctl start dbus.socket; systemctl restart systemd-logind.service; }"';

/**
 * Returns the command that starts a timer. After it, systemd itself runs
 * `argv`.
 *
 * @param env Environment variables in addition to those of systemd.
 */
export function armTimer(
  unit: string,
  argv: readonly string[],
  seconds: number,
  env: Variables = {},
): Command {
  return {
    program: "systemd-run",
    args: [
      `--unit=${unit}`,
      "--collect",
      "--quiet",
      `--on-active=${seconds}s`,
      "--timer-property=AccuracySec=1s",
      "--service-type=oneshot",
      `--property=ExecStartPre=-${restartBus}`,
      ...setting(env),
      "--",
      ...argv,
    ],
    timeout: patience,
    shielded: true,
  };
}

/**
 * Returns the command that stops units. A unit that does not run is no error.
 */
export function stopUnits(...units: string[]): Command {
  return { ...systemctl("stop", "--", ...units), timeout: 5 * patience };
}

/** Returns the words that start a unit without waiting for it. */
export function startSoon(unit: string): string[] {
  return ["systemctl", "start", "--no-block", "--", unit];
}

/** Returns the command that starts units, which may not exist. */
export function startUnits(...units: string[]): Command {
  return { ...systemctl("start", "--", ...units), timeout: 5 * patience };
}

/** Returns the command that restarts loaded units. A timer then begins anew. */
export function restartUnits(...units: string[]): Command {
  return systemctl("restart", "--", ...units);
}

/**
 * Returns the command that resets a failed transient unit, so that its name can
 * be used again.
 */
export function resetFailed(...units: string[]): Command {
  return systemctl("reset-failed", "--", ...units);
}

/**
 * Returns the command that adds unit files from other folders until the next
 * boot. systemd itself makes the links, so this works in a sandbox.
 */
export function linkUnits(...paths: string[]): Command {
  return systemctl("link", "--runtime", "--force", "--", ...paths);
}

/** Returns the command that removes such unit files. */
export function unlinkUnits(...units: string[]): Command {
  return systemctl("disable", "--runtime", "--quiet", "--", ...units);
}

/**
 * Returns the command that starts a unit and waits until it has started. A
 * oneshot unit has ended then.
 *
 * @param seconds How long that may take.
 */
export function startUnit(unit: string, seconds: number): Command {
  return {
    ...systemctl("start", "--", unit),
    timeout: (seconds + graceSeconds + 30) * 1000,
  };
}

/** Returns the command that starts units without waiting for them. */
export function beginUnits(...units: string[]): Command {
  return systemctl("start", "--no-block", "--", ...units);
}

/**
 * Returns properties of a unit by name, as `systemctl show` writes them.
 * Unknown ones are missing.
 */
export async function propertiesOf(
  effects: Pick<Effects, "run">,
  unit: string,
  names: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const finished = await effects.run(
    systemctl("show", `--property=${names.join(",")}`, "--", unit),
  );
  const found: Record<string, string> = {};
  if (finished.code !== 0) return found;
  for (const line of new TextDecoder().decode(finished.stdout).split("\n")) {
    const at = line.indexOf("=");
    if (at === -1) continue;
    const name = line.slice(0, at), value = line.slice(at + 1);
    // A timer has a line for each of its times.
    found[name] = found[name] === undefined
      ? value
      : `${found[name]}\n${value}`;
  }
  return found;
}

/** Returns the command that reboots the host. It answers before the reboot. */
export function rebootHost(): Command {
  return systemctl("reboot", "--no-block");
}

function systemctl(...args: string[]): Command {
  return { program: "systemctl", args, timeout: patience, shielded: true };
}

/** The most lines of an activation that are read. */
const mostLines = 1000;

/**
 * Returns all lines of a unit. The journal receives them late, so it is
 * synchronized first.
 */
export async function allLines(
  effects: Effects,
  unit: string,
): Promise<string[]> {
  await effects.run({
    program: "journalctl",
    args: ["--sync"],
    timeout: patience,
    shielded: true,
  });
  return await newestLines(effects, unit);
}

/** Returns the lines of a unit that are in the journal now. */
export async function newestLines(
  effects: Effects,
  unit: string,
): Promise<string[]> {
  return await lastLines(effects, unit, mostLines);
}

/** Returns the last lines of a unit in the journal. */
export async function lastLines(
  effects: Effects,
  unit: string,
  lines: number,
): Promise<string[]> {
  const finished = await effects.run({
    program: "journalctl",
    args: [
      `--unit=${unit}`,
      `--lines=${lines}`,
      "--output=cat",
      "--no-pager",
      "--quiet",
      "--boot",
    ],
    timeout: patience,
    // Evidence of a failure, which an interruption must not make worse.
    shielded: true,
  });
  return safeLines(new TextDecoder().decode(finished.stdout)).slice(-lines);
}
