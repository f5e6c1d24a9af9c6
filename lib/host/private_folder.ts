/**
 * A folder in memory that only its owner may enter, for what must never be on
 * a disk.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { kernelText, UnseenError } from "../process/kernel.ts";
import {
  entryAt,
  makeFolder,
  MemoryFolder,
  namesIn,
  removeAll,
} from "./memory_files.ts";
import { startTimeOf } from "./system.ts";

/** Each user has one. */
const nameOf = () => `gitops-sync-private.${Deno.uid()}`;

/**
 * Makes the folder, and removes what killed runs of ours have left.
 *
 * @returns the folder, which is removed with all in it when disposed of.
 * @throws {SyncError} exit 5: `no-memory-folder`, where nothing is in memory,
 * `memory-folder-planted`, where somebody else's folder is in its place.
 */
export async function privateFolder(): Promise<MemoryFolder> {
  try {
    const base = await baseFolder();
    await removeLeftovers(base);
    const path = `${base}/${Deno.pid}.${crypto.randomUUID()}`;
    if (!await makeFolder(path)) throw new Error(`${path} is there already`);
    return new MemoryFolder(path);
  } catch (error) {
    // Nor may the programs be run that would do it.
    throw error instanceof Deno.errors.NotCapable ? noMemory() : error;
  }
}

/** Where such folders may come to be; the first that is in memory is taken. */
export function privatePlaces(): string[] {
  return places().map((place) => `${place}/${nameOf()}`);
}

function places(): string[] {
  // The service's (systemd.exec(5), "RuntimeDirectory="), which may not write to
  // /run itself, or the user's. sudo and su may leave another user's in place.
  const own = Deno.env.get("RUNTIME_DIRECTORY") ??
    Deno.env.get("XDG_RUNTIME_DIR");
  const uid = Deno.uid();
  return [
    ...(own && isOurs(own) ? [own] : []),
    // systemd-logind's, which there may be without the variable: for su, cron.
    uid === 0 ? "/run" : `/run/user/${uid}`,
    "/dev/shm",
  ];
}

function isOurs(path: string): boolean {
  try {
    return Deno.statSync(path).uid === Deno.uid();
  } catch {
    // It is not there, or not for us.
    return false;
  }
}

/** The folder that holds those of all our runs. */
async function baseFolder(): Promise<string> {
  const base = `${memoryFolder()}/${nameOf()}`;
  await makeFolder(base);
  const { isDirectory, uid, mode } = await entryAt(base);
  if (isDirectory && uid === Deno.uid() && (mode & 0o077) === 0) return base;
  throw new SyncError(
    `Cannot write decrypted files to ${base}: expected a folder of this user that nobody else may enter`,
    {
      stage: "secrets",
      reason: "memory-folder-planted",
      next: "stop",
      hints: [
        `Find out who made it with \`ls -ld ${base}\`, then remove it.`,
      ],
    },
  );
}

/** A place that is in memory. */
function memoryFolder(): string {
  const inMemory = memoryMounts(kernelText("/proc/self/mountinfo"));
  const found = places().find((place) => isWithin(place, inMemory));
  if (found !== undefined) return found;
  throw noMemory();
}

function noMemory(): SyncError {
  return new SyncError(
    `Cannot find a folder in memory for decrypted files: expected a tmpfs at ${
      places()[0]
    }`,
    {
      stage: "secrets",
      reason: "no-memory-folder",
      next: "stop",
      hints: [
        "Set XDG_RUNTIME_DIR to a folder of yours on a tmpfs, or run as root with /run on a tmpfs.",
      ],
    },
  );
}

/**
 * The mount points, each with whether it is in memory, as the kernel lists
 * them (proc(5), "/proc/pid/mountinfo"); a later one lies over an earlier.
 */
function memoryMounts(mountinfo: string): Map<string, boolean> {
  const mounts = new Map<string, boolean>();
  for (const line of mountinfo.split("\n")) {
    const [before, after] = line.split(" - ");
    const point = before?.split(" ")[4];
    if (!point || !after) continue;
    const type = after.split(" ")[0]!;
    mounts.set(point, type === "tmpfs" || type === "ramfs");
  }
  return mounts;
}

/** Whether the mount that a path lies on is in memory. */
function isWithin(path: string, mounts: Map<string, boolean>): boolean {
  const real = realPathOf(path) ?? "";
  for (let at = real; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) {
    const found = mounts.get(at);
    if (found !== undefined) return found;
  }
  return false;
}

/** Where a path leads; `undefined` where it is not there. */
function realPathOf(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    // In /dev, where links are nobody's but root's.
    return error instanceof Deno.errors.NotCapable ? path : undefined;
  }
}

/** A run that was killed could not clean up; its number tells it is gone. */
async function removeLeftovers(base: string): Promise<void> {
  for (const name of await namesIn(base)) {
    const pid = /^(\d+)\./.exec(name)?.[1];
    if (pid === undefined) continue;
    if (mayRun(Number(pid))) continue;
    await removeOwn(`${base}/${name}`).catch((error) => {
      // Another run of ours was faster.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

/** One that can't be looked at may run still. */
function mayRun(pid: number): boolean {
  try {
    return startTimeOf(pid) !== undefined;
  } catch (error) {
    if (error instanceof UnseenError) return true;
    throw error;
  }
}

async function removeOwn(path: string): Promise<void> {
  const { isDirectory, uid } = await entryAt(path);
  if (isDirectory && uid === Deno.uid()) await removeAll(path);
}
