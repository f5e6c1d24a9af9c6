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
      "--wait",
      "--collect",
      "--quiet",
      "--service-type=exec",
      `--property=RuntimeMaxSec=${seconds}`,
      "--property=KillMode=mixed",
      ...activationVariables.filter((name) => Deno.env.has(name))
        .map((name) => `--setenv=${name}`),
      "--",
      ...argv,
    ],
    // systemd ends the unit; we wait a little longer to hear of it.
    timeout: (seconds + 30) * 1000,
    shielded: true,
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
  return {
    program: "systemctl",
    args: ["stop", "--", ...units],
    timeout: 5 * patience,
    shielded: true,
  };
}

/** Clears a failed transient unit, so that its name can be used again. */
export function resetFailed(...units: string[]): Command {
  return {
    program: "systemctl",
    args: ["reset-failed", "--", ...units],
    timeout: patience,
    shielded: true,
  };
}

/** Reboots the host; the answer comes before it does. */
export function rebootHost(): Command {
  return {
    program: "systemctl",
    args: ["reboot", "--no-block"],
    timeout: patience,
    shielded: true,
  };
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
  });
  return safeLines(new TextDecoder().decode(finished.stdout)).slice(-lines);
}
