/**
 * Facts about this machine, read and never assumed.
 *
 * @module
 */
import { kernelText } from "../process/kernel.ts";

/** The link that NixOS points at the running system. */
const runningLink = "/run/current-system";

/** The link that NixOS points at the system that was booted. */
export const bootedLink = "/run/booted-system";

/** The profile whose newest generation a reboot starts. */
export const systemProfile = "/nix/var/nix/profiles/system";

/** The store path of the running system, or `null` where there is none. */
export function runningSystem(): string | null {
  return follow(runningLink);
}

/** The store path of the boot default, or `null` where there is none. */
export function bootDefault(): string | null {
  return follow(systemProfile);
}

/** The store path of the system that was booted, or `null` where none was. */
export function bootedSystem(): string | null {
  return follow(bootedLink);
}

/** Both of them. */
export function systems(): Systems {
  return { running: runningSystem(), bootDefault: bootDefault() };
}

/** Which boot of the kernel this is (random(4)). */
export function bootId(): string {
  return kernelText("/proc/sys/kernel/random/boot_id").trim();
}

/** Whether systemd is the init of this machine (sd_booted(3)). */
export function hasSystemd(): boolean {
  try {
    return Deno.lstatSync("/run/systemd/system").isDirectory;
  } catch {
    return false;
  }
}

/**
 * When a process started, in clock ticks since the boot (proc_pid_stat(5),
 * field 22), so that its number can't be taken for a later process's.
 *
 * @returns `undefined` where it has ended, also if nobody has asked for its end.
 * @throws {UnseenError} where that could not be looked at.
 */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = kernelText(`/proc/${pid}/stat`);
    // The second field is a name in parentheses that may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return /^[ZX]/.test(fields[0]!) ? undefined : fields[19];
  } catch (error) {
    // One that could not be looked at may be alive.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return undefined;
  }
}

/** Follows links to the end: the profile goes through a generation's link. */
function follow(link: string): string | null {
  try {
    return Deno.realPathSync(link);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Two store paths that say how a host stands; `null` where there is none. */
export interface Systems {
  /** Where `/run/current-system` points. */
  running: string | null;
  /** Where the system profile points: what a reboot starts. */
  bootDefault: string | null;
}
