/**
 * Checks that the worker is still alive. The worker's own deadlines are timers
 * of its thread, and a system call can block that thread forever (for example,
 * the runtime starts a program and waits in vain for its answer). So the main
 * thread listens for signs of life.
 *
 * @module
 */
import { exitCodes, SyncError } from "../base/errors.ts";

/** The message that the worker sends as a sign of life. */
const alive = "alive";

/** The default number of milliseconds between two signs. */
const defaultPause = 5_000;

/**
 * How many signs in a row may be missing: those of one minute. No normal work
 * blocks the thread for so long. Missing signs are counted, and no time is
 * measured: a process that was paused in between has missed only one.
 */
const maxMissed = 12;

/**
 * Sends signs of life while the worker does its work.
 *
 * @param send Sends a message to the main thread.
 * @returns the result of the work.
 */
export async function whileAlive<T>(
  send: (sign: string) => void,
  work: () => Promise<T>,
  pause = defaultPause,
): Promise<T> {
  const timer = setInterval(() => send(alive), pause);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/**
 * Returns the result of a worker that sends signs of life.
 *
 * @param failed The result if the worker itself failed.
 * @throws {SyncError} `not-answering`, exit 1, if the signs stopped.
 */
export async function resultOf<T>(
  worker: Worker,
  failed: T,
  pause = defaultPause,
): Promise<T> {
  let missed = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => {
        if (data === alive) missed = 0;
        else resolve(data);
      };
      // Deno has printed the error and its place.
      worker.onerror = (event) => {
        event.preventDefault();
        resolve(failed);
      };
      timer = setInterval(() => {
        if (++missed > maxMissed) reject(notAnswering());
      }, pause);
    });
  } finally {
    clearInterval(timer);
  }
}

function notAnswering(): SyncError {
  return new SyncError(
    "Cannot continue: the runtime is blocked in a system call",
    {
      stage: "decide",
      reason: "not-answering",
      next: "retry",
      exit: exitCodes.bug,
      hints: [
        "Run gitops-sync again: it finishes or undoes what this run began.",
        "Check the kernel log and the limits with `dmesg` and `ulimit -n`: a disk or a network file system may not respond.",
      ],
    },
  );
}
