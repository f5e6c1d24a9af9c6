/**
 * Runs programs to their end, with all their output.
 *
 * @module
 */
import type { Command, Finished } from "../base/effects.ts";
import { alarm, start } from "./command.ts";
import { killGroup } from "./family.ts";

const mostOutput = 256 * 1024 * 1024;
const stderrKept = 16 * 1024;
// Nix writes an error with its traces as one line of some 100 KiB.
const longestLine = 4 * 1024 * 1024;
// How long the output may stay open after a program has ended. A process that
// left its group may hold it open for ever.
const afterTheEnd = 5_000;
// How long a killed program may take to end. The kernel cannot end one that
// waits for a disk or a network file system.
const afterTheKill = 5_000;
const killed = 128 + 9;

const failure = () => import("./command_failure.ts");

/** Reads the chunks of a stream until it ends or is aborted. */
async function* chunksOf(
  stream: ReadableStream<Uint8Array>,
  stop: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  stop.addEventListener("abort", () => reader.cancel());
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}

/** Reads a stream to its end, at most `most` bytes. */
async function readAll(
  stream: AsyncIterable<Uint8Array>,
  most: number,
  tooMuch: () => void,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    if (length + chunk.length > most) {
      tooMuch();
      break;
    }
    length += chunk.length;
    chunks.push(chunk);
  }
  if (chunks.length === 1) return chunks[0]!;
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** Reads standard error line by line and keeps its end. */
async function readLines(
  stream: AsyncIterable<Uint8Array>,
  onLine: (line: string) => void = () => {},
): Promise<string> {
  const decoder = new TextDecoder();
  let kept = "";
  let line = "";
  for await (const chunk of stream) {
    const text = decoder.decode(chunk, { stream: true });
    kept = (kept + text).slice(-stderrKept);
    const [first, ...others] = text.split("\n");
    if (line.length < longestLine) line += first;
    for (const next of others) {
      onLine(line);
      line = next;
    }
  }
  if (line !== "") onLine(line);
  return kept;
}

async function write(stdin: WritableStream<Uint8Array>, input: Uint8Array) {
  try {
    const writer = stdin.getWriter();
    await writer.write(input);
    await writer.close();
  } catch {
    // The program ended before it read everything; its exit code shows why.
  }
}

/**
 * Runs a program to its end.
 *
 * @param interrupt Aborted when a person stops the run.
 * @throws {SyncError} `program-missing` if there is no such program,
 * `interrupted` if the person ended the run, `output-too-large`.
 */
export async function run(
  command: Command,
  interrupt?: AbortSignal,
): Promise<Finished> {
  const mayInterrupt = command.shielded ? undefined : interrupt;
  if (mayInterrupt?.aborted) throw (await failure()).interrupted();
  const child = await start(command);
  const stop = new AbortController();
  const most = command.most ?? mostOutput;
  let ended: "timeout" | "interrupt" | "output" | "limit" | undefined;
  let isGone = false;
  let giveUp = (_code: number) => {};
  const givenUp = new Promise<number>((resolve) => giveUp = resolve);
  const kill = () => {
    letGo();
    letGo = alarm(afterTheKill, () => {
      giveUp(killed);
      stop.abort();
    });
    try {
      killGroup(child.pid);
    } catch {
      // No program can be started now. The alarm still ends the wait.
    }
  };
  const end = (why: NonNullable<typeof ended>) => {
    ended ??= why;
    if (isGone) stop.abort();
    else kill();
  };
  let letGo = alarm(command.timeout, () => end("timeout"));
  const onInterrupt = () => end("interrupt");
  mayInterrupt?.addEventListener("abort", onInterrupt);
  const gone = child.status.then(({ code }) => {
    isGone = true;
    letGo();
    letGo = alarm(afterTheEnd, () => stop.abort());
    return code;
  });
  const status = Promise.race([gone, givenUp]);
  const unwatch = command.limits
    ? (await import("./watch.ts")).watch(
      child.pid,
      command.limits,
      () => end("limit"),
    )
    : undefined;
  try {
    if (command.input) write(child.stdin, command.input);
    const [, stdout, stderr, code] = await Promise.all([
      command.onStart?.(child.pid),
      command.capture === false ? new Uint8Array() : readAll(
        chunksOf(child.stdout, stop.signal),
        most,
        () => end("output"),
      ),
      readLines(chunksOf(child.stderr, stop.signal), command.onLine),
      status,
    ]);
    if (ended === "interrupt") throw (await failure()).interrupted();
    if (ended === "output") {
      throw (await failure()).outputTooLarge(command.program, most);
    }
    if (ended === "limit") throw (await failure()).overLimit(command.program);
    return { code, timedOut: ended === "timeout", stdout, stderr };
  } catch (error) {
    // The caller continues without it, so it must not stay alive.
    if (!isGone) kill();
    await status;
    stop.abort();
    throw error;
  } finally {
    unwatch?.();
    letGo();
    mayInterrupt?.removeEventListener("abort", onInterrupt);
  }
}
