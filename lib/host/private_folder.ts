/**
 * Creates a folder in memory that only its owner may enter, for data that must
 * never be on a disk.
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

/** Each user has a folder. */
const nameOf = () => `gitops-sync-private.${Deno.uid()}`;

/**
 * Creates the folder, and removes the folders of our killed runs.
 *
 * @returns the folder. It is removed with its content when it is disposed of.
 * @throws {SyncError} exit 5: `no-memory-folder` if no folder is in memory,
 * `memory-folder-planted` if somebody else's folder is in its place.
 */
export async function privateFolder(): Promise<MemoryFolder> {
  try {
    const base = await baseFolder();
    await removeLeftovers(base);
    const path = `${base}/${Deno.pid}.${crypto.randomUUID()}`;
    if (!await makeFolder(path)) throw new Error(`${path} is there already`);
    return new MemoryFolder(path);
  } catch (error) {
    // The programs that would do it may not be run either.
    throw error instanceof Deno.errors.NotCapable ? noMemory() : error;
  }
}

/**
 * Returns the possible paths of the folder. The first one in memory is used.
 */
export function privatePlaces(): string[] {
  return places().map((place) => `${place}/${nameOf()}`);
}

function places(): string[] {
  // The folder of the service (systemd.exec(5), "RuntimeDirectory="), which may
  // not write to /run itself, or the folder of the user. sudo and su may keep
  // another user's folder in the variable.
  const own = Deno.env.get("RUNTIME_DIRECTORY") ??
    Deno.env.get("XDG_RUNTIME_DIR");
  const uid = Deno.uid();
  return [
    ...(own && isOurs(own) ? [own] : []),
    // The folder of systemd-logind, which may exist without the variable: for
    // su, cron.
    uid === 0 ? "/run" : `/run/user/${uid}`,
    "/dev/shm",
  ];
}

function isOurs(path: string): boolean {
  try {
    return Deno.statSync(path).uid === Deno.uid();
  } catch {
    // It does not exist, or is not for us.
    return false;
  }
}

/** Returns the folder that holds the folders of all our runs. */
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

/** Returns a folder in memory. */
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
 * Returns the mount points with whether each is in memory, as the kernel lists
 * them (proc(5), "/proc/pid/mountinfo"). A later one covers an earlier one.
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

/** Returns whether the mount of a path is in memory. */
function isWithin(path: string, mounts: Map<string, boolean>): boolean {
  const real = realPathOf(path) ?? "";
  for (let at = real; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) {
    const found = mounts.get(at);
    if (found !== undefined) return found;
  }
  return false;
}

/** Follows a path; `undefined` if it does not exist. */
function realPathOf(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    // In /dev, only root can make links.
    return error instanceof Deno.errors.NotCapable ? path : undefined;
  }
}

/** A killed run could not clean up. Its process id shows that it has ended. */
async function removeLeftovers(base: string): Promise<void> {
  for (const name of await namesIn(base)) {
    const pid = /^(\d+)\./.exec(name)?.[1];
    if (pid === undefined) continue;
    if (mayRun(Number(pid))) continue;
    await removeOwn(`${base}/${name}`).catch((error) => {
      // Another run of ours removed it first.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

/** A process that cannot be read may still run. */
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
