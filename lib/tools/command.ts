/**
 * The one place that starts programs.
 *
 * @module
 */
import type { Command, Finished } from "../base/effects.ts";

/**
 * The variables that reach a child. Everything else of our environment stays
 * here, so that a secret in it can't reach a build or a server by accident.
 */
export const passedOn = [
  "PATH",
  "HOME",
  "USER",
  "LANG",
  "LC_ALL",
  "LOCALE_ARCHIVE",
  "TZDIR",
  "TMPDIR",
  "XDG_CACHE_HOME",
  "XDG_RUNTIME_DIR",
  "SSH_AUTH_SOCK",
  "http_proxy",
  "https_proxy",
  "ftp_proxy",
  "all_proxy",
  "no_proxy",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "ALL_PROXY",
  "NO_PROXY",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "CURL_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  "NIX_SSL_CERT_FILE",
  "NIX_CONF_DIR",
  "NIX_CONFIG",
  "NIX_PATH",
  "NIX_REMOTE",
  "NIX_USER_CONF_FILES",
  "NIXOS_INSTALL_BOOTLOADER",
] as const;

const mostOutput = 256 * 1024 * 1024;
const stderrKept = 16 * 1024;
// Nix writes an error with its traces as one line of some 100 KiB.
const longestLine = 4 * 1024 * 1024;
// How long the output may stay open after a program has ended: by then it is
// in the hands of a process that left the group and may live for ever.
const afterTheEnd = 5_000;

function childEnvironment(
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of passedOn) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  return Object.assign(env, extra);
}

/** The chunks of a stream to its end, or until nobody waits for it. */
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

/** Reads a stream to its end, at most `mostOutput` bytes. */
async function readAll(
  stream: AsyncIterable<Uint8Array>,
  tooMuch: () => void,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    if (length + chunk.length > mostOutput) {
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
    // The program ended without reading all of it; its exit code tells why.
  }
}

/** Ends a child and what it started, as far as that stayed in its group. */
function killGroup(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch (error) {
    // Else it ended by itself between our look and our call.
    if (!(error instanceof Deno.errors.NotCapable)) return;
    // Deno lets only those send signals who may run any program, and the
    // packaged program may not.
    runNow("kill", ["-KILL", "--", `-${pid}`]);
  }
}

/** Runs what takes no time, and what nothing is to be known of but this. */
export function runNow(
  program: string,
  args: string[],
): { code: number; stdout: string } {
  const { code, stdout } = new Deno.Command(program, {
    args,
    clearEnv: true,
    env: childEnvironment(),
    stdin: "null",
    stderr: "null",
  }).outputSync();
  return { code, stdout: new TextDecoder().decode(stdout) };
}

/** Starts a program; `inherit` gives it the terminal as well. */
export async function start(
  command: Command,
  stderr: "piped" | "null" | "inherit" = "piped",
): Promise<Deno.ChildProcess> {
  const isAttended = stderr === "inherit";
  try {
    return new Deno.Command(command.program, {
      args: [...command.args],
      clearEnv: true,
      env: childEnvironment(command.env),
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
      stdin: isAttended ? "inherit" : command.input ? "piped" : "null",
      stdout: isAttended
        ? "inherit"
        : command.capture === false
        ? "null"
        : "piped",
      stderr,
      // A group of its own, so that a timeout ends the whole family; but the
      // terminal is the group's that was started from it.
      detached: !isAttended,
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      throw (await failure()).notAllowed(command.program);
    }
    const isMissing = error instanceof Deno.errors.NotFound &&
      !error.message.includes("No such cwd");
    if (error instanceof Deno.errors.PermissionDenied) {
      throw (await failure()).forbidden(command.program);
    }
    throw isMissing ? (await failure()).missing(command.program) : error;
  }
}

/** What most runs need not load. */
const failure = () => import("./command_failure.ts");

/**
 * Calls back after a time, unless it is let go of first. Not by setTimeout,
 * which is loaded at its first use, and that costs a run with nothing to do a
 * seventh of its time.
 *
 * @returns what lets go of it.
 */
function alarm(ms: number, ring: () => void): () => void {
  const signal = AbortSignal.timeout(ms);
  signal.addEventListener("abort", ring);
  return () => signal.removeEventListener("abort", ring);
}

/**
 * Runs a program for what it writes to standard output, and for nothing else:
 * less to load than {@linkcode run}, for the runs that have nothing to do.
 *
 * @param most The bytes after which it is ended.
 * @returns what it wrote, or `undefined` if it failed in any way.
 */
export async function ask(
  command: Command,
  most: number,
): Promise<string | undefined> {
  const child = await start(command, "null");
  const letGo = alarm(command.timeout, () => killGroup(child.pid));
  const decoder = new TextDecoder();
  const reader = child.stdout.getReader();
  let answer = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    answer += decoder.decode(value, { stream: true });
    if (answer.length > most) killGroup(child.pid);
  }
  const { code } = await child.status;
  letGo();
  return code === 0 && answer.length <= most ? answer : undefined;
}

/**
 * Runs a program to its end.
 *
 * @param interrupt Aborted when a person wants the run to end.
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
  let ended: "timeout" | "interrupt" | "output" | undefined;
  const end = (why: NonNullable<typeof ended>) => {
    ended ??= why;
    killGroup(child.pid);
  };
  let letGo = alarm(command.timeout, () => end("timeout"));
  const onInterrupt = () => end("interrupt");
  mayInterrupt?.addEventListener("abort", onInterrupt);
  const status = child.status.then(({ code }) => {
    letGo();
    letGo = alarm(afterTheEnd, () => stop.abort());
    return code;
  });
  try {
    if (command.input) write(child.stdin, command.input);
    const [, stdout, stderr, code] = await Promise.all([
      command.onStart?.(child.pid),
      command.capture === false
        ? new Uint8Array()
        : readAll(chunksOf(child.stdout, stop.signal), () => end("output")),
      readLines(chunksOf(child.stderr, stop.signal), command.onLine),
      status,
    ]);
    if (ended === "interrupt") throw (await failure()).interrupted();
    if (ended === "output") {
      throw (await failure()).outputTooLarge(command.program, mostOutput);
    }
    return { code, timedOut: ended === "timeout", stdout, stderr };
  } catch (error) {
    // Who called us goes on without it, so it must not go on by itself.
    killGroup(child.pid);
    await status;
    stop.abort();
    throw error;
  } finally {
    letGo();
    mayInterrupt?.removeEventListener("abort", onInterrupt);
  }
}
