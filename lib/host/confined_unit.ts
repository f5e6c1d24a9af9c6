/**
 * Runs a program that may be hostile in a transient unit of systemd: as an
 * unprivileged user, and with no file of the host but those that are named.
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
  /** Files and folders it can read; the rest of the host is not there. */
  readable: readonly Shown[];
  /** A folder that it can write to, beside its own two. */
  writable?: string | undefined;
  /** Whether it has the host's network. */
  network: boolean;
  /** Bytes of memory, and of swap beside it. */
  memory: { ram: number; swap: number };
  /** The longest it may run. */
  seconds: number;
  /** The unit whose end ends it. */
  boundTo?: string | undefined;
}

/** A path of the host, and where the unit sees it. */
export interface Shown {
  from: string;
  /** The same path where this is missing. */
  to?: string;
  /** `true`: it may be missing. */
  optional?: true;
}

/** Seconds from the polite signal to the one that nobody survives. */
const graceSeconds = 2;

/** What programs reserve of addresses and never use. */
export const addressSlack = 2 ** 30;

// systemd.exec(5). Each line takes away a way to the host that an evaluation
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
  // The host's files are not hidden one by one: none is there.
  "TemporaryFileSystem=/:ro,mode=0755,size=1M",
];

/** The folder of a unit that is gone with it, and the one that stays. */
export function foldersOf(unit: string): { runtime: string; cache: string } {
  return { runtime: `/run/${unit}`, cache: `/var/cache/${unit}` };
}

/**
 * Runs an argument list in such a unit and waits for it. What it writes comes
 * to us; {@linkcode confinedEnd} tells how it ended. It starts in its runtime
 * folder.
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
      // Not --quiet, since it then does not say how the unit ended.
      ...["--wait", "--pipe", "--collect", "--service-type=exec"],
      ...propertiesOf(confinement).map((property) => `--property=${property}`),
      ...Object.entries(env).map(([name, value]) =>
        `--setenv=${name}=${value}`
      ),
      "--",
      // systemd replaces variables in an argument list (systemd.service(5)).
      ...argv.map((word) => word.replaceAll("$", "$$$$")),
    ],
    // systemd ends the unit; we wait a little longer to hear of it.
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
    // Where the kernel gives systemd no control of memory this counts alone.
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

/** A path as systemd reads it; outside of quotes a colon would end it. */
function quoted(path: string): string {
  return `"${path.replace(/[\\"]/g, "\\$&")}"`;
}

/**
 * Reads how the unit ended from the end of what `systemd-run` wrote. The unit
 * writes to the same place before that, so only the last words count.
 *
 * @returns `undefined` where systemd did not start it, or we do not know.
 */
export function confinedEnd(stderr: string): UnitEnd | undefined {
  const at = stderr.lastIndexOf("Finished with result: ");
  return at === -1 ? undefined : unitEnd(stderr.slice(at));
}

/** Whether a line is what `systemd-run` itself says of a unit. */
export function isOfSystemdRun(line: string): boolean {
  return /^(?:Running as unit: |\s*Finished with result: |\s*Main processes terminated with: |\s*Service runtime: |\s*CPU time consumed: |\s*Memory (?:peak|swap peak): |\s*IO bytes |\s*IP traffic )/
    .test(line);
}

/** The service that this process belongs to, if it is one of systemd's own. */
export function ownService(): string | undefined {
  try {
    const groups = kernelText("/proc/self/cgroup");
    return /^0::\/system\.slice\/(?:.*\/)?([^/\n]+\.service)$/m
      .exec(groups)?.[1];
  } catch {
    return undefined;
  }
}

/** What the machine has, in bytes (proc(5), "/proc/meminfo"). */
export function machineMemory(): { ram: number; swap: number } {
  const text = kernelText("/proc/meminfo");
  const of = (name: string) => {
    const kibi = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1];
    return Number(kibi ?? 0) * 1024;
  };
  return { ram: of("MemTotal"), swap: of("SwapTotal") };
}
