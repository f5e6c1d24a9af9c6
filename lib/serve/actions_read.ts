/**
 * Reads the requests of buttons for root's unit. An attacker who took over the
 * server controls the content of the folder, and may change it at any time.
 *
 * @module
 */
import { kindOf, readRequest, type Request } from "./actions_request.ts";
import type { ButtonKind } from "../config/serve_kinds.ts";
import { mostWaiting } from "./actions_ask.ts";

/** The limit of a request, in bytes. */
const longest = 2048;

/**
 * How long a request is valid, and how much clocks may differ, in milliseconds.
 */
const oldest = 5 * 60_000;
const early = 5_000;

/**
 * The time limit for reading a file, in milliseconds. It may be endless, or a
 * pipe without a writer.
 */
const longestWait = 5_000;

/** A request, or why a file is refused. */
export type Found = { request: Request } | { refused: string };

/** The rules for a folder of requests. */
export interface Rules {
  kind: ButtonKind;
  /** The user id of the server. */
  owner: number;
  now: Date;
}

/**
 * Reads all requests of a folder, in the order of their names. It never shows
 * the name or content of an invalid file.
 */
export async function* readRequests(
  folder: string,
  rules: Rules,
): AsyncGenerator<Found> {
  const info = lstat(folder);
  if (!info) return;
  if (!info.isDirectory || info.uid !== rules.owner) {
    return yield { refused: "the server did not create the folder" };
  }
  let names: string[];
  try {
    names = namesIn(folder);
  } catch (error) {
    return yield { refused: `the folder can't be read: ${nameOf(error)}` };
  }
  for (const name of names.slice(0, mostWaiting)) {
    yield await readOne(`${folder}/${name}`, name, rules);
  }
  const rest = names.length - mostWaiting;
  if (rest > 0) yield { refused: `${rest} requests too many` };
}

/** Returns the names of the files. Hidden files are incomplete. */
function namesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name)
    .filter((name) => !name.startsWith(".")).sort();
}

async function readOne(
  path: string,
  name: string,
  { kind, owner, now }: Rules,
): Promise<Found> {
  if (!/^\d{1,15}-[0-9a-f-]{36}\.json$/.test(name)) {
    return { refused: "its name does not have the format of the server" };
  }
  let text: string;
  try {
    text = await textIn(path, owner);
  } catch (error) {
    const why = error instanceof UnusableFile ? error.message : nameOf(error);
    return { refused: why };
  }
  const request = readRequest(text);
  if (!request) return { refused: "it is not a valid request" };
  if (kindOf(request.action) !== kind) {
    return { refused: `${request.action} is not for this unit` };
  }
  const age = now.getTime() - Date.parse(request.at);
  if (age > oldest) return { refused: "it is too old: press again" };
  if (age < -early) return { refused: "its time is in the future" };
  return { request };
}

/** A file that the server did not write. */
class UnusableFile extends Error {}

/**
 * Checks the file before and after it is opened, because it may have been
 * replaced in between.
 */
async function textIn(path: string, owner: number): Promise<string> {
  const before = await Deno.lstat(path);
  mustBeOurs(before, owner);
  using file = await inTime(Deno.open(path, { read: true }));
  const after = await file.stat();
  mustBeOurs(after, owner);
  if (after.ino !== before.ino || after.dev !== before.dev) {
    throw new UnusableFile("it was replaced while it was read");
  }
  const bytes = new Uint8Array(longest + 1);
  let length = 0;
  while (length < bytes.length) {
    const read = await inTime(file.read(bytes.subarray(length)));
    if (read === null) break;
    length += read;
  }
  if (length > longest) throw new UnusableFile("it is too long");
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
    .decode(bytes.subarray(0, length));
}

function mustBeOurs(info: Deno.FileInfo, owner: number): void {
  if (!info.isFile || info.isSymlink) {
    throw new UnusableFile("it is not a regular file");
  }
  if (info.uid !== owner) throw new UnusableFile("the server does not own it");
  if (info.nlink !== 1) {
    throw new UnusableFile("it has more than one hard link");
  }
  if (info.size > longest) throw new UnusableFile("it is too long");
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new UnusableFile("reading it takes too long")),
      longestWait,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Returns the name of an error, without its message, which contains the path.
 */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "it can't be read";
}

function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
