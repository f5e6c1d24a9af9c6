/**
 * Signed notes in the repository, which replace a command on this host: they
 * approve a waiting revision, or accept a move of the ref. A note that cannot be
 * read, checked or used changes nothing.
 *
 * @module
 */
import { digestOf } from "../base/digest.ts";
import { type Effects, type Level, say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { foreseen } from "../base/os_error.ts";
import { isOfAny } from "../base/pattern.ts";
import { oneLine, short } from "../base/text.ts";
import type { Tip } from "../base/tip.ts";
import type { Config } from "../config/schema.ts";
import { type SignedFile, signedFiles } from "../git/notes.ts";
import { removeIfThere } from "../git/mirror.ts";
import { approvalsRef } from "../git/remote.ts";
import { remoteOf } from "../git/sources.ts";
import { readKeyFile } from "../keys/key_file.ts";
import { wantedOf } from "../run/approval.ts";
import { holdOf, isMove, sameTarget, targetOf } from "../run/decide.ts";
import { followedOf } from "../run/followed.ts";
import { approveWaiting } from "../run/word.ts";
import type { State } from "../state/state.ts";
import { acceptMove } from "../trust/accept.ts";
import {
  type Note,
  noteOfName,
  type NotePlace,
  readNote,
  whyNotFor,
} from "../trust/note.ts";
import { makeKeyring } from "../trust/keyring.ts";
import { noteSigner } from "../trust/note_signature.ts";
import type { Good, Keyring } from "../trust/signature.ts";

/** The most notes about one revision that are read. */
const mostNotes = 20;

const keyHint =
  "Fix the files of approvals.allowedSigners and approvals.openpgpKeys. The commit waits until then.";

/** The most used notes that are remembered. */
const mostHeeded = 100;

/** The result of the notes. */
export interface Heeded {
  state: State;
  /** `false`: a later run may find more, although nothing changes. */
  isWhole: boolean;
}

/**
 * Looks for a note that this host waits for, and applies it. The notes are
 * fetched only if one could change something.
 *
 * @param id The object that the ref of the notes points to.
 * @throws {SyncError} if the state cannot be written, or a person interrupts it.
 */
export async function heedNotes(
  effects: Effects,
  config: Config,
  state: State,
  tip: Tip,
  id: string,
): Promise<Heeded> {
  const place = wantOf(config, state, tip);
  if (!place) return { state, isWhole: true };
  const { counts, isWhole } = await lookFor(
    effects,
    config,
    state,
    tip,
    id,
    place,
  );
  if (!counts) return { state, isWhole };
  return { state: await apply(effects, config, state, counts), isWhole };
}

/** Returns what a note must be about. */
function wantOf(
  config: Config,
  state: State,
  tip: Tip,
): NotePlace | undefined {
  const target = targetOf(config);
  const { repository, ref, host } = target;
  const here = { repository, ref, host };
  const waiting = config.approval === "none" ? undefined : wantedOf(state);
  if (waiting && sameTarget(waiting.target, target)) {
    return { ...here, operation: "approve", revision: waiting.revision };
  }
  const hold = holdOf(state, tip, target, config);
  if (!hold || !isMove(hold)) return undefined;
  return {
    ...here,
    operation: "accept",
    revision: hold.revision,
    from: followedOf(state, target)?.revision,
  };
}

/** A note that applies to this host. */
interface Counting {
  note: Note;
  signer: Good;
  digest: string;
}

/** What was found among the notes. */
interface Looked {
  counts?: Counting;
  isWhole: boolean;
}

/** Looks for a note that applies. A failure is only a warning. */
async function lookFor(
  effects: Effects,
  config: Config,
  state: State,
  tip: Tip,
  id: string,
  place: NotePlace,
): Promise<Looked> {
  try {
    const folder = `${config.stateDirectory}/approvals`;
    const remote = remoteOf(config, tip.servedBy);
    const files = await signedFiles(
      { effects, folder, remote },
      approvalsRef(config)!,
      id,
      (name) => isAbout(name, place),
      mostNotes,
    );
    if (files.length === 0) return { isWhole: true };
    return await firstThatCounts(effects, config, state, files, folder, place);
  } catch (thrown) {
    const error = foreseen(thrown);
    const isOurs = error instanceof SyncError && error.reason !== "interrupted";
    if (!isOurs) throw error;
    const text = `Cannot check signed approvals: ${error.message}`;
    const hints = error.reason.startsWith("keys-") ? [keyHint] : error.hints;
    say(effects, "warning", text, hints);
    return { isWhole: false };
  }
}

async function firstThatCounts(
  effects: Effects,
  config: Config,
  state: State,
  files: readonly SignedFile[],
  folder: string,
  place: NotePlace,
): Promise<Looked> {
  const keys = await noteKeys(effects, config, folder);
  let isWhole = true;
  for (const file of files) {
    const digest = await digestOf("SHA-256", new Uint8Array(file.bytes));
    if (state.heeded?.includes(digest)) continue;
    const tell = (level: Level, why: string) =>
      say(effects, level, `The signed note ${oneLine(file.name, 140)} ${why}`);
    const signer = await noteSigner(effects, keys, folder, file);
    const note = signer
      ? readNote(file.bytes)
      : "is not signed by a key that may approve";
    if (typeof note === "string" || !signer) {
      // It may apply after the keys are fixed.
      isWhole = false;
      tell("notice", note as string);
      continue;
    }
    const why = whyNotFor(note, place, effects.now());
    if (why === undefined) return { counts: { note, signer, digest }, isWhole };
    tell(isForOthers(note, place) ? "debug" : "notice", why);
  }
  return { isWhole };
}

/** Whether a note is for other hosts, which is normal. */
function isForOthers({ hosts }: Note, { host }: NotePlace): boolean {
  return !isOfAny(hosts, host);
}

/** Writes the trusted keys to new files. */
async function noteKeys(
  effects: Effects,
  config: Config,
  folder: string,
): Promise<Keyring> {
  const place = `${folder}/keys`;
  await removeIfThere(place);
  const signers = config["approvals.allowedSigners"];
  const revoked = config["verify.revokedKeys"];
  return await makeKeyring(effects, place, {
    ssh: signers === undefined ? [] : [readKeyFile(signers)],
    openpgp: config["approvals.openpgpKeys"].map(readKeyFile),
    ...revoked === undefined ? {} : { revoked: readKeyFile(revoked) },
  });
}

function isAbout(name: string, { operation, revision }: NotePlace): boolean {
  const said = noteOfName(name);
  return said?.operation === operation && said.revision === revision;
}

/** Applies a note, once on this host. */
async function apply(
  effects: Effects,
  config: Config,
  before: State,
  { note, signer: { name, key }, digest }: Counting,
): Promise<State> {
  const folder = config.stateDirectory;
  const heeded = [digest, ...before.heeded ?? []].slice(0, mostHeeded);
  const state: State = { ...before, heeded };
  const why = `signed note${note.reason ? `: ${oneLine(note.reason)}` : ""}`;
  const wish = { by: name, reason: why };
  const now = effects.now();
  const next = note.operation === "approve"
    ? await approveWaiting(folder, state, state.waiting!, wish, now)
    : await acceptMove(folder, state, {
      revision: note.revision,
      repository: config.repository,
      ref: config.ref,
      at: now.toISOString(),
      until: new Date(note.until).toISOString(),
    }, wish);
  const did = note.operation === "approve" ? "approved" : "accepted";
  say(
    effects,
    "notice",
    `${name} (${key}) ${did} ${short(note.revision)} with a signed note${
      note.reason ? `: ${oneLine(note.reason)}` : ""
    }`,
  );
  return next;
}
