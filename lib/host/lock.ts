/**
 * One run at a time: flock(2) on a file of the state folder, which the kernel
 * lets go of when the holder dies, however it dies.
 *
 * @module
 */
import { SyncError, usageError } from "../base/errors.ts";
import { readIfThere } from "./files.ts";

/** Who holds the lock, or held it last. */
export interface Holder {
  pid: number;
  /** The command, e.g. `sync`. */
  command: string;
  /** When it took the lock; also tells when the last run began. */
  since: string;
}

/** A held lock; closing it lets go. */
export interface Lock extends Disposable {
  readonly file: Deno.FsFile;
}

/**
 * Takes the lock, or says who has it.
 *
 * @throws {SyncError} `locked` (exit 10), `state-folder` if the folder can't
 * be used.
 */
export async function takeLock(
  folder: string,
  command: string,
  now: Date,
): Promise<Lock> {
  const file = await open(folder);
  if (!await file.tryLock(true)) {
    file.close();
    throw locked(lastHolder(folder));
  }
  const holder: Holder = {
    pid: Deno.pid,
    command,
    since: now.toISOString(),
  };
  file.truncateSync();
  file.writeSync(new TextEncoder().encode(JSON.stringify(holder)));
  return { file, [Symbol.dispose]: () => file.close() };
}

/** Who wrote the lock file last, if that can be read. */
export function lastHolder(folder: string): Holder | undefined {
  try {
    const holder = JSON.parse(readIfThere(`${folder}/lock`) ?? "null");
    return typeof holder?.pid === "number" ? holder : undefined;
  } catch {
    return undefined;
  }
}

/** Whether some run holds the lock right now. */
export async function isLocked(folder: string): Promise<boolean> {
  try {
    using file = await Deno.open(`${folder}/lock`, { read: true });
    return !await file.tryLock(false);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function open(folder: string): Promise<Deno.FsFile> {
  const openIt = () =>
    Deno.open(`${folder}/lock`, {
      read: true,
      write: true,
      create: true,
      mode: 0o600,
    });
  try {
    return await openIt().catch(async (error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      const { ensurePrivateDir } = await import("./files.ts");
      await ensurePrivateDir(folder);
      return await openIt();
    });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw usageError(
      "state-folder",
      `Cannot use the state folder ${folder}: ${error.message}`,
      "run as root (sudo), or name another folder with --state-directory",
    );
  }
}

function locked(holder: Holder | undefined): SyncError {
  const who = holder
    ? `${holder.command} (process ${holder.pid}, since ${holder.since})`
    : "another run";
  return new SyncError(`Cannot start: ${who} holds the lock`, {
    stage: "lock",
    reason: "locked",
    next: "stop",
    hints: [
      holder
        ? `wait for it, or look at it with: ps -fp ${holder.pid}`
        : "wait for it to end",
    ],
  });
}
