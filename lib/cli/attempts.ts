/**
 * Lists the attempts of this host, and finds the one that a word names.
 *
 * @module
 */
import { usageError } from "../base/errors.ts";
import { count, oneLine, short } from "../base/text.ts";
import { isAttempt, readHistory } from "../state/history.ts";
import { loggedAttempts } from "../state/log_entries.ts";
import type { NamedAttempt } from "../report/history_words.ts";
import { readState } from "../state/state_file.ts";

/**
 * Returns every attempt, oldest first. The last one may be in progress or
 * interrupted.
 */
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
  // The history may be damaged or missing, so the logs are listed as well.
  const unknown = loggedAttempts(folder).filter((id) => !ids.has(id))
    .map((id): NamedAttempt => ({ id, revision: undefined }));
  return [...known, ...unknown].sort((a, b) => order(a) < order(b) ? -1 : 1);
}

/**
 * Returns a key to sort by: the time in the ID, or else the time of the entry.
 */
function order({ id, entry }: NamedAttempt): string {
  return /^\d{8}-\d{6}/.exec(id)?.[0] ??
    (entry?.at ?? "").slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
}

/**
 * Returns whether a run made the entry. Entries of a person's command or of an
 * outage have no log.
 */
export function isOfRun({ entry }: NamedAttempt): boolean {
  return entry === undefined || isAttempt(entry);
}

/**
 * Returns the attempt that a word names: an ID or its beginning, a revision or
 * its beginning (the last attempt of it), or a number: `-1` is the last
 * attempt, `-2` the one before it.
 *
 * @param word If it is missing, the last attempt is returned.
 * @param isMeant Selects the preferred attempts if more than one matches.
 * @throws {SyncError} `no-attempts`, `attempt-missing`, exit 2.
 */
export function attemptNamed(
  known: readonly NamedAttempt[],
  word: string | undefined,
  isMeant: (attempt: NamedAttempt) => boolean = () => true,
): NamedAttempt {
  // A person's command has an entry with an ID, but is not an attempt.
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

/** Returns the words that name attempts, newest first, for completions. */
export async function attemptWords(folder: string): Promise<string[]> {
  return (await attemptsIn(folder)).map(({ id }) => id).reverse();
}
