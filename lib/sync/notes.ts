/**
 * Signed notes in the repository that stand for a person's word on this host:
 * what waits is approved, or a move of the ref is accepted. A note that can't
 * be read, checked or used changes nothing.
 *
 * @module
 */
import { digestOf } from "../base/digest.ts";
import { type Effects, say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { oneLine, short } from "../base/text.ts";
import type { Tip } from "../base/tip.ts";
import type { Config } from "../config/schema.ts";
import { type SignedFile, signedFiles } from "../git/notes.ts";
import { approvalsRef } from "../git/remote.ts";
import { remoteOf } from "../git/sources.ts";
import { readKeyFile } from "../keys/key_file.ts";
import { writeSigners } from "../keys/ssh_keys.ts";
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
import { type NoteSigner, noteSigner } from "../trust/note_signature.ts";

/** So many notes about one revision are looked at. */
const mostNotes = 20;

/** So many used notes are remembered. */
const mostHeeded = 100;

/** What came of the notes. */
export interface Heeded {
  state: State;
  /** `false`: a later run may find more, although nothing changes. */
  isWhole: boolean;
}

/**
 * Looks for a note that this host waits for, and does what it says. The notes
 * are fetched only where a word of a person would change something.
 *
 * @param id What the remote says that the ref of the notes is at.
 * @throws {SyncError} where the state can't be written, or a person ends it.
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
  try {
    return await heedFor(effects, config, state, tip, id, place);
  } catch (error) {
    const isOurs = error instanceof SyncError &&
      error.reason !== "interrupted" && error.stage !== "state";
    if (!isOurs) throw error;
    say(
      effects,
      "warning",
      `Cannot look for signed approvals: ${error.message}`,
      error.hints,
    );
    return { state, isWhole: false };
  }
}

/** What a note has to be about. */
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

async function heedFor(
  effects: Effects,
  config: Config,
  state: State,
  tip: Tip,
  id: string,
  place: NotePlace,
): Promise<Heeded> {
  const folder = `${config.stateDirectory}/approvals`;
  const remote = remoteOf(config, tip.servedBy);
  const files = await signedFiles(
    { effects, folder, remote },
    approvalsRef(config)!,
    id,
    (name) => isAbout(name, place),
    mostNotes,
  );
  if (files.length === 0) return { state, isWhole: true };
  const signers = `${folder}/signers`;
  await removeSigners(signers);
  const keys = readKeyFile(config["approvals.allowedSigners"]!);
  await writeSigners(effects, signers, keys);
  for (const file of files) {
    const digest = await digestOf("SHA-256", new Uint8Array(file.bytes));
    if (state.heeded?.includes(digest)) continue;
    const signer = await noteSigner(effects, signers, folder, file);
    const found = signer
      ? checkedNote(file, place, effects.now())
      : "is not signed by a key of approvals.allowedSigners";
    if (typeof found === "string" || !signer) {
      const name = oneLine(file.name, 140);
      say(effects, "notice", `The signed note ${name} ${found}`);
      continue;
    }
    const next = await apply(effects, config, state, found, signer, digest);
    return { state: next, isWhole: true };
  }
  return { state, isWhole: false };
}

function isAbout(name: string, { operation, revision }: NotePlace): boolean {
  const said = noteOfName(name);
  return said?.operation === operation && said.revision === revision;
}

/** Left by the run before; the check of the keys makes them anew. */
async function removeSigners(path: string): Promise<void> {
  for (const one of [path, `${path}.check`]) {
    await Deno.remove(one).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

/** The note in a file whose signature is good, or why it does not count. */
function checkedNote(
  { bytes }: SignedFile,
  place: NotePlace,
  now: Date,
): Note | string {
  const note = readNote(bytes);
  if (typeof note === "string") return note;
  return whyNotFor(note, place, now) ?? note;
}

/** Does what a note says, once on this host. */
async function apply(
  effects: Effects,
  config: Config,
  before: State,
  note: Note,
  { name, key }: NoteSigner,
  digest: string,
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
    `${name} (${key}) ${did} ${short(note.revision)} by a signed note${
      note.reason ? `: ${oneLine(note.reason)}` : ""
    }`,
  );
  return next;
}
