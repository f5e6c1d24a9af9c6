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
 */
export function runInUnit(
  unit: string,
  argv: readonly string[],
  seconds: number,
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
      ...activationVariables.filter((name) => Deno.env.has(name))
        .map((name) => `--setenv=${name}`),
      "--",
      ...argv,
    ],
    // systemd ends the unit; we wait a little longer to hear of it.
    timeout: (seconds + graceSeconds + 30) * 1000,
    shielded: true,
  };
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
 * was no such unit.
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
  const ended = how === "exited" ? number : 128 + number;
  return { result, code: how === undefined ? 0 : ended };
}

/** What `systemctl is-active` says of a unit: `active`, `activating`, … */
export async function activityOf(
  effects: Effects,
  unit: string,
): Promise<string> {
  return await said(effects, ["is-active", "--", unit]);
}

/** Whether the machine is being shut down, when no unit can be started. */
export async function isStopping(effects: Effects): Promise<boolean> {
  return await said(effects, ["is-system-running"]) === "stopping";
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

/** Starts a timer after which systemd itself runs `argv`. */
export function armTimer(
  unit: string,
  argv: readonly string[],
  seconds: number,
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

/** Restarts units that are loaded: the time of a timer begins anew. */
export function restartUnits(...units: string[]): Command {
  return systemctl("restart", "--", ...units);
}

/** Clears a failed transient unit, so that its name can be used again. */
export function resetFailed(...units: string[]): Command {
  return systemctl("reset-failed", "--", ...units);
}

/** Reboots the host; the answer comes before it does. */
export function rebootHost(): Command {
  return systemctl("reboot", "--no-block");
}

function systemctl(...args: string[]): Command {
  return { program: "systemctl", args, timeout: patience, shielded: true };
}

/** A unit, and how systemd sees it. */
export interface Unit {
  name: string;
  /** `failed`, `activating` or `reloading`. */
  active: string;
  /** More exactly, e.g. `auto-restart`. */
  sub: string;
}

/** The units that have failed or are starting. */
export async function unitsNow(effects: Effects): Promise<Unit[]> {
  const finished = await effects.run({
    program: "systemctl",
    args: [
      "list-units",
      "--state=failed,activating,reloading",
      "--all",
      "--plain",
      "--no-legend",
      "--no-pager",
      "--full",
    ],
    timeout: patience,
  });
  return parseUnits(new TextDecoder().decode(finished.stdout));
}

/** Reads the columns of `systemctl list-units --plain --no-legend`. */
export function parseUnits(output: string): Unit[] {
  return output.split("\n").flatMap((line) => {
    const [name, , active, sub] = line.trim().split(/\s+/);
    return name && active && sub ? [{ name, active, sub }] : [];
  });
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
