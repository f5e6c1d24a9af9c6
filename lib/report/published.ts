/**
 * The state of the host for users other than root: a file that everybody may
 * read, with nothing from a private repository in it (docs/json.md).
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
 * The file. Its modification time is the time of the last query to the remote: a
 * run with nothing to do changes only that. Its folder is not the service's
 * RuntimeDirectory, which others may not enter and which each run removes.
 */
export const publishedFile = "/run/gitops-sync-status/status.json";

/** The run in progress locks it, so that everybody can see if it still runs. */
const runFile = `${dirname(publishedFile)}/run`;

/** The content of the file, besides the fields of every document. */
export interface Published {
  published: true;
  host: string;
  /** Without the repository's URL and folder. */
  target: { ref: string; operation: string };
  state: HostState;
  /** The revision that was confirmed last, and when. */
  lastGood: { revision: string; at: string } | null;
  /** The tip of the ref from the last query. */
  tip: string | null;
  /**
   * The stage of the run in progress (state `deploying`), or at which a run was
   * interrupted (state `out-of-sync`).
   */
  stage: string | null;
  /** How the last attempt ended, without its message. */
  last: Omit<LastAttempt, "message" | "hints"> | null;
  /** Without its reason. */
  suspension: { since: string; until: string | null } | null;
  /** When the remote was queried last, and whether it answered. */
  checked: { at: string; answered: boolean } | null;
}

/**
 * Returns the facts that everybody may know: no subject, author or signer of a
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

/** Returns what is published if the state cannot be read. */
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
 * Replaces the file atomically.
 *
 * @param time The modification time of the file.
 * @throws {Error} if the folder cannot be made or written to, or if others may
 * write to it.
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
 * Marks for everybody that a run is in progress, until the mark is closed or this
 * process dies. It makes a new file, which nobody else can have locked before.
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

/** Whether the run that made the last mark is still in progress. */
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
 * Reads what a run has published. If a run was killed while it deployed, the
 * state is `out-of-sync`, as it is for root.
 *
 * @returns `undefined` if root has published no such file.
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

/** @throws {Error} if it cannot be read. */
function readFile(): Published | undefined {
  const { uid, mtime } = Deno.lstatSync(publishedFile);
  if (uid !== 0 && uid !== Deno.uid()) return undefined;
  const found: Published = JSON.parse(Deno.readTextFileSync(publishedFile));
  const { checked } = found;
  if (!checked || !mtime) return found;
  return { ...found, checked: { ...checked, at: mtime.toISOString() } };
}
