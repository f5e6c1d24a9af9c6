/**
 * Programs that tests start: to their end, or to be watched and killed.
 *
 * @module
 */
import { record } from "../messages/record.ts";

/** How a program is started. */
export interface ProgramOptions {
  /** Variables beside (or in place of) those of the test. */
  env?: Readonly<Record<string, string>>;
  /** The folder it starts in. */
  cwd?: string;
  /** What it reads on standard input; nothing by default. */
  input?: string | Uint8Array;
  /** Milliseconds after which its process group is killed; two minutes. */
  timeout?: number;
}

/** How a program ended. */
export interface Ended {
  /** Its exit code; 128 + the signal's number if a signal ended it. */
  code: number;
  stdout: string;
  stderr: string;
}

/** A program under way. */
export interface Program {
  pid: number;
  /** Resolves at its end; throws where the timeout ended it. */
  ended: Promise<Ended>;
  /** Sends a signal to the program alone. */
  signal(signal: Deno.Signal): void;
  /** Ends it and all of its process group. */
  kill(): void;
}

/** Starts a program: an argument list, never a shell line. */
export function start(
  argv: readonly string[],
  options: ProgramOptions = {},
): Program {
  const [program, ...args] = argv;
  if (program === undefined) throw new TypeError("expected a program");
  const child = new Deno.Command(program, {
    args,
    ...(options.env ? { env: { ...options.env } } : {}),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdin: options.input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    // A group of its own, so that `kill` reaches what it started.
    detached: true,
  }).spawn();
  // Its number may be another process's, once it has ended.
  let isOver = false;
  const send = (to: number, signal: Deno.Signal) => {
    if (!isOver) signalTo(to, signal);
  };
  const kill = () => send(-child.pid, "SIGKILL");
  return {
    pid: child.pid,
    ended: end(child, argv, options, kill).finally(() => isOver = true),
    signal: (signal) => send(child.pid, signal),
    kill,
  };
}

/** Runs a program to its end, whatever its exit code. */
export function run(
  argv: readonly string[],
  options: ProgramOptions = {},
): Promise<Ended> {
  return start(argv, options).ended;
}

/**
 * Runs a program that must succeed.
 *
 * @returns its standard output without the last newline.
 * @throws {Error} with all that it wrote, where it did not.
 */
export async function output(
  argv: readonly string[],
  options: ProgramOptions = {},
): Promise<string> {
  const ended = await run(argv, options);
  return outputOf(argv, ended);
}

/** The standard output of a program that must have succeeded. */
export function outputOf(argv: readonly string[], ended: Ended): string {
  if (ended.code !== 0) {
    throw new Error(
      `${
        argv.join(" ")
      } ended with ${ended.code}:\n${ended.stdout}${ended.stderr}`,
    );
  }
  return ended.stdout.replace(/\n$/, "");
}

async function end(
  child: Deno.ChildProcess,
  argv: readonly string[],
  options: ProgramOptions,
  kill: () => void,
): Promise<Ended> {
  const timeout = options.timeout ?? 120_000;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    kill();
  }, timeout);
  try {
    const [stdout, stderr, status] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.status,
      options.input === undefined ? undefined : feed(child, options.input),
    ]);
    if (isLate) {
      throw new Error(
        `${argv.join(" ")} took over ${timeout} ms:\n${stdout}${stderr}`,
      );
    }
    const ended = { code: status.code, stdout, stderr };
    record(argv, ended);
    return ended;
  } finally {
    clearTimeout(timer);
  }
}

async function feed(child: Deno.ChildProcess, input: string | Uint8Array) {
  try {
    await new Blob([input as BlobPart]).stream().pipeTo(child.stdin);
  } catch {
    // It ended before it had read all of it; its exit code tells why.
  }
}

/** Sends a signal to a process, or to a group by its negative number. */
export function signalTo(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    // It may have ended by itself just now; anything else is a mistake.
    const isGone = error instanceof Deno.errors.NotFound ||
      error instanceof TypeError;
    if (!isGone) throw error;
  }
}
