/**
 * Approves or rejects the revision that waits, for `approve` and `reject`.
 *
 * @module
 */
import { usageError } from "../base/errors.ts";
import { oneLine, short } from "../base/text.ts";
import { takeLock } from "../host/lock.ts";
import { appendHistory } from "../state/history.ts";
import type { Hold, State, Waiting, Wish } from "../state/state.ts";
import { readState, writeState } from "../state/state_file.ts";

/** The shortest beginning of a revision that names it. */
const shortest = 7;

/**
 * Approves the waiting revision: the next run deploys it, once.
 *
 * @param of The revision, or at least 7 digits of it.
 * @returns the approved revision.
 * @throws {SyncError} `nothing-waits`, `not-waiting` or `not-a-revision`,
 * exit 2; the errors of a lock or a state that cannot be used.
 */
export async function approve(
  folder: string,
  of: string,
  by: string,
  now: Date,
): Promise<Waiting> {
  using _lock = await takeLock(folder, "approve", now.getTime());
  const state = await readState(folder);
  const waiting = waitingOf(state, of, "approve");
  if (waiting.approved) return waiting;
  const next = await approveWaiting(folder, state, waiting, { by }, now);
  return next.waiting!;
}

/**
 * Records the approval in history and state. The caller holds the lock.
 *
 * @returns the state that was written.
 */
export async function approveWaiting(
  folder: string,
  state: State,
  waiting: Waiting,
  wish: Wish,
  now: Date,
): Promise<State> {
  const approved = { by: wish.by, at: now.toISOString() };
  await told(folder, "approve", waiting, wish, now);
  const next: State = { ...state, waiting: { ...waiting, approved } };
  await writeState(folder, next);
  return next;
}

/**
 * Rejects the waiting revision: it is blocked.
 *
 * @returns the hold.
 * @throws {SyncError} as {@linkcode approve}.
 */
export async function reject(
  folder: string,
  of: string,
  wish: Wish,
  now: Date,
): Promise<Hold> {
  using _lock = await takeLock(folder, "reject", now.getTime());
  const state = await readState(folder);
  const waiting = waitingOf(state, of, "reject");
  const { waiting: _, ...rest } = state;
  const { revision, digest, target } = waiting;
  const { by, reason } = wish;
  const hold: Hold = {
    revision,
    ...digest && { digest },
    target,
    stage: "decide",
    reason: "rejected",
    message: `${by} rejected it${reason ? `: ${reason}` : ""}`,
    hints: [],
    since: now.toISOString(),
  };
  await told(folder, "reject", waiting, wish, now);
  const others = state.holds.filter((one) => one.revision !== revision);
  await writeState(folder, { ...rest, holds: [hold, ...others] });
  return hold;
}

/** Writes the history entry. The history is always written before the state. */
async function told(
  folder: string,
  command: "approve" | "reject",
  { revision, subject, author, system }: Waiting,
  { by, reason }: Wish,
  now: Date,
): Promise<void> {
  const at = now.toISOString();
  await appendHistory(folder, {
    version: 1,
    id: `${at.slice(0, 19)}-${crypto.randomUUID().slice(0, 4)}`,
    command,
    at,
    ms: 0,
    result: command === "approve" ? "approved" : "rejected",
    exit: 0,
    revision,
    subject,
    author,
    system,
    by,
    ...reason ? { why: reason } : {},
    stages: [],
  });
}

function waitingOf(
  { waiting, holds }: Pick<State, "waiting" | "holds">,
  of: string,
  command: string,
): Waiting {
  const to = of.toLowerCase();
  if (!/^[0-9a-f]+$/.test(to) || to.length < shortest) {
    throw usageError(
      "not-a-revision",
      `Cannot ${command} ${
        oneLine(of, 80)
      }: expected a commit hash, or at least ${shortest} digits of it`,
      waiting ? waitingHint(command, waiting) : nothingHint,
    );
  }
  const hold = holds.find(({ revision }) => revision.startsWith(to));
  if (waiting?.revision.startsWith(to) && !hold) return waiting;
  if (hold) {
    throw usageError(
      "held",
      `Cannot ${command} ${
        short(hold.revision)
      }: it is blocked: ${hold.message}`,
      "Run `gitops-sync retry`. The commit then waits for approval again.",
    );
  }
  throw usageError(
    waiting ? "not-waiting" : "nothing-waits",
    `Cannot ${command} ${
      short(to)
    }: it does not wait for approval on this host`,
    waiting ? waitingHint(command, waiting) : nothingHint,
  );
}

const nothingHint =
  "Run `gitops-sync sync`. With `approval` in the configuration, a commit waits after a run has built it.";

/** Names the commit that waits, in the command to type. */
function waitingHint(command: string, { revision, subject }: Waiting): string {
  return `Run \`gitops-sync ${command} ${
    short(revision)
  }\`. This commit waits: "${subject}".`;
}
