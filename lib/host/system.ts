/**
 * Reads facts about this machine.
 *
 * @module
 */
import { kernelText } from "../process/kernel.ts";

/** NixOS points this link at the running system. */
const runningLink = "/run/current-system";

/** NixOS points this link at the booted system. */
export const bootedLink = "/run/booted-system";

/** The profile that a reboot starts. */
export const systemProfile = "/nix/var/nix/profiles/system";

/** Returns the store path of the running system, or `null` if there is none. */
export function runningSystem(): string | null {
  return follow(runningLink);
}

/** Returns the store path of the boot default, or `null` if there is none. */
export function bootDefault(): string | null {
  return follow(systemProfile);
}

/** Returns the store path of the booted system, or `null` if there is none. */
export function bootedSystem(): string | null {
  return follow(bootedLink);
}

/** Returns the running system and the boot default. */
export function systems(): Systems {
  return { running: runningSystem(), bootDefault: bootDefault() };
}

/** Returns the id of the current boot (random(4)). */
export function bootId(): string {
  return kernelText("/proc/sys/kernel/random/boot_id").trim();
}

/** Returns whether systemd is the init of this machine (sd_booted(3)). */
export function hasSystemd(): boolean {
  try {
    return Deno.lstatSync("/run/systemd/system").isDirectory;
  } catch {
    return false;
  }
}

/**
 * Returns when a process started, in clock ticks since the boot
 * (proc_pid_stat(5), field 22). With it, the process cannot be mistaken for a
 * later one with the same id.
 *
 * @returns `undefined` if it has ended, even if its parent has not collected
 * it.
 * @throws {UnseenError} if this could not be read.
 */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = kernelText(`/proc/${pid}/stat`);
    // The second field is a name in parentheses that may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return /^[ZX]/.test(fields[0]!) ? undefined : fields[19];
  } catch (error) {
    // A process that cannot be read may be alive.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return undefined;
  }
}

/**
 * Follows links to the end: the profile leads through the link of a generation.
 */
function follow(link: string): string | null {
  try {
    return Deno.realPathSync(link);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** The two systems of a host; `null` if there is none. */
export interface Systems {
  /** Where `/run/current-system` points. */
  running: string | null;
  /** Where the system profile points: what a reboot starts. */
  bootDefault: string | null;
}
