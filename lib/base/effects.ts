/**
 * What a run does beside reading and writing files, passed in as one small
 * object. Tests can watch or replace it without patching globals.
 *
 * @module
 */
import type { Stage } from "./errors.ts";

/** A program to run: an argument list, never a shell line. */
export interface Command {
  /** A name looked up on PATH, or an absolute path. */
  program: string;
  /** Its arguments, passed without changes. */
  args: readonly string[];
  /** Environment variables beside the fixed list that every program gets. */
  env?: Readonly<Record<string, string>>;
  /** The folder it starts in. */
  cwd?: string;
  /** What it reads on standard input; nothing by default. */
  input?: Uint8Array;
  /** Milliseconds after which its whole process group is killed. */
  timeout: number;
  /**
   * The most bytes of standard output. If it writes more, it is killed. The
   * default is 256 MiB.
   */
  most?: number;
  /** What it and its children may use. If they use more, they are killed. */
  limits?: Limits;
  /** `false`: standard output is discarded. */
  capture?: boolean;
  /** Called with each line of standard error as it comes. */
  onLine?: (line: string) => void;
  /** Called with the process id as soon as it runs. */
  onStart?: (pid: number) => Promise<void> | void;
  /** `true`: Ctrl-C does not stop it; only the run does. */
  shielded?: boolean;
}

/** What a program may use while it receives data from an untrusted server. */
export interface Limits {
  /** Bytes of memory of all its processes together. */
  memory: number;
  /** Whether only processes of its own session count (setsid(2)). */
  session?: boolean;
  /** A folder, and the most bytes that its files may have. */
  disk?: { folder: string; most: number };
}

/** How a program ended. The caller decides what a code other than 0 means. */
export interface Finished {
  /** Its exit code; 128 + the signal number if a signal killed it. */
  code: number;
  /** Whether it was killed by the timeout. */
  timedOut: boolean;
  /** All that it wrote to standard output, if it is captured. */
  stdout: Uint8Array;
  /** The last 16 KiB that it wrote to standard error. */
  stderr: string;
}

/** How important a message is, in the terms of the journal. */
export type Level = "debug" | "info" | "notice" | "warning" | "error";

/** A task in progress within a stage. */
export interface Task {
  kind: "build" | "fetch";
  /** E.g. `linux-6.12.8`. */
  name: string;
  /** Milliseconds since it began. */
  ms: number;
  /** Its phase or its progress; may be empty. */
  note: string;
}

/**
 * The progress of a stage. Its texts may come from elsewhere and are not yet
 * sanitized.
 */
export interface Progress {
  /** In one line, e.g. `3 of 12 built, 41 MiB fetched · linux-6.12.8`. */
  text: string;
  /** The tasks in progress, the oldest first. */
  tasks?: readonly Task[];
  /** The last line that a build wrote. */
  last?: string;
}

/** What a run reports while it is in progress. */
export type Event =
  /** An attempt begins; the next events are about it. */
  | { kind: "attempt"; id: string; revision: string }
  /** `ago`: milliseconds since it began, if this event comes late. */
  | { kind: "start"; stage: Stage; ago?: number }
  /** The receiver calls `now` whenever it shows the progress. */
  | { kind: "progress"; stage: Stage; now: () => Progress }
  /**
   * A line that a program wrote, not yet sanitized: for the log of the attempt.
   */
  | { kind: "line"; stage: Stage; text: string }
  | { kind: "done"; stage: Stage; text: string; ms: number }
  | { kind: "failed"; stage: Stage; ms: number }
  | {
    kind: "message";
    level: Level;
    text: string;
    details?: readonly string[];
    hints?: readonly string[];
  };

/** Everything a run may do beside reading and writing files. */
export interface Effects {
  /** Runs a program to its end. */
  run(command: Command): Promise<Finished>;
  /**
   * The current time. A person or NTP may set it, so it is not for durations.
   */
  now(): Date;
  /** Milliseconds of a monotonic clock. */
  monotonic(): number;
  /** Waits for a number of milliseconds. */
  sleep(ms: number): Promise<void>;
  /** Reports an event. */
  tell(event: Event): void;
}

/** Reports a message of the given level. */
export function say(
  effects: Pick<Effects, "tell">,
  level: Level,
  text: string,
  hints: readonly string[] = [],
): void {
  effects.tell({ kind: "message", level, text, hints });
}
