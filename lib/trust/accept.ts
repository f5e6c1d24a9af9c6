/**
 * One-time permissions of a person: a ref may move to a revision, or a revision
 * may remove what fetches the next one.
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

/** Older entries are dropped: each is for one move. */
const mostAccepted = 20;

/** The ref that a host follows, as configured. */
export interface FollowedRef {
  repository: string | undefined;
  ref: string;
}

/**
 * Stores, in state and history, that a ref may move to a revision and to its
 * descendants, although that is not forward.
 *
 * @param to The full revision, or the first digits of a blocked one.
 * @param followed The ref that may move, if the revision is not blocked: a hold
 * has its own ref.
 * @param span How long the permission is valid, in milliseconds.
 * @param what `unfollow`: it may be deployed although no later commit would
 * arrive.
 * @returns the stored permission.
 * @throws {SyncError} exit 2, if the revision is ambiguous, or blocked for a
 * reason that nobody can accept.
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
  // Another hold would still block it.
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
 * Accepts a move on behalf of a person. The caller holds the lock.
 *
 * @param accepted The move, with its ref and repository.
 * @param wish Who accepted it, and why.
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

/** Writes the permission to history and state. */
async function writeDown(
  folder: string,
  state: State,
  accepted: Accepted,
  isLifted: (hold: Hold) => boolean,
  what: "move" | "unfollow",
  wish?: Wish,
): Promise<State> {
  const { at, revision } = accepted;
  // The history first, as everywhere: an action is recorded before it happens.
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

/** Known if its signature was good. */
function digestOf(holds: readonly Hold[]): Pick<Accepted, "digest"> {
  const digest = holds.find((one) => one.digest)?.digest;
  return digest ? { digest } : {};
}

/**
 * Returns the ref that was moved: the configured one, if the revision is
 * blocked for it.
 */
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

/** Returns the revision that a person means. */
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
