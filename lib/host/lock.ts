/**
 * One run at a time: flock(2) on a file of the state folder. The kernel releases
 * the lock when its holder ends, even if it is killed.
 *
 * @module
 */
import type { SyncError } from "../base/errors.ts";

// No literals, so that they are not read before they are needed
// (gitops_sync.ts).
const errorsModule: string = "../base/errors.ts";
const osErrorModule: string = "../base/os_error.ts";
const filesModule: string = "./files.ts";

/** Who holds the lock, or held it last. */
export interface Holder {
  pid: number;
  /** The command, e.g. `sync`. */
  command: string;
  /**
   * When it took the lock, in milliseconds since 1970. This is also when the
   * last run began. It is a number, because code that formats dates is loaded
   * at its first use.
   */
  since: number;
}

/** The last valid point in time (ECMA-262, "Time Values"). */
const latest = 8.64e15;

/** A held lock; closing it releases it. */
export interface Lock extends Disposable {
  readonly file: Deno.FsFile;
}

/**
 * Takes the lock.
 *
 * @param now The time, in milliseconds since 1970.
 * @throws {SyncError} `locked` (exit 10) with the name of the holder, or
 * `state-folder` if the folder cannot be used.
 */
export async function takeLock(
  folder: string,
  command: string,
  now: number,
): Promise<Lock> {
  const file = await open(folder);
  // Without waiting: a wait would start a thread.
  const isOurs = await lockNow(file, true) || await lockAfterLook(file) ||
    await lockAfterPlan(file, folder);
  if (!isOurs) {
    file.close();
    throw await locked(lastHolder(folder));
  }
  const holder: Holder = {
    pid: Deno.pid,
    command,
    since: now,
  };
  // Over the old content, without truncating it: some file systems write a
  // truncated file to the disk at once. Only the first line counts.
  try {
    file.writeSync(new TextEncoder().encode(`${JSON.stringify(holder)}\n`));
  } catch {
    // On a full disk the lock still works, but its holder has no name.
  }
  return { file, [Symbol.dispose]: () => file.close() };
}

/** Returns who wrote the lock file last, if it can be read. */
export function lastHolder(folder: string): Holder | undefined {
  try {
    const text = Deno.readTextFileSync(`${folder}/lock`);
    const holder = JSON.parse(text.split("\n")[0]!);
    const isWhole = typeof holder?.pid === "number" &&
      typeof holder.command === "string" &&
      typeof holder.since === "number" && Math.abs(holder.since) <= latest;
    return isWhole ? holder : undefined;
  } catch {
    return undefined;
  }
}

/** Returns whether somebody holds the lock now. */
export async function isLocked(folder: string): Promise<boolean> {
  try {
    using file = await Deno.open(`${folder}/lock`, { read: true });
    return !await lockNow(file, false);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Takes the lock after {@linkcode isLocked} of another process has ended. */
async function lockAfterLook(file: Deno.FsFile): Promise<boolean> {
  // `lockSoon` has already waited for longer than that.
  if (!("tryLockSync" in file)) return false;
  await new Promise((resolve) => setTimeout(resolve, 100));
  return await lockNow(file, true);
}

/** How long a run waits for a plan, in milliseconds. */
const patienceWithPlan = 60_000, pause = 200;

/** The file that a plan makes before it takes the lock of runs. */
const planMark = (folder: string) => `${folder}/plan/asks`;

/** Waits for a plan: it holds the lock for seconds, and must not fail a run. */
async function lockAfterPlan(
  file: Deno.FsFile,
  folder: string,
): Promise<boolean> {
  for (let left = patienceWithPlan; left > 0; left -= pause) {
    try {
      Deno.lstatSync(planMark(folder));
    } catch {
      return await lockNow(file, true);
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (await lockNow(file, true)) return true;
  }
  return false;
}

/**
 * Takes the lock of runs for a plan. A plan changes nothing and is no run, so
 * the name of the last holder stays, and a run that begins now waits.
 *
 * @param folder The state folder, which has the plan's own folder.
 * @returns `undefined` if a run holds it.
 */
export async function lockForPlan(folder: string): Promise<Lock | undefined> {
  const mark = planMark(folder);
  Deno.writeTextFileSync(mark, "");
  const file = await open(folder);
  const release = () => {
    // In this order, so that a waiting run finds the lock free.
    file.close();
    Deno.removeSync(mark);
  };
  if (await lockNow(file, true)) return { file, [Symbol.dispose]: release };
  release();
  return undefined;
}

/** Takes flock(2) on a file, if it is free. */
export function lockNow(
  file: Deno.FsFile,
  exclusive: boolean,
): boolean | Promise<boolean> {
  return "tryLockSync" in file
    ? file.tryLockSync(exclusive)
    : lockSoon(file, exclusive);
}

/**
 * For Deno up to 2.6, which can only wait for a lock. A free lock is taken at
 * once. If the lock is held, the wait goes on until this process exits.
 */
async function lockSoon(
  file: Deno.FsFile,
  exclusive: boolean,
): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), 500);
  });
  const taken = file.lock(exclusive).then(() => true);
  // It fails when the file is closed.
  taken.catch(() => {});
  const isTaken = await Promise.race([taken, late]);
  clearTimeout(timer);
  return isTaken;
}

async function open(folder: string): Promise<Deno.FsFile> {
  const openIt = () =>
    Deno.openSync(`${folder}/lock`, {
      read: true,
      write: true,
      create: true,
      mode: 0o600,
    });
  try {
    return openIt();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw await unusable(folder, error);
    }
  }
  try {
    const { ensurePrivateDir }: typeof import("./files.ts") = await import(
      filesModule
    );
    await ensurePrivateDir(folder);
    return openIt();
  } catch (error) {
    throw await unusable(folder, error);
  }
}

async function unusable(folder: string, error: unknown): Promise<unknown> {
  if (!(error instanceof Error)) return error;
  const { SyncError, usageError }: typeof import("../base/errors.ts") =
    await import(errorsModule);
  const { foreseen }: typeof import("../base/os_error.ts") = await import(
    osErrorModule
  );
  const known = foreseen(error);
  const isRight = !(known instanceof SyncError) ||
    known.reason === "permission-denied";
  return usageError(
    "state-folder",
    `Cannot use the state folder ${folder}: ${error.message}`,
    ...isRight ? ["Run the command as root, with `sudo`."] : known.hints,
    "Name another state folder with `--state-directory`.",
  );
}

async function locked(holder: Holder | undefined): Promise<SyncError> {
  const { SyncError }: typeof import("../base/errors.ts") = await import(
    errorsModule
  );
  const who = holder
    ? `${holder.command} (process ${holder.pid}, since ${
      new Date(holder.since).toISOString()
    })`
    : "another run";
  return new SyncError(`Cannot start: ${who} is in progress`, {
    stage: "lock",
    reason: "locked",
    next: "stop",
    hints: [
      holder
        ? `Wait until it ends, or look at it with \`ps -fp ${holder.pid}\`.`
        : "Wait until it ends, or look at it with `gitops-sync watch`.",
    ],
  });
}
