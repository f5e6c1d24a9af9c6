/**
 * A person's word, for once: that a ref may be moved to a revision, or that a
 * revision may end what brings the next one.
 *
 * @module
 */
import { usageError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import { appendHistory } from "../state/history.ts";
import { takeLock } from "../host/lock.ts";
import type { Accepted, Hold, State, Wish } from "../state/state.ts";
import { isMove, isNext } from "../run/decide.ts";
import { isSame } from "../run/same.ts";
import { isRevision } from "../base/names.ts";
import { readState, writeState } from "../state/state_file.ts";

/** More are forgotten: each is for one move. */
const mostAccepted = 20;

/** The ref that a host follows, as far as it is configured. */
export interface FollowedRef {
  repository: string | undefined;
  ref: string;
}

/**
 * Remembers, in state and history, that a ref may move to a revision, and to
 * what is built on it, although that is not forward.
 *
 * @param to The revision in full, or the beginning of a held one.
 * @param followed The ref that may move, where the revision is not held: a hold
 * knows its own.
 * @param span For how long that counts, in milliseconds.
 * @param what `unfollow`: it may come although no later commit would arrive.
 * @returns what is remembered.
 * @throws {SyncError} exit 2, where it is not clear which revision is meant or
 * where it is held for something that nobody can accept.
 */
export async function accept(
  folder: string,
  to: string,
  now: Date,
  followed: FollowedRef,
  span: number,
  what: "move" | "unfollow" = "move",
): Promise<Accepted> {
  using _lock = await takeLock(folder, "accept", now.getTime());
  const state = await readState(folder);
  const revision = choose(state, to.toLowerCase());
  const holds = state.holds.filter((one) => one.revision === revision);
  // Another hold would keep it from coming all the same.
  const isMeant = what === "move" ? isMove : isNext;
  const hold = holds.find((one) => !isMeant(one));
  if (hold) throw notMeant(hold);
  const at = now.toISOString();
  const accepted: Accepted = {
    revision,
    ...digestOf(holds),
    ...refOf(holds, followed),
    at,
    until: new Date(now.getTime() + span).toISOString(),
  };
  await writeDown(
    folder,
    state,
    accepted,
    (one) => isSame(one, accepted) && isMeant(one),
    what,
  );
  return accepted;
}

/**
 * Accepts a move in the place of a person, under the lock that is held.
 *
 * @param accepted The move, with its ref and repository.
 * @param wish Whose word it is.
 * @returns the state that was written.
 */
export async function acceptMove(
  folder: string,
  state: State,
  accepted: Accepted,
  wish: Wish,
): Promise<State> {
  const { repository, ref, revision } = accepted;
  const holds = state.holds.filter((one) =>
    one.revision === revision && isMove(one) &&
    one.target.repository === repository && one.target.ref === ref
  );
  return await writeDown(
    folder,
    state,
    { ...accepted, ...digestOf(holds) },
    (one) => holds.includes(one),
    "move",
    wish,
  );
}

/** Writes it into history and state. */
async function writeDown(
  folder: string,
  state: State,
  accepted: Accepted,
  isLifted: (hold: Hold) => boolean,
  what: "move" | "unfollow",
  wish?: Wish,
): Promise<State> {
  const { at, revision } = accepted;
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
    ...wish && { by: wish.by },
    ...wish?.reason && { why: wish.reason },
    stages: [],
  });
  const others = (state.accepted ?? []).filter((one) =>
    one.revision !== revision
  );
  const next: State = {
    ...state,
    holds: state.holds.filter((one) => !isLifted(one)),
    ...(what === "move"
      ? { accepted: [accepted, ...others].slice(0, mostAccepted) }
      : { unfollow: accepted }),
  };
  await writeState(folder, next);
  return next;
}

/** Known where its signature was good. */
function digestOf(holds: readonly Hold[]): Pick<Accepted, "digest"> {
  const digest = holds.find((one) => one.digest)?.digest;
  return digest ? { digest } : {};
}

/** The ref that was moved: the configured one, if it is held for that one. */
function refOf(
  holds: readonly Hold[],
  { repository, ref }: FollowedRef,
): { repository: string; ref: string } {
  const targets = holds.map(({ target }) => target);
  const found =
    targets.find((one) => one.repository === repository && one.ref === ref) ??
      targets[0];
  if (found) return { repository: found.repository, ref: found.ref };
  if (repository !== undefined) return { repository, ref };
  throw usageError(
    "repository-missing",
    "Cannot accept a revision: no repository is configured",
    "name the repository that this host follows: --config FILE, or --repository URL --ref NAME",
  );
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
  const held = holds.filter((hold) => isMove(hold) || isNext(hold)).map((
    { revision },
  ) => short(revision));
  throw usageError(
    "unknown-revision",
    `Cannot accept ${to}: expected a full commit hash, or at least the first 7 digits of a blocked commit`,
    held.length === 0
      ? "no commit is blocked for a reason that accept can lift; see gitops-sync status"
      : `these commits are blocked: ${held.join(", ")}`,
  );
}

function notMeant({ revision, message, hints }: Hold) {
  return usageError(
    "not-a-move",
    `Cannot accept ${
      short(revision)
    }: it is blocked for another reason: ${message}`,
    ...hints,
    "run gitops-sync retry to try the same commit again",
  );
}
