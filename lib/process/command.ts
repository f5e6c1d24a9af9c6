/**
 * The one place that starts programs, and asks one for a short answer: all that
 * a run with nothing to do needs.
 *
 * @module
 */
import type { Command, Limits } from "../base/effects.ts";

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

// Of a program that asks a server.
const mostMemory = 2 * 2 ** 30;
/** Milliseconds in which most questions have been answered. */
const firstLook = 1000;
/** Milliseconds after which one that was ended, and is still there, is left. */
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
 * Runs what takes no time, and what nothing is to be known of but this. `kill`
 * is run so: Deno lets only those send signals who may run any program, and we
 * may not.
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

/** The same, with what it says in English where it fails. */
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
 * Starts a program; `inherit` gives it the terminal as well.
 *
 * @param detached Whether it gets a group of its own, so that a timeout ends
 * the whole family. The kernel starts it in another way then, which costs
 * milliseconds: it copies our own tables first (fork(2), not vfork(2)).
 */
export async function start(
  command: Command,
  stderr: "piped" | "null" | "inherit" = "piped",
  // The terminal is the group's that was started from it.
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

// No literal, so that it is not read before it is needed (gitops_sync.ts).
const failureModule: string = "./command_failure.ts";

function failure(): Promise<typeof import("./command_failure.ts")> {
  return import(failureModule);
}

/**
 * Calls back after a time, unless it is let go of first. Not by setTimeout,
 * which is loaded at its first use, and that costs a run with nothing to do a
 * seventh of its time.
 *
 * @returns what lets go of it.
 */
export function alarm(ms: number, ring: () => void): () => void {
  const signal = AbortSignal.timeout(ms);
  signal.addEventListener("abort", ring);
  return () => signal.removeEventListener("abort", ring);
}

/** What few questions need; loaded when it is needed. */
export interface Late {
  /** Looks at a program until it is told to stop (watch.ts). */
  watch(pid: number, limits: Limits, over: () => void): Promise<() => void>;
  /** Ends a program with all that it has started (family.ts). */
  end(pid: number): Promise<void>;
}

/**
 * Runs a program for what it writes to standard output, and for nothing else:
 * less to load than `run` (run_command.ts), for the runs that have nothing to do.
 *
 * @param most The bytes after which it is ended.
 * @param late What ends it when it takes too long, or too much memory.
 * @param memory Bytes.
 * @returns what it wrote, or `undefined` if it failed in any way.
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
  // One alarm is enough for most. Who takes its time may be fed without end,
  // and is watched as well.
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
