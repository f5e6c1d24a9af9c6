/**
 * A person's word that a ref may be moved to a revision, once.
 *
 * @module
 */
import { usageError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import { appendHistory } from "../state/history.ts";
import { takeLock } from "../host/lock.ts";
import type { Hold, State } from "../state/state.ts";
import { isMove } from "../run/decide.ts";
import { isRevision } from "../base/names.ts";
import { readState, writeState } from "../state/state_file.ts";

/** More are forgotten: each is for one move. */
const mostAccepted = 20;

/**
 * Remembers, in state and history, that a revision may come although its ref
 * did not move forward to it.
 *
 * @param to The revision in full, or the beginning of a held one.
 * @returns the full revision.
 * @throws {SyncError} exit 2, where it is not clear which revision is meant or
 * where it is held for something that nobody can accept.
 */
export async function accept(
  folder: string,
  to: string,
  now: Date,
): Promise<string> {
  using _lock = await takeLock(folder, "accept", now.getTime());
  const state = await readState(folder);
  const revision = choose(state, to.toLowerCase());
  // Another hold would keep it from coming all the same.
  const hold = state.holds.find((one) =>
    one.revision === revision && !isMove(one)
  );
  if (hold) throw notAMove(hold);
  const at = now.toISOString();
  // The history first, as everywhere: what is done is written down before.
  await appendHistory(folder, {
    version: 1,
    id: `${at.slice(0, 19)}-${crypto.randomUUID().slice(0, 4)}`,
    command: "accept",
    at,
    ms: 0,
    result: "accepted",
    exit: 0,
    revision,
    stages: [],
  });
  const others = (state.accepted ?? []).filter((one) =>
    one.revision !== revision
  );
  await writeState(folder, {
    ...state,
    holds: state.holds.filter((one) =>
      one.revision !== revision || !isMove(one)
    ),
    accepted: [{ revision, at }, ...others].slice(0, mostAccepted),
  });
  return revision;
}

/** Which revision a person means. */
function choose({ holds, seen }: State, to: string): string {
  if (isRevision(to)) return to;
  const known = new Set(holds.map(({ revision }) => revision));
  if (seen) known.add(seen.revision);
  const found = to.length < 7
    ? []
    : [...known].filter((revision) => revision.startsWith(to));
  if (found.length === 1) return found[0]!;
  const held = holds.filter(isMove).map(({ revision }) => short(revision));
  throw usageError(
    "unknown-revision",
    `Cannot accept ${to}: expected a full commit hash, or at least 7 digits of one that is held`,
    held.length === 0
      ? "no revision is held for where its ref was moved: gitops-sync status"
      : `these are held: ${held.join(", ")}`,
  );
}

function notAMove({ revision, message, hints }: Hold) {
  return usageError(
    "not-a-move",
    `Cannot accept ${
      short(revision)
    }: it is held for another reason: ${message}`,
    ...hints,
    "gitops-sync retry tries the same one again",
  );
}
