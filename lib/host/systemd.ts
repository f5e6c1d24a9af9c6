/**
 * systemd: transient units that outlive us, failed units, and the timer that
 * puts the previous system back if we do not come back.
 *
 * @module
 */
import type { Command, Effects } from "../base/effects.ts";
import { safeLines } from "../base/text.ts";

const patience = 60_000;

/** The variables of ours that an activation sees, as with nixos-rebuild. */
const activationVariables = ["LOCALE_ARCHIVE", "NIXOS_INSTALL_BOOTLOADER"];

/** The unit that puts the previous system back unless it is disarmed. */
export const deadMansSwitch = "gitops-sync-dead-mans-switch";

/** Seconds from the polite signal to the one that nobody survives. */
const graceSeconds = 10;

/**
 * Runs an argument list in a unit of its own and waits for it, so that neither
 * our end nor the restart of our own service ends it. What it writes goes to
 * the journal: a pipe to us would break when we die, and it with the pipe.
 *
 * @param seconds The longest it may run.
 * @param fields Fields that its lines have in the journal.
 * @param env Variables that it has beside those of systemd.
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
      // Not --quiet, since it then does not say how the unit ended.
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
    // systemd ends the unit; we wait a little longer to hear of it.
    timeout: (seconds + graceSeconds + 30) * 1000,
    shielded: true,
  };
}

/** Variables by their names. */
export type Variables = Readonly<Record<string, string>>;

function setting(env: Variables): string[] {
  return Object.entries(env).map(([name, value]) =>
    `--setenv=${name}=${value}`
  );
}

/** How a unit ended, as systemd saw it. */
export interface UnitEnd {
  /** `success`, `exit-code`, `timeout`, `signal`, … (systemd.exec(5), `$SERVICE_RESULT`). */
  result: string;
  /** The exit code of its main process; 128 + the signal's number if one ended it. */
  code: number;
}

// The order of signal(7), whose names older versions of systemd write.
const signals = [
  ...["HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL"],
  ...["USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM"],
];

/**
 * Reads how a unit ended from what `systemd-run --wait` wrote.
 *
 * @returns `undefined` where it does not say so: it was ended itself, or there
 * was no such unit. Where it loses D-Bus it says "success" of a unit that still
 * runs, but not how its process ended.
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

/** Whether `systemd-run` says that it has started a unit. */
export function hasStarted(output: string): boolean {
  return /^Running as unit: /m.test(output);
}

/**
 * Asks systemd itself, by a way that needs no D-Bus, how a unit that was
 * started has ended. One that has failed stays until it is cleared.
 *
 * @returns `undefined` where systemd does not say; `"active"` while it runs.
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

/** What `systemctl is-active` says of a unit: `active`, `activating`, … */
export async function activityOf(
  effects: Effects,
  unit: string,
): Promise<string> {
  return await said(effects, ["is-active", "--", unit]);
}

/** Whether the machine has not yet come to the end of its boot. */
export async function isStarting(effects: Effects): Promise<boolean> {
  return /^(initializing|starting)$/.test(await systemState(effects));
}

/** Whether the machine is being shut down, when no unit can be started. */
export async function isStopping(effects: Effects): Promise<boolean> {
  return await systemState(effects) === "stopping";
}

/** All words of `systemctl is-system-running` (systemctl(1)). */
const systemStates =
  /^(initializing|starting|running|degraded|maintenance|stopping|offline|unknown)$/;

/** How often systemd is asked where it says none of them. */
const mostQuestions = 3;

/** How the machine is, in one of these words; `unknown` where none comes. */
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
 * Runs an argument list in a unit of its own, with nothing of our sandbox, and
 * waits for it; what it writes and its exit code come to us.
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
    // It looks for the program before systemd does.
    ...(env["PATH"] === undefined ? {} : { env: { PATH: env["PATH"] } }),
    timeout: (seconds + 30) * 1000,
  };
}

/**
 * A switch needs D-Bus, which the system that runs may have taken away, and
 * logind does not find its way back to it.
 */
const bringBusBack =
  "/usr/bin/env PATH=/run/current-system/sw/bin:/usr/bin:/bin sh -c " +
  '"systemctl is-active --quiet dbus.socket || { systemctl start dbus.socket; systemctl restart systemd-logind.service; }"';

/**
 * Starts a timer after which systemd itself runs `argv`.
 *
 * @param env Variables that it has beside those of systemd.
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
      `--property=ExecStartPre=-${bringBusBack}`,
      ...setting(env),
      "--",
      ...argv,
    ],
    timeout: patience,
    shielded: true,
  };
}

/** Stops units; those that do not run are no error. */
export function stopUnits(...units: string[]): Command {
  return { ...systemctl("stop", "--", ...units), timeout: 5 * patience };
}

/** The words that start a unit once nothing else is to be done. */
export function startSoon(unit: string): string[] {
  return ["systemctl", "start", "--no-block", "--", unit];
}

/** Starts units, which may not be there. */
export function startUnits(...units: string[]): Command {
  return { ...systemctl("start", "--", ...units), timeout: 5 * patience };
}

/** Restarts units that are loaded: the time of a timer begins anew. */
export function restartUnits(...units: string[]): Command {
  return systemctl("restart", "--", ...units);
}

/** Clears a failed transient unit, so that its name can be used again. */
export function resetFailed(...units: string[]): Command {
  return systemctl("reset-failed", "--", ...units);
}

/**
 * Gives systemd unit files from outside of its folders, until the next boot.
 * systemd itself makes the links, so this works in a sandbox.
 */
export function linkUnits(...paths: string[]): Command {
  return systemctl("link", "--runtime", "--force", "--", ...paths);
}

/** Takes such unit files away again. */
export function unlinkUnits(...units: string[]): Command {
  return systemctl("disable", "--runtime", "--quiet", "--", ...units);
}

/**
 * Starts a unit, and waits until it has started: a oneshot has ended then.
 *
 * @param seconds How long that may take.
 */
export function startUnit(unit: string, seconds: number): Command {
  return {
    ...systemctl("start", "--", unit),
    timeout: (seconds + graceSeconds + 30) * 1000,
  };
}

/**
 * Starts units and waits for none of them.
 */
export function beginUnits(...units: string[]): Command {
  return systemctl("start", "--no-block", "--", ...units);
}

/**
 * Properties of a unit as `systemctl show` writes them, by name. What can't be
 * asked is missing.
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

/** Reboots the host; the answer comes before it does. */
export function rebootHost(): Command {
  return systemctl("reboot", "--no-block");
}

function systemctl(...args: string[]): Command {
  return { program: "systemctl", args, timeout: patience, shielded: true };
}

/** The most lines of one activation that are read. */
const mostLines = 1000;

/**
 * All that a unit has written: the journal takes it in its own time, so it is
 * first told to have done so.
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

/** What of it has come to the journal by now. */
export async function newestLines(
  effects: Effects,
  unit: string,
): Promise<string[]> {
  return await lastLines(effects, unit, mostLines);
}

/** The last lines that a unit wrote to the journal. */
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
