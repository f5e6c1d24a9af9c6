/**
 * How the host stands, for people who are not root: a file that all may read,
 * with nothing in it that a private repository holds (docs/json.md).
 *
 * @module
 */
import { dirname } from "@std/path";
import { foreignOnTheWay } from "../host/trusted_path.ts";
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
  /** The stage of a run under way. */
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
    stage: facts.isBusy && attempt ? attempt.stage : null,
    last: state.last ? bare(state.last) : null,
    suspension: suspension
      ? { since: suspension.since, until: suspension.until }
      : null,
    checked: asked
      ? { at: asked.at.toISOString(), answered: asked.tip !== undefined }
      : null,
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
  const folder = dirname(publishedFile);
  try {
    Deno.mkdirSync(folder, { mode: 0o755 });
    Deno.chmodSync(folder, 0o755);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const foreign = foreignOnTheWay(publishedFile);
  if (foreign) throw new Error(`${foreign.path}: ${foreign.why}`);
  // Several may write at the same time: a run, and a person who suspends.
  const temporary = `${publishedFile}.${Deno.pid}`;
  Deno.writeTextFileSync(temporary, text, { mode: 0o600 });
  Deno.utimeSync(temporary, time, time);
  Deno.chmodSync(temporary, 0o644);
  Deno.renameSync(temporary, publishedFile);
}

/**
 * Reads what a run has published.
 *
 * @returns nothing where there is no such file of root's.
 */
export function readPublished(): Published | undefined {
  try {
    const { uid, mtime } = Deno.lstatSync(publishedFile);
    if (uid !== 0 && uid !== Deno.uid()) return undefined;
    const found: Published = JSON.parse(Deno.readTextFileSync(publishedFile));
    const { checked } = found;
    if (!checked || !mtime) return found;
    return { ...found, checked: { ...checked, at: mtime.toISOString() } };
  } catch {
    return undefined;
  }
}
