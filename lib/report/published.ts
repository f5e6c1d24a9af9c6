/**
 * How the host stands, for people who are not root: a file that all may read,
 * with nothing in it that a private repository holds (docs/json.md).
 *
 * @module
 */
import { dirname } from "@std/path";
import type { Config } from "../config/schema.ts";
import { lockNow } from "../host/lock.ts";
import { unsafePart } from "../host/trusted_path.ts";
import { hostStateOf } from "../run/host_state.ts";
import type { HostFacts, HostState } from "../run/host_state.ts";
import type { AskedAt } from "../state/asked.ts";
import type { LastAttempt } from "../state/state.ts";

/**
 * The file. Its time of last change is when the remote was asked last: a run
 * with nothing to do changes nothing else of it. Its folder is not the
 * service's RuntimeDirectory, which nobody else may enter and which goes with
 * each run.
 */
export const publishedFile = "/run/gitops-sync-status/status.json";

/** Locked by the run that is under way: all may see whether it still lives. */
const runFile = `${dirname(publishedFile)}/run`;

/** What is in the file, beside what every document has. */
export interface Published {
  published: true;
  host: string;
  /** Without the repository's URL and folder. */
  target: { ref: string; operation: string };
  state: HostState;
  /** The revision that was confirmed last, and when. */
  lastGood: { revision: string; at: string } | null;
  /** The revision that the remote named when it was asked last. */
  tip: string | null;
  /**
   * The stage of the run under way, or at which a run stopped in the midst: the
   * state is `deploying` then, or `out-of-sync`.
   */
  stage: string | null;
  /** How the last attempt ended, without its message. */
  last: Omit<LastAttempt, "message" | "hints"> | null;
  /** Without its reason. */
  suspension: { since: string; until: string | null } | null;
  /** When the remote was asked last, and whether it answered. */
  checked: { at: string; answered: boolean } | null;
}

/**
 * What of a host's facts everybody may know: no subject, author or signer of a
 * commit, no message, no URL, no reason that a person wrote.
 */
export function publishedOf(facts: HostFacts & { asked?: AskedAt }): Published {
  const { config, state, suspension, tip, asked } = facts;
  const { lastGood, attempt } = state;
  return {
    published: true,
    host: config.host,
    target: { ref: config.ref, operation: config.operation },
    state: hostStateOf(facts),
    lastGood: lastGood
      ? { revision: lastGood.revision, at: lastGood.at }
      : null,
    tip: tip?.revision ?? null,
    stage: attempt ? attempt.stage : null,
    last: state.last ? bare(state.last) : null,
    suspension: suspension
      ? { since: suspension.since, until: suspension.until }
      : null,
    checked: asked
      ? { at: asked.at.toISOString(), answered: asked.tip !== undefined }
      : null,
  };
}

/** What is told where the state can't be read. */
export function unknownOf(
  { host, ref, operation }: Pick<Config, "host" | "ref" | "operation">,
): Published {
  return {
    published: true,
    host,
    target: { ref, operation },
    state: "unknown",
    lastGood: null,
    tip: null,
    stage: null,
    last: null,
    suspension: null,
    checked: null,
  };
}

function bare(last: LastAttempt): Published["last"] {
  const { message: _, hints: __, ...rest } = last;
  return rest;
}

/**
 * Puts a text in place of the file, at once or not at all.
 *
 * @param time The time of last change that the file is to have.
 * @throws {Error} where the folder can't be made or written to, or where
 * somebody else may write to it.
 */
export function writePublished(text: string, time: Date): void {
  makeFolder();
  // Several may write at the same time: a run, and a person who suspends.
  const temporary = `${publishedFile}.${Deno.pid}`;
  Deno.writeTextFileSync(temporary, text, { mode: 0o600 });
  Deno.utimeSync(temporary, time, time);
  Deno.chmodSync(temporary, 0o644);
  Deno.renameSync(temporary, publishedFile);
}

/** @throws {Error} as {@linkcode writePublished}. */
function makeFolder(): void {
  const folder = dirname(publishedFile);
  try {
    Deno.mkdirSync(folder, { mode: 0o755 });
    Deno.chmodSync(folder, 0o755);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const foreign = unsafePart(publishedFile);
  if (foreign) throw new Error(`${foreign.path}: ${foreign.why}`);
}

/**
 * Marks for everybody that a run is under way, until the mark is closed or this
 * process dies. The file is a new one: nobody else can have locked it before.
 *
 * @throws {Error} as {@linkcode writePublished}.
 */
export async function markRun(): Promise<Disposable> {
  makeFolder();
  const temporary = `${runFile}.${Deno.pid}`;
  const file = Deno.openSync(temporary, {
    write: true,
    create: true,
    mode: 0o600,
  });
  try {
    await lockNow(file, true);
    Deno.chmodSync(temporary, 0o644);
    Deno.renameSync(temporary, runFile);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Whether the run that marked itself last is still under way. */
async function isRunning(): Promise<boolean> {
  try {
    using file = Deno.openSync(runFile, { read: true });
    return !await lockNow(file, false);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Reads what a run has published. A run that was killed can't take back that it
 * deploys: the state is `out-of-sync` then, as it is for root.
 *
 * @returns nothing where there is no such file of root's.
 */
export async function readPublished(): Promise<Published | undefined> {
  try {
    const first = readFile();
    if (!await isCutOff(first)) return first;
    // It may have ended well since, and another one may have begun.
    const second = readFile();
    if (!second || !await isCutOff(second)) return second;
    return { ...second, state: "out-of-sync" };
  } catch {
    return undefined;
  }
}

async function isCutOff(found: Published | undefined): Promise<boolean> {
  return found?.state === "deploying" && !await isRunning();
}

/** @throws {Error} where it can't be read. */
function readFile(): Published | undefined {
  const { uid, mtime } = Deno.lstatSync(publishedFile);
  if (uid !== 0 && uid !== Deno.uid()) return undefined;
  const found: Published = JSON.parse(Deno.readTextFileSync(publishedFile));
  const { checked } = found;
  if (!checked || !mtime) return found;
  return { ...found, checked: { ...checked, at: mtime.toISOString() } };
}
