/**
 * A run that finds everything as the last one left it comes to the same
 * decision: nothing. It need not load, check and decide all of it again.
 *
 * So a run with nothing to do writes down what that rested on: the words it was
 * called with, the text of the configuration, the environment, the state, what
 * the host runs and boots, what the remote was asked and what it answered. The
 * next run compares each of them, word for word, under the same lock, and asks
 * the remote the same question. Whatever differs, whatever fails, and once a
 * day anyway, everything is looked at in full.
 *
 * Few modules are loaded here: each costs a hundredth of such a run.
 *
 * @module
 */
import type { Command } from "../base/effects.ts";
import { takeLock } from "../host/lock.ts";
import { alarm, ask, type Late, passedOn } from "../process/command.ts";

// No literals, so that they are not read before they are needed
// (gitops_sync.ts).
const watchModule: string = "../process/watch.ts";
const familyModule: string = "../process/family.ts";
const redactModule: string = "../base/redact.ts";

/** Where the program keeps its state if nothing else is said. */
const usualFolder = "/var/lib/gitops-sync";

/** Where it looks for its configuration. */
const usualConfig = "/etc/gitops-sync/config.yaml";

const mostAge = 24 * 3_600_000;

/**
 * As much as a run in full takes (lib/git/remote.ts): a pattern of tags may name
 * ten thousand, of 150 bytes each.
 */
const mostAnswer = 16 * 2 ** 20;

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

/** The question to the remote and its answer, and what was said then. */
interface Settled {
  /** Everything beside the remote that the decision rested on. */
  grounds: string;
  /** When it was looked at in full, in milliseconds since 1970. */
  at: number;
  question: Pick<Command, "program" | "args" | "env" | "timeout">;
  answer: string;
  says: string;
  /** The files whose time tells when the remote was asked last. */
  stamps: readonly string[];
  /** When there is something to do all the same, in milliseconds since 1970. */
  until?: number;
  /** Where the time of the check is left for Prometheus, if anywhere. */
  check?: string;
}

/** What a run is called with, as far as it decides where to look. */
interface Called {
  words: readonly string[];
  config: string;
  /** The text of the configuration, or `null` where there is none. */
  text: string | null;
  folder: string;
}

// Not a literal, so that it is not read before it is needed (gitops_sync.ts).
const filesModule: string = "../host/files.ts";

const fileIn = (folder: string) => `${folder}/settled.json`;
const stateIn = (folder: string) => `${folder}/state.json`;
const suspension = "suspended.json";

/**
 * What a run that finds everything as it was has to say; `undefined` where it
 * does not, and must be done in full.
 *
 * @param words The arguments of the program.
 */
export async function stillSettled(
  words: readonly string[],
): Promise<string | undefined> {
  if (words[0] !== "sync" && words[0]?.startsWith("-") === false) return;
  try {
    const called = callOf(words);
    if (!mayBeBelieved(called.folder)) return;
    const settled: Settled = JSON.parse(
      Deno.readTextFileSync(fileIn(called.folder)),
    );
    const now = Date.now();
    const age = now - settled.at;
    if (!(age >= 0 && age < mostAge)) return;
    if (settled.until !== undefined && now >= settled.until) return;
    using _lock = await takeLock(called.folder, "sync", now);
    if (settled.grounds !== groundsOf(called)) return;
    const answering = ask(settled.question, mostAnswer, late);
    // Made while git works: it takes as long as all that was compared.
    const letGo = alarm(patience, () => tellWaiting(settled.question));
    const answer = await answering.finally(letGo);
    if (answer !== settled.answer) return undefined;
    stamp(settled.stamps);
    if (settled.check !== undefined) leaveCheck(settled.check, now);
    return settled.says;
  } catch {
    // Whatever it is, the full run meets it again and tells it.
    return undefined;
  }
}

/** Where the time of the check stands, beside the other metrics. */
export function checkFileOf(textfile: string): string {
  return textfile.replace(/(\.prom)?$/, "-check.prom");
}

/** The time of a check as a metric; always of the same length. */
export function checkText(now: number): string {
  const name = "gitops_sync_last_check_timestamp_seconds";
  return `# HELP ${name} When the repository answered last.\n` +
    `# TYPE ${name} gauge\n${name} ${(now / 1000).toFixed(3)}\n`;
}

/**
 * Writes the time of a check over the one before. The file is neither cut nor
 * replaced: file systems then write it to the disk at once, which takes
 * milliseconds, and this takes some microseconds. Only digits change, in one
 * write. Where that does not work the time stays as it was, and an alert on it
 * tells.
 *
 * @param now In milliseconds since 1970.
 */
function leaveCheck(path: string, now: number): void {
  try {
    using file = Deno.openSync(path, { write: true });
    const bytes = new TextEncoder().encode(checkText(now));
    if (file.statSync().size === bytes.length) file.writeSync(bytes);
  } catch {
    // The run has nothing to do with it.
  }
}

/** Milliseconds in which most servers have answered. */
const patience = 2000;

/** Says for what a person waits. */
async function tellWaiting({ args }: Settled["question"]): Promise<void> {
  const { shown }: typeof import("../base/redact.ts") = await import(
    redactModule
  );
  const repository = args[args.indexOf("--") + 1] ?? "";
  console.error(shown(`${repository} has not answered yet`));
}

/**
 * Sets the time of files to now: one call of the system each, which is all that
 * such a run writes.
 */
function stamp(paths: readonly string[]): void {
  const now = Date.now() / 1000;
  for (const path of paths) {
    try {
      Deno.utimeSync(path, now, now);
    } catch {
      // It is told and decides nothing: a file that is gone is no matter.
    }
  }
}

/**
 * Writes down that a run had nothing to do. Called while it holds the lock.
 *
 * @param says What it said.
 * @param leaves What such a run leaves: files whose time tells when the remote
 * was asked last, and the file of metrics if there is one; and when there is
 * something to do all the same, in milliseconds since 1970.
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
  // A folder that was named in a way that is not understood here.
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
    // On a full disk the next run looks at everything again.
  }
}

/**
 * Where the configuration and the state are. A rough reading is enough: a
 * wrong guess finds no file, or one whose grounds are not these.
 */
function callOf(words: readonly string[]): Called {
  const config = valueOf(words, "--config") ?? usualConfig;
  const text = textOf(config);
  const named = /(?:^|[{,])\s*"?stateDirectory"?\s*:\s*["']?([^"'\n,}#]+)/m
    .exec(text ?? "")?.[1]?.trim();
  const folder = valueOf(words, "--state-directory") ?? named ?? usualFolder;
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
    // Another program may decide otherwise.
    import.meta.url,
    Deno.execPath(),
    words,
    Deno.hostname(),
    passedOn.map((name) => Deno.env.get(name)),
    config,
    text,
    textOf(stateIn(folder)),
    suspensionIn(folder),
    // After a reboot the host's health is looked at. Not by the kernel's own
    // boot id, which Deno keeps from the packaged program (lib/process/kernel.ts).
    bornOf("/run/booted-system"),
    linkOf("/run/current-system"),
    linkOf("/nix/var/nix/profiles/system"),
    // What the bootloader starts may be set by hand (lib/host/boot_entry.ts).
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
 * When each of them was written, or `null`. Most hosts have one of them. To be
 * told by an error that a file is not there costs more than to list its folder.
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
      return isThere(path) ? bornOf(path) : null;
    } catch {
      // Where it can't be looked at, the full run says so.
      return null;
    }
  });
}

/**
 * What is written there is run by root, and is why nothing is done: nobody else
 * may have written it.
 */
function mayBeBelieved(folder: string): boolean {
  return isOurs(Deno.statSync(folder)) &&
    isOurs(Deno.lstatSync(fileIn(folder))) &&
    isOurs(Deno.lstatSync(stateIn(folder)));
}

/**
 * The text of the suspension, or `null`. Most hosts have none, and to be told
 * so by an error costs such a run a hundredth of its time.
 *
 * @throws {Error} where somebody else may have written it.
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

/** Whether only root, or who runs this, can have made and changed something. */
function isOurs({ uid, mode, isFile, isDirectory }: Deno.FileInfo): boolean {
  return (isFile || isDirectory) && (uid === 0 || uid === Deno.uid()) &&
    (mode! & 0o022) === 0;
}

/** When a link was made; NixOS makes this one early in each boot. */
function bornOf(path: string): number | null {
  try {
    return Deno.lstatSync(path).mtime?.getTime() ?? null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function linkOf(path: string): string | null {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
