/**
 * The attempts of this host, and which one a person means.
 *
 * @module
 */
import { usageError } from "../base/errors.ts";
import { count, oneLine, short } from "../base/text.ts";
import { isAttempt, readHistory } from "../state/history.ts";
import { loggedAttempts } from "../state/log_entries.ts";
import type { NamedAttempt } from "../report/history_words.ts";
import { readState } from "../state/state_file.ts";

/** Every attempt, oldest first; the one under way or cut off is the last. */
export async function attemptsIn(folder: string): Promise<NamedAttempt[]> {
  const known = readHistory(folder).map((entry): NamedAttempt => ({
    id: entry.id,
    revision: entry.revision,
    entry,
  }));
  const { attempt } = await readState(folder);
  const ids = new Set(known.map(({ id }) => id));
  if (attempt && !ids.has(attempt.id)) {
    known.push({ id: attempt.id, revision: attempt.commit.revision });
    ids.add(attempt.id);
  }
  // The history may be damaged, or have been written by nobody yet.
  const unknown = loggedAttempts(folder).filter((id) => !ids.has(id))
    .map((id): NamedAttempt => ({ id, revision: undefined }));
  return [...known, ...unknown].sort((a, b) => order(a) < order(b) ? -1 : 1);
}

/** Ids begin with a time; those of some lines of the history do not. */
function order({ id, entry }: NamedAttempt): string {
  return /^\d{8}-\d{6}/.exec(id)?.[0] ??
    (entry?.at ?? "").slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
}

/** Whether a run made it; a person's word and an outage have no log. */
export function isOfRun({ entry }: NamedAttempt): boolean {
  return entry === undefined || isAttempt(entry);
}

/**
 * The attempt that a word names: an id or its beginning, a revision or its
 * beginning (its last attempt counts), or `-1` for the last one, `-2` for the
 * one before it.
 *
 * @param word None: the last one.
 * @param isMeant Which of them count first, where more than one could be meant.
 * @throws {SyncError} `no-attempts`, `attempt-missing`, exit 2.
 */
export function attemptNamed(
  known: readonly NamedAttempt[],
  word: string | undefined,
  isMeant: (attempt: NamedAttempt) => boolean = () => true,
): NamedAttempt {
  // An entry of a person's word has an id, and counts as no attempt.
  const attempts = known.filter(isOfRun);
  if (known.length === 0) {
    throw usageError(
      "no-attempts",
      "There is no attempt on this host yet",
      "Run `gitops-sync sync`.",
    );
  }
  if (word === undefined) {
    return attempts.findLast(isMeant) ?? attempts.at(-1) ?? known.at(-1)!;
  }
  const back = /^-(\d{1,6})$/.exec(word)?.[1];
  const found = back !== undefined
    ? attempts.at(-Math.max(1, Number(back)))
    : word.length < 4
    ? undefined
    : byName(known, word, isMeant);
  if (found) return found;
  const last = known.at(-1)!;
  throw usageError(
    "attempt-missing",
    `Cannot find the attempt ${oneLine(word, 80)}: ${
      back !== undefined
        ? `this host has ${count(attempts.length, "attempt")}`
        : "expected an ID, the beginning of a revision (4 digits or more), or a number such as -1 for the last attempt"
    }`,
    `Run \`gitops-sync history --ids\` to list the attempts. The last one is ${last.id}${
      last.revision ? ` of ${short(last.revision)}` : ""
    }.`,
  );
}

function byName(
  known: readonly NamedAttempt[],
  word: string,
  isMeant: (attempt: NamedAttempt) => boolean,
): NamedAttempt | undefined {
  const ofRevision = known.filter(({ revision }) => revision?.startsWith(word));
  return known.findLast(({ id }) => id === word) ??
    ofRevision.findLast(isMeant) ?? ofRevision.at(-1) ??
    known.findLast(({ id }) => id.startsWith(word));
}

/** The words that name attempts, newest first, for completions. */
export async function attemptWords(folder: string): Promise<string[]> {
  return (await attemptsIn(folder)).map(({ id }) => id).reverse();
}
