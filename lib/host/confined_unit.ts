/**
 * Runs an untrusted program in a transient unit of systemd: as an unprivileged
 * user, without any file of the host except the given ones.
 *
 * @module
 */
import type { Command } from "../base/effects.ts";
import { kernelText } from "../process/kernel.ts";
import { type UnitEnd, unitEnd } from "./systemd.ts";

/** What a confined unit may use and see. */
export interface Confinement {
  /** The name of the unit, without `.service`. */
  unit: string;
  /** The user and group that it runs as. */
  user: string;
  /**
   * The files and folders that it can read. It sees no other file of the host.
   */
  readable: readonly Shown[];
  /** A folder that it can write to, in addition to its own two. */
  writable?: string | undefined;
  /** Whether it has the host's network. */
  network: boolean;
  /** Bytes of memory and of swap. */
  memory: { ram: number; swap: number };
  /** The longest it may run. */
  seconds: number;
  /** If this unit ends, it ends too. */
  boundTo?: string | undefined;
}

/** A path of the host, and its path in the unit. */
export interface Shown {
  from: string;
  /** By default, the same path. */
  to?: string;
  /** `true`: it is optional. */
  optional?: true;
}

/** Seconds between SIGTERM and SIGKILL. */
const graceSeconds = 2;

/** Bytes of address space that programs reserve and never use. */
export const addressSlack = 2 ** 30;

// systemd.exec(5). Each line removes an access to the host that an evaluation
// does not need.
const locked: readonly string[] = [
  "NoNewPrivileges=yes",
  "CapabilityBoundingSet=",
  "PrivateDevices=yes",
  "DevicePolicy=closed",
  "PrivateTmp=yes",
  "PrivateMounts=yes",
  "PrivateIPC=yes",
  "ProtectClock=yes",
  "ProtectControlGroups=yes",
  "ProtectHostname=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "ProtectProc=invisible",
  "RemoveIPC=yes",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "LockPersonality=yes",
  "MemoryDenyWriteExecute=yes",
  "SystemCallArchitectures=native",
  "SystemCallFilter=@system-service",
  "SystemCallFilter=~@privileged",
  "SystemCallErrorNumber=EPERM",
  "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
  "KeyringMode=private",
  "LimitCORE=0",
  "UMask=0077",
  "OOMPolicy=kill",
  "TasksMax=512",
  "KillMode=control-group",
  `TimeoutStopSec=${graceSeconds}`,
  // No file of the host exists in the unit, so none needs to be hidden.
  "TemporaryFileSystem=/:ro,mode=0755,size=1M",
];

/**
 * Returns the folder of a unit that is removed with it, and the one that stays.
 */
export function foldersOf(unit: string): { runtime: string; cache: string } {
  return { runtime: `/run/${unit}`, cache: `/var/cache/${unit}` };
}

/**
 * Returns the command that runs an argument list in such a unit, waits for it
 * and passes its output on. {@linkcode confinedEnd} reads how it ended. It
 * starts in its runtime folder.
 *
 * @param env All variables that it has.
 */
export function runConfined(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  confinement: Confinement,
): Command {
  const { unit, seconds } = confinement;
  return {
    program: "systemd-run",
    args: [
      `--unit=${unit}`,
      // Not --quiet, because it then does not report how the unit ended.
      ...["--wait", "--pipe", "--collect", "--service-type=exec"],
      ...propertiesOf(confinement).map((property) => `--property=${property}`),
      ...Object.entries(env).map(([name, value]) =>
        `--setenv=${name}=${value}`
      ),
      "--",
      // systemd replaces variables in an argument list (systemd.service(5)).
      ...argv.map((word) => word.replaceAll("$", "$$$$")),
    ],
    // systemd stops the unit. We wait a little longer for its report.
    timeout: (seconds + graceSeconds + 30) * 1000,
  };
}

function propertiesOf(confinement: Confinement): string[] {
  const { unit, user, readable, writable, network, memory, seconds, boundTo } =
    confinement;
  const { runtime } = foldersOf(unit);
  return [
    ...locked,
    `User=${user}`,
    `Group=${user}`,
    ...network ? [] : ["PrivateNetwork=yes"],
    `MemoryMax=${memory.ram}`,
    `MemorySwapMax=${memory.swap}`,
    // If systemd cannot control memory, only this limit works.
    `LimitAS=${memory.ram + memory.swap + addressSlack}`,
    `RuntimeMaxSec=${seconds}`,
    `RuntimeDirectory=${unit}`,
    "RuntimeDirectoryMode=0700",
    `CacheDirectory=${unit}`,
    "CacheDirectoryMode=0700",
    `WorkingDirectory=${runtime}`,
    ...readable.map(bindOf),
    ...writable === undefined ? [] : [`BindPaths=${quoted(writable)}`],
    // No After=: a oneshot service that waits for this unit is still starting.
    ...boundTo === undefined ? [] : [`BindsTo=${boundTo}`],
  ];
}

function bindOf({ from, to, optional }: Shown): string {
  const source = quoted(`${optional ? "-" : ""}${from}`);
  return `BindReadOnlyPaths=${source}${
    to === undefined ? "" : `:${quoted(to)}`
  }`;
}

/** Quotes a path for systemd. Without quotes, a colon would end it. */
function quoted(path: string): string {
  return `"${path.replace(/[\\"]/g, "\\$&")}"`;
}

/**
 * Reads how the unit ended from the last lines of `systemd-run`. Only these
 * count, because the unit writes to the same output before.
 *
 * @returns `undefined` if systemd did not start it, or this is not known.
 */
export function confinedEnd(stderr: string): UnitEnd | undefined {
  const at = stderr.lastIndexOf("Finished with result: ");
  return at === -1 ? undefined : unitEnd(stderr.slice(at));
}

/** Returns whether a line is a report of `systemd-run` itself. */
export function isOfSystemdRun(line: string): boolean {
  return /^(?:Running as unit: |\s*Finished with result: |\s*Main processes terminated with: |\s*Service runtime: |\s*CPU time consumed: |\s*Memory (?:peak|swap peak): |\s*IO bytes |\s*IP traffic )/
    .test(line);
}

/** Returns the system service that this process belongs to, if any. */
export function ownService(): string | undefined {
  try {
    const groups = kernelText("/proc/self/cgroup");
    return /^0::\/system\.slice\/(?:.*\/)?([^/\n]+\.service)$/m
      .exec(groups)?.[1];
  } catch {
    return undefined;
  }
}

/** Returns the memory of the machine in bytes (proc(5), "/proc/meminfo"). */
export function machineMemory(): { ram: number; swap: number } {
  const text = kernelText("/proc/meminfo");
  const of = (name: string) => {
    const kibi = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1];
    return Number(kibi ?? 0) * 1024;
  };
  return { ram: of("MemTotal"), swap: of("SwapTotal") };
}
