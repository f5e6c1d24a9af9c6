/**
 * The only place that starts programs. It also reads short answers, which is
 * all that a run with nothing to do needs.
 *
 * @module
 */
import type { Command, Limits } from "../base/effects.ts";

/**
 * The environment variables that a program gets. Everything else stays here, so
 * that a secret cannot reach a build or a server by accident.
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

// The memory limit of a program that talks to a server.
const mostMemory = 2 * 2 ** 30;
/** Milliseconds after which a program is watched. Most have ended by then. */
const firstLook = 1000;
/** Milliseconds to wait for a killed program before giving up on it. */
const afterTheKill = 5_000;

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

/**
 * Runs a short program and returns its exit code and output. `kill` is run like
 * this: Deno only lets a program send signals if it may run any program, and
 * ours may not.
 */
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

/** Runs a short program in English, and also returns its standard error. */
export function askNow(
  program: string,
  args: string[],
): { code: number; stdout: string; stderr: string } {
  const { code, stdout, stderr } = new Deno.Command(program, {
    args,
    clearEnv: true,
    env: childEnvironment({ LC_ALL: "C" }),
    stdin: "null",
  }).outputSync();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/**
 * Starts a program. `inherit` gives it the terminal.
 *
 * @param detached Whether it gets a process group of its own, so that a timeout
 * kills all its children. This costs milliseconds, because the kernel then
 * copies our tables first (fork(2), not vfork(2)).
 */
export async function start(
  command: Command,
  stderr: "piped" | "null" | "inherit" = "piped",
  // The terminal belongs to the process group that was started from it.
  detached = stderr !== "inherit",
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
      detached,
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

// Not a literal, so that it is only loaded when it is needed (gitops_sync.ts).
const failureModule: string = "./command_failure.ts";

function failure(): Promise<typeof import("./command_failure.ts")> {
  return import(failureModule);
}

/**
 * Calls back after a time, unless it is cancelled first. It does not use
 * setTimeout: loading that takes a seventh of the time of a run with nothing to
 * do.
 *
 * @returns a function that cancels it.
 */
export function alarm(ms: number, ring: () => void): () => void {
  const signal = AbortSignal.timeout(ms);
  signal.addEventListener("abort", ring);
  return () => signal.removeEventListener("abort", ring);
}

/** What few programs need; loaded when it is needed. */
export interface Late {
  /** Watches a program until the returned function is called (watch.ts). */
  watch(pid: number, limits: Limits, over: () => void): Promise<() => void>;
  /** Kills a program with all that it has started (family.ts). */
  end(pid: number): Promise<void>;
}

/**
 * Runs a program only for its standard output. It loads less than `run`
 * (run_command.ts), for runs that have nothing to do.
 *
 * @param most The most bytes that it may write before it is killed.
 * @param late What stops it if it takes too long or too much memory.
 * @param memory Bytes.
 * @returns its output, or `undefined` if it failed.
 */
export async function ask(
  command: Command,
  most: number,
  late: Late,
  memory = mostMemory,
): Promise<string | undefined> {
  const child = await start(command, "null", false);
  let giveUp = () => {};
  const givenUp = new Promise<undefined>((resolve) =>
    giveUp = () => resolve(undefined)
  );
  const kill = () => {
    letGo();
    letGo = alarm(afterTheKill, giveUp);
    late.end(child.pid).catch(() => {});
  };
  let ended = false;
  let unwatch: (() => void) | undefined;
  const watchIt = async () => {
    const stop = await late.watch(child.pid, { memory }, kill);
    if (ended) stop();
    else unwatch = stop;
  };
  // Most need only this alarm. A program that takes longer may receive endless
  // data, so its memory is watched as well.
  let letGo = alarm(Math.min(firstLook, command.timeout), () => {
    const rest = command.timeout - firstLook;
    if (rest <= 0) return kill();
    letGo = alarm(rest, kill);
    watchIt();
  });
  try {
    const answer = answerOf(child, most, () => late.end(child.pid));
    return await Promise.race([answer, givenUp]);
  } finally {
    ended = true;
    letGo();
    unwatch?.();
  }
}

async function answerOf(
  child: Deno.ChildProcess,
  most: number,
  end: () => Promise<void>,
): Promise<string | undefined> {
  const decoder = new TextDecoder();
  const reader = child.stdout.getReader();
  let answer = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    answer += decoder.decode(value, { stream: true });
    if (answer.length <= most) continue;
    await end();
    await reader.cancel();
    break;
  }
  const { code } = await child.status;
  return code === 0 && answer.length <= most ? answer : undefined;
}
