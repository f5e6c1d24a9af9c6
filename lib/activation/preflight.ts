/**
 * Checks the host before a deployment begins.
 *
 * @module
 */
import { type ExitCode, exitCodes, SyncError } from "../base/errors.ts";
import { formatSize } from "../base/size.ts";
import type { Config } from "../config/schema.ts";
import { onOneDisk, roomAt, sizeOf, sizeOfAll } from "../host/disk.ts";
import { lockNow } from "../host/lock.ts";
import { dischargingAt } from "../host/power.ts";
import { fewestFiles } from "../nix/room.ts";
import type { State } from "../state/state.ts";
import { systemProfile } from "../host/system.ts";
import { commandLines, identityOf } from "../process/kernel.ts";
import type { Run } from "../run/run.ts";

/** This program is newer than this date, so a clock before it is wrong. */
const oldest = Date.UTC(2026, 0, 1);

/** How far a clock may go back, in milliseconds. */
const clockSlack = 3_600_000;

const switchLock = "/run/nixos/switch-to-configuration.lock";

/** The actions of nixos-rebuild that change the host. */
const changing = ["switch", "boot", "test", "switch-to-configuration"];

/**
 * Checks whether a deployment can begin now. If not, the host is unchanged.
 *
 * @throws {SyncError} stage `preflight`; the next run tries again:
 * `clock-wrong`, `disk-low`, `inodes-low`, `other-rebuild`, `switch-locked`,
 * `battery-low`.
 */
export async function preflight(
  { config, state, effects }: Run,
): Promise<void> {
  refuseClock(effects.now().getTime(), state);
  refuseRoom(config["preflight.freeSpace"]);
  await refuseOthers();
  refuseBattery(config["preflight.battery"]);
}

function refuse(
  reason: string,
  message: string,
  exit: ExitCode,
  ...hints: string[]
): SyncError {
  return new SyncError(message, {
    stage: "preflight",
    reason,
    next: "retry",
    hints,
    exit,
  });
}

/**
 * Refuses a clock in the past, because certificates and signatures depend on
 * it.
 *
 * @param now Milliseconds since 1970.
 * @throws {SyncError} `clock-wrong`.
 */
export function refuseClock(now: number, state: State): void {
  const { seen, last, lastGood } = state;
  const known = [seen?.at, last?.at, lastGood?.at]
    .map((at) => at === undefined ? 0 : Date.parse(at));
  if (now >= Math.max(oldest, ...known) - clockSlack) return;
  throw refuse(
    "clock-wrong",
    `Cannot deploy: the clock of this host says ${
      new Date(now).toISOString()
    }, which is in the past`,
    exitCodes.remote,
    "Check the clock: `timedatectl`. The next run tries again.",
    "If the clock is right now, it was ahead before: run `gitops-sync retry`.",
  );
}

/**
 * @param least Bytes that must be free for /nix.
 * @throws {SyncError} `disk-low`, `inodes-low`.
 */
export function refuseRoom(least: number): void {
  const room = roomAt("/nix/store");
  if (!room) return;
  if (room.bytes < least) {
    throw refuse(
      "disk-low",
      `Cannot build: only ${formatSize(room.bytes)} are free in /nix, and ${
        formatSize(least)
      } are needed (preflight.freeSpace)`,
      exitCodes.build,
      "Free some space: `nix-collect-garbage --delete-older-than 30d`. The next run tries again.",
    );
  }
  if (room.files < fewestFiles) {
    throw refuse(
      "inodes-low",
      `Cannot build: only ${room.files} more files can be created in /nix`,
      exitCodes.build,
      "Free some inodes: `nix-collect-garbage --delete-older-than 30d`. The next run tries again.",
    );
  }
}

/**
 * Refuses to run at the same time as another switch: they would undo each
 * other's work.
 *
 * @throws {SyncError} `other-rebuild`, `switch-locked`.
 */
export async function refuseOthers(): Promise<void> {
  const pid = otherRebuild();
  if (pid !== undefined) {
    throw refuse(
      "other-rebuild",
      `Cannot deploy: nixos-rebuild is in progress (process ${pid})`,
      exitCodes.locked,
      `Wait until it ends, or look at it with \`ps -fp ${pid}\`. The next run tries again.`,
    );
  }
  if (await isLocked(switchLock)) {
    throw refuse(
      "switch-locked",
      `Cannot deploy: another switch is in progress (it holds ${switchLock})`,
      exitCodes.locked,
      `Find it with \`fuser -v ${switchLock}\`. The next run tries again.`,
    );
  }
}

function otherRebuild(): string | undefined {
  return [...commandLines()].find(([pid, words]) =>
    isRebuild(words) && isOnThisHost(pid)
  )?.[0];
}

/**
 * Returns whether a process works on this host: processes of containers are
 * listed too, and have another root.
 */
function isOnThisHost(pid: string): boolean {
  const theirs = identityOf(`/proc/${pid}/root/`);
  // If this is unknown, it is safer to wait.
  return theirs === undefined || theirs === identityOf("/");
}

/**
 * Returns whether a command line is a nixos-rebuild that will change the host.
 * It may be the script of an interpreter.
 */
export function isRebuild(words: readonly string[]): boolean {
  const at = words.slice(0, 3).findIndex((word) =>
    /(^|\/)nixos-rebuild(-ng)?$/.test(word)
  );
  return at !== -1 &&
    words.slice(at + 1).some((word) => changing.includes(word));
}

/** Returns whether somebody holds flock(2) on a file. */
async function isLocked(path: string): Promise<boolean> {
  try {
    using file = Deno.openSync(path);
    return !await lockNow(file, true);
  } catch {
    return false;
  }
}

/**
 * @param least The lowest charge in percent.
 * @throws {SyncError} `battery-low`.
 */
export function refuseBattery(least: Config["preflight.battery"]): void {
  const charge = dischargingAt();
  if (charge === undefined || charge >= least) return;
  throw refuse(
    "battery-low",
    `Not deployed: the battery is at ${charge} %, below ${least} % (preflight.battery)`,
    exitCodes.ok,
    "Connect the machine to power. The next run then deploys.",
  );
}

/**
 * Checks whether a built system's kernel and initrd fit into /boot, if they
 * must be copied there.
 *
 * @throws {SyncError} `boot-full`, exit 6.
 */
export function refuseFullBoot(system: string): void {
  const boot = ["/boot/EFI/nixos", "/boot/kernels"];
  const needed = bootSizeOf(system);
  const isThere = bootSizeOf(systemProfile) > 0 && sameBoot(system);
  if (isThere || onOneDisk("/boot", "/nix/store")) return;
  const room = roomAt("/boot");
  if (!room) return;
  // The space of older entries can be freed, but not that of the default.
  const others = boot.reduce((sum, folder) => sum + sizeOfAll(folder), 0) -
    bootSizeOf(systemProfile);
  const most = room.bytes + Math.max(0, others);
  if (most >= needed) return;
  throw new SyncError(
    `Cannot make this the boot default: its kernel and initrd need ${
      formatSize(needed)
    } in /boot, which has room for only ${formatSize(most)}`,
    {
      stage: "preflight",
      reason: "boot-full",
      next: "retry",
      exit: exitCodes.build,
      hints: [
        "Free some space in /boot: `df -h /boot`. The next run tries again.",
      ],
    },
  );
}

const bootFiles = ["kernel", "initrd"];

function bootSizeOf(system: string): number {
  return bootFiles.reduce((sum, name) => sum + sizeOf(`${system}/${name}`), 0);
}

/** Returns whether the boot default already has the same kernel and initrd. */
function sameBoot(system: string): boolean {
  return bootFiles.every((name) => {
    try {
      return Deno.realPathSync(`${system}/${name}`) ===
        Deno.realPathSync(`${systemProfile}/${name}`);
    } catch {
      return false;
    }
  });
}
