/**
 * Skips the full decision if nothing has changed since a run that had nothing
 * to do.
 *
 * Such a run stores everything that its decision depended on: the words of the
 * command line, the text of the configuration, the environment, the state, what
 * the host runs and boots, and the query to the remote with its answer. The
 * next run compares all of it, word for word, under the same lock, and sends
 * the same query to the remote. If anything differs or fails, and at least once
 * a day, the run does the full check.
 *
 * Few modules are loaded here: each costs a hundredth of such a run.
 *
 * @module
 */
import type { Command } from "../base/effects.ts";
import { takeLock } from "../host/lock.ts";
import { alarm, ask, type Late, passedOn } from "../process/command.ts";

// These are not literals, so that Deno does not read the modules before they
// are needed (gitops_sync.ts).
const watchModule: string = "../process/watch.ts";
const familyModule: string = "../process/family.ts";
const redactModule: string = "../base/redact.ts";

/** The default state folder. */
const defaultFolder = "/var/lib/gitops-sync";

/** The default configuration file. */
const defaultConfig = "/etc/gitops-sync/config.yaml";

const maxAge = 24 * 3_600_000;

/**
 * The limit is that of a full run (lib/git/remote.ts): a pattern of tags may
 * match ten thousand, of 150 bytes each.
 */
const maxAnswer = 16 * 2 ** 20;

const late: Late = {
  async watch(...args) {
    const { watch }: typeof import("../process/watch.ts") = await import(
      watchModule
    );
    return watch(...args);
  },
  async end(pid) {
    const { endFamily }: typeof import("../process/family.ts") = await import(
      familyModule
    );
    endFamily(pid, ["-KILL"]);
  },
};

/** The stored query, its answer, and what the run printed. */
interface Settled {
  /** Everything that the decision depended on, except the remote. */
  grounds: string;
  /** The time of the last full check, in milliseconds since 1970. */
  at: number;
  question: Pick<Command, "program" | "args" | "env" | "timeout">;
  answer: string;
  says: string;
  /** The files whose modification time is the time of the last query. */
  stamps: readonly string[];
  /** From this time on there is something to do, in milliseconds since 1970. */
  until?: number;
  /** The metrics file with the time of the last check, if there is one. */
  check?: string;
}

/** A call, as far as it decides which files to read. */
interface Called {
  words: readonly string[];
  config: string;
  /** The text of the configuration, or `null` if there is no file. */
  text: string | null;
  folder: string;
}

// Not a literal, so that Deno does not read it before it is needed
// (gitops_sync.ts).
const filesModule: string = "../host/files.ts";

const fileIn = (folder: string) => `${folder}/settled.json`;
const stateIn = (folder: string) => `${folder}/state.json`;
const suspension = "suspended.json";

/**
 * Returns the result of the last run if nothing has changed since; `undefined`
 * if a full run is needed.
 *
 * @param words The arguments of the program.
 */
export async function stillSettled(
  words: readonly string[],
): Promise<string | undefined> {
  if (words[0] !== "sync" && words[0]?.startsWith("-") === false) return;
  try {
    const called = callOf(words);
    if (!isTrusted(called.folder)) return;
    const settled: Settled = JSON.parse(
      Deno.readTextFileSync(fileIn(called.folder)),
    );
    const now = Date.now();
    const age = now - settled.at;
    if (!(age >= 0 && age < maxAge)) return;
    if (settled.until !== undefined && now >= settled.until) return;
    using _lock = await takeLock(called.folder, "sync", now);
    if (settled.grounds !== groundsOf(called)) return;
    const querying = ask(settled.question, maxAnswer, late);
    // Set while Git runs: setting it takes as long as the comparison above.
    const cancelAlarm = alarm(slowAfter, () => tellWaiting(settled.question));
    const answer = await querying.finally(cancelAlarm);
    if (answer !== settled.answer) return undefined;
    touch(settled.stamps);
    if (settled.check !== undefined) writeCheckTime(settled.check, now);
    return settled.says;
  } catch {
    // The full run meets the same error and reports it.
    return undefined;
  }
}

/** Returns the file with the time of the check, beside the other metrics. */
export function checkFileOf(textfile: string): string {
  return textfile.replace(/(\.prom)?$/, "-check.prom");
}

/** Returns the time of a check as a metric; always of the same length. */
export function checkText(now: number): string {
  const name = "gitops_sync_last_check_timestamp_seconds";
  return `# HELP ${name} When the repository answered last.\n` +
    `# TYPE ${name} gauge\n${name} ${(now / 1000).toFixed(3)}\n`;
}

/**
 * Overwrites the time of the last check. The file is neither truncated nor
 * replaced: file systems would then write it to the disk at once, which takes
 * milliseconds; this takes microseconds. Only digits change, in one write. If
 * that fails, the old time stays, and an alert on it reports the failure.
 *
 * @param now In milliseconds since 1970.
 */
function writeCheckTime(path: string, now: number): void {
  try {
    using file = Deno.openSync(path, { write: true });
    const bytes = new TextEncoder().encode(checkText(now));
    if (file.statSync().size === bytes.length) file.writeSync(bytes);
  } catch {
    // The run does not depend on this file.
  }
}

/** Milliseconds in which most servers answer. */
const slowAfter = 2000;

/** Prints which server the run is waiting for. */
async function tellWaiting({ args }: Settled["question"]): Promise<void> {
  const { shown }: typeof import("../base/redact.ts") = await import(
    redactModule
  );
  const repository = args[args.indexOf("--") + 1] ?? "";
  console.error(shown(`${repository} has not answered yet`));
}

/**
 * Sets the modification time of files to now. This is one system call each, and
 * all that such a run writes.
 */
function touch(paths: readonly string[]): void {
  const now = Date.now() / 1000;
  for (const path of paths) {
    try {
      Deno.utimeSync(path, now, now);
    } catch {
      // No decision depends on this time, so a missing file does not matter.
    }
  }
}

/**
 * Stores that a run had nothing to do. Call it while the run holds the lock.
 *
 * @param says What the run printed.
 * @param leaves What later runs update: the files whose modification time is
 * the time of the last query, and the metrics file if there is one. `until` is
 * when there is something to do, in milliseconds since 1970.
 */
export async function settle(
  folder: string,
  words: readonly string[],
  question: Command,
  answer: string,
  says: string,
  { stamps, textfile, until }: {
    stamps: readonly string[];
    textfile?: string | undefined;
    until?: number | undefined;
  },
): Promise<void> {
  const called = callOf(words);
  // The configuration names the folder in a way that is not understood here.
  if (called.folder !== folder) return;
  const { program, args, env = {}, timeout } = question;
  const { writeWhole }: typeof import("../host/files.ts") = await import(
    filesModule
  );
  try {
    const settled: Settled = {
      grounds: groundsOf(called),
      at: Date.now(),
      question: { program, args, env, timeout },
      answer,
      says,
      stamps,
      ...until === undefined ? {} : { until },
      ...(textfile === undefined ? {} : { check: checkFileOf(textfile) }),
    };
    await writeWhole(fileIn(folder), `${JSON.stringify(settled)}\n`);
  } catch {
    // The disk may be full. The next run does the full check then.
  }
}

/**
 * Finds the configuration and the state folder. A simple parser is enough: a
 * wrong guess finds no file, or a file with other grounds.
 */
function callOf(words: readonly string[]): Called {
  const config = valueOf(words, "--config") ?? defaultConfig;
  const text = textOf(config);
  const named = /(?:^|[{,])\s*"?stateDirectory"?\s*:\s*["']?([^"'\n,}#]+)/m
    .exec(text ?? "")?.[1]?.trim();
  const folder = valueOf(words, "--state-directory") ?? named ?? defaultFolder;
  return { words, config, text, folder };
}

function valueOf(words: readonly string[], flag: string): string | undefined {
  const at = words.findLastIndex((word) =>
    word === flag || word.startsWith(`${flag}=`)
  );
  if (at === -1) return undefined;
  const word = words[at]!;
  return word === flag ? words[at + 1] : word.slice(flag.length + 1);
}

function textOf(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function groundsOf({ words, config, text, folder }: Called): string {
  return JSON.stringify([
    // Another version of the program may decide differently.
    import.meta.url,
    Deno.execPath(),
    words,
    Deno.hostname(),
    passedOn.map((name) => Deno.env.get(name)),
    config,
    text,
    textOf(stateIn(folder)),
    suspensionIn(folder),
    // After a reboot a full run checks the host's health. The kernel's boot ID
    // is not used: Deno hides it from the packaged program
    // (lib/process/kernel.ts).
    modifiedAt("/run/booted-system"),
    targetOf("/run/current-system"),
    targetOf("/nix/var/nix/profiles/system"),
    // A person may change by hand what the boot loader starts
    // (lib/host/boot_entry.ts).
    loaderTimes(),
  ]);
}

const loaderFiles = [
  "/boot/loader/loader.conf",
  "/efi/loader/loader.conf",
  "/boot/efi/loader/loader.conf",
  "/boot/grub/grub.cfg",
  "/boot/extlinux/extlinux.conf",
];

/**
 * Returns the modification time of each file, or `null`. Most hosts have one of
 * them. Listing the folder costs less than an error for a missing file.
 */
function loaderTimes(): (number | null)[] {
  const listed = new Map<string, string[]>();
  const namesIn = (folder: string): string[] => {
    const names = listed.get(folder) ??
      [...Deno.readDirSync(folder)].map(({ name }) => name);
    listed.set(folder, names);
    return names;
  };
  const isThere = (path: string): boolean => {
    const slash = path.lastIndexOf("/");
    const folder = path.slice(0, slash);
    return (folder === "" || isThere(folder)) &&
      namesIn(`${folder}/`).includes(path.slice(slash + 1));
  };
  return loaderFiles.map((path) => {
    try {
      return isThere(path) ? modifiedAt(path) : null;
    } catch {
      // If it cannot be read, the full run reports it.
      return null;
    }
  });
}

/**
 * Returns whether the stored files can be trusted. They decide that root does
 * nothing, so no other user may have written them.
 */
function isTrusted(folder: string): boolean {
  return isOurs(Deno.statSync(folder)) &&
    isOurs(Deno.lstatSync(fileIn(folder))) &&
    isOurs(Deno.lstatSync(stateIn(folder)));
}

/**
 * Returns the text of the suspension, or `null`. Most hosts have none, and an
 * error for a missing file would cost a hundredth of such a run.
 *
 * @throws {Error} if another user may have written it.
 */
function suspensionIn(folder: string): string | null {
  for (const { name } of Deno.readDirSync(folder)) {
    if (name !== suspension) continue;
    const path = `${folder}/${name}`;
    if (isOurs(Deno.lstatSync(path))) return textOf(path);
    throw new Error(`${path} is not ours`);
  }
  return null;
}

/**
 * Returns whether only root, or the user who runs this, can write to a file.
 */
function isOurs({ uid, mode, isFile, isDirectory }: Deno.FileInfo): boolean {
  return (isFile || isDirectory) && (uid === 0 || uid === Deno.uid()) &&
    (mode! & 0o022) === 0;
}

/** Returns when a link was made; NixOS makes this one early in each boot. */
function modifiedAt(path: string): number | null {
  try {
    return Deno.lstatSync(path).mtime?.getTime() ?? null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function targetOf(path: string): string | null {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
