/**
 * Whether the worker that does the work still lives. Its own deadlines are
 * timers of its thread, and a call of the system can block that thread for ever
 * (a program is started, and the runtime waits in vain for a word of it). So the
 * main thread listens for signs of life.
 *
 * @module
 */
import { exitCodes, SyncError } from "../base/errors.ts";

/** The sign, as the worker sends it. */
const alive = "alive";

/** Milliseconds between two signs, if nothing else is said. */
const usualPause = 5_000;

/**
 * How many may be missing, one after the other: a minute's, and nothing that
 * works blocks the thread for so long. They are counted, and no time is taken:
 * a process that was stopped meanwhile has missed one.
 */
const mostMissed = 12;

/**
 * Sends signs of life, for as long as the worker has something to do.
 *
 * @param send Sends a message to the main thread.
 * @returns what the work comes to.
 */
export async function whileAlive<T>(
  send: (sign: string) => void,
  work: () => Promise<T>,
  pause = usualPause,
): Promise<T> {
  const timer = setInterval(() => send(alive), pause);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/**
 * The result of a worker that shows signs of life.
 *
 * @param failed What counts where the worker itself failed.
 * @throws {SyncError} `not-answering`, exit 1, where it has stopped to.
 */
export async function resultOf<T>(
  worker: Worker,
  failed: T,
  pause = usualPause,
): Promise<T> {
  let missed = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => {
        if (data === alive) missed = 0;
        else resolve(data);
      };
      // Deno has written what it was, and where.
      worker.onerror = (event) => {
        event.preventDefault();
        resolve(failed);
      };
      timer = setInterval(() => {
        if (++missed > mostMissed) reject(notAnswering());
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
