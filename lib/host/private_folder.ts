/**
 * A folder in memory that only its owner may enter, for what must never be on
 * a disk.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { kernelText } from "../process/kernel.ts";
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
export async function privateFolder(): Promise<
  AsyncDisposable & { path: string }
> {
  const base = await baseFolder();
  await removeLeftovers(base);
  const path = await Deno.makeTempDir({ dir: base, prefix: `${Deno.pid}.` });
  // Whatever the umask is.
  await Deno.chmod(path, 0o700);
  return {
    path,
    async [Symbol.asyncDispose]() {
      await Deno.remove(path, { recursive: true });
    },
  };
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
  return [
    ...(own && isOurs(own) ? [own] : []),
    ...(Deno.uid() === 0 ? ["/run"] : []),
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
  await Deno.mkdir(base, { mode: 0o700 }).catch((error) => {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  });
  const { isDirectory, uid, mode } = await Deno.lstat(base);
  if (isDirectory && uid === Deno.uid() && (mode! & 0o077) === 0) return base;
  throw new SyncError(
    `Cannot put what is decrypted into ${base}: expected a folder of our own that nobody else may enter`,
    {
      stage: "secrets",
      reason: "memory-folder-planted",
      next: "stop",
      hints: [`find out who made it (ls -ld ${base}), then remove it`],
    },
  );
}

/** A place that is in memory. */
function memoryFolder(): string {
  const inMemory = memoryMounts(kernelText("/proc/self/mountinfo"));
  const found = places().find((place) => isWithin(place, inMemory));
  if (found !== undefined) return found;
  throw new SyncError(
    `Cannot find a folder in memory for what is decrypted: expected a tmpfs at ${
      places()[0]
    }`,
    {
      stage: "secrets",
      reason: "no-memory-folder",
      next: "stop",
      hints: [
        "set XDG_RUNTIME_DIR to a folder of yours on a tmpfs, or run as root with /run on one",
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
  try {
    const real = Deno.realPathSync(path);
    for (let at = real; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) {
      const found = mounts.get(at);
      if (found !== undefined) return found;
    }
  } catch {
    // It is not there.
  }
  return false;
}

/** A run that was killed could not clean up; its number tells it is gone. */
async function removeLeftovers(base: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(base)) {
    const pid = /^(\d+)\./.exec(name)?.[1];
    if (!isDirectory || pid === undefined) continue;
    if (startTimeOf(Number(pid)) !== undefined) continue;
    await removeOwn(`${base}/${name}`).catch((error) => {
      // Another run of ours was faster.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

async function removeOwn(path: string): Promise<void> {
  const { uid } = await Deno.lstat(path);
  if (uid === Deno.uid()) await Deno.remove(path, { recursive: true });
}
