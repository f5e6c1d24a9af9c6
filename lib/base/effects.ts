/**
 * What a run does to the world, passed in as one small object, so that tests
 * can watch or replace it without patching globals.
 *
 * @module
 */
import type { Stage } from "./errors.ts";

/** A program to run: an argument list, never a shell line. */
export interface Command {
  /** A name looked up on PATH, or an absolute path. */
  program: string;
  /** Its arguments, each passed as it stands. */
  args: readonly string[];
  /** Variables beside the fixed list that every child gets. */
  env?: Readonly<Record<string, string>>;
  /** The folder it starts in. */
  cwd?: string;
  /** What it reads on standard input; nothing by default. */
  input?: Uint8Array;
  /** Milliseconds after which its whole process group is killed. */
  timeout: number;
  /** The most bytes of standard output; more ends it. 256 MiB by default. */
  most?: number;
  /** What it and its children may use; more ends them. */
  limits?: Limits;
  /** `false` throws standard output away unread. */
  capture?: boolean;
  /** Called with each line of standard error as it comes. */
  onLine?: (line: string) => void;
  /** Called with the process id as soon as it runs. */
  onStart?: (pid: number) => Promise<void> | void;
  /** `true`: Ctrl-C does not end it; the run decides when it is over. */
  shielded?: boolean;
}

/** What a program may use while a hostile server feeds it. */
export interface Limits {
  /** Bytes of memory of all its processes together. */
  memory: number;
  /** Whether only those in its own session count (setsid(2)). */
  session?: boolean;
  /** A folder, and how many bytes its files may grow to. */
  disk?: { folder: string; most: number };
}

/** How a program ended. A code other than 0 is the caller's to judge. */
export interface Finished {
  /** Its exit code; 128 + the signal's number if a signal ended it. */
  code: number;
  /** Whether the timeout ended it. */
  timedOut: boolean;
  /** All it wrote to standard output, unless not captured. */
  stdout: Uint8Array;
  /** The end of what it wrote to standard error, at most 16 KiB. */
  stderr: string;
}

/** How much a message matters, in the journal's terms. */
export type Level = "debug" | "info" | "notice" | "warning" | "error";

/** Something that is at work within a stage. */
export interface Task {
  kind: "build" | "fetch";
  /** E.g. `linux-6.12.8`. */
  name: string;
  /** Milliseconds since it began. */
  ms: number;
  /** Its phase, or how far it is; may be empty. */
  note: string;
}

/** How far a stage is. Texts may come from elsewhere and are not yet clean. */
export interface Progress {
  /** In one line, e.g. `3 of 12 built, 41 MiB fetched · linux-6.12.8`. */
  text: string;
  /** What is at work now, what began first first. */
  tasks?: readonly Task[];
  /** The line that a build wrote last. */
  last?: string;
}

/** What a run tells while it goes on. */
export type Event =
  /** An attempt begins; what follows is about it. */
  | { kind: "attempt"; id: string; revision: string }
  /** `ago`: milliseconds since it began, where that is told late. */
  | { kind: "start"; stage: Stage; ago?: number }
  /** Whoever shows it asks how far it is, as often as they like. */
  | { kind: "progress"; stage: Stage; now: () => Progress }
  /** A line that a program wrote, not yet clean: for the log of the attempt. */
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
  /** The current time, which a person or NTP may set: never for a span. */
  now(): Date;
  /** Milliseconds since some moment, by a clock that does not jump. */
  monotonic(): number;
  /** Waits for a number of milliseconds. */
  sleep(ms: number): Promise<void>;
  /** Tells whoever watches. */
  tell(event: Event): void;
}

/** Tells a message of the given level. */
export function say(
  effects: Pick<Effects, "tell">,
  level: Level,
  text: string,
  hints: readonly string[] = [],
): void {
  effects.tell({ kind: "message", level, text, hints });
}
