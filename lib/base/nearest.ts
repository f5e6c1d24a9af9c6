/**
 * Finds the known word that a person may have meant.
 *
 * @module
 */
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** The fewest letters that count as the beginning of a longer word. */
const leastBeginning = 3;

/**
 * Returns the known word that is close to a given one.
 *
 * Close means at most two edits, and fewer than half of the letters. Two
 * letters in the wrong order are one edit. The beginning of one known word, and
 * of no other, is close too.
 *
 * @returns `undefined` if no word is close: a far guess would mislead.
 */
export function nearest(
  word: string,
  known: readonly string[],
): string | undefined {
  const longer = known.filter((one) => one.startsWith(word));
  if (word.length >= leastBeginning && longer.length === 1) return longer[0];
  const [closest] = known
    .map((one) => ({ one, edits: editsBetween(word, one) }))
    .filter(({ edits }) => edits <= 2 && edits < word.length / 2)
    .sort((a, b) => a.edits - b.edits);
  return closest?.one;
}

function editsBetween(one: string, other: string): number {
  const edits = levenshteinDistance(one, other);
  const isSwap = edits === 2 && sorted(one) === sorted(other);
  return isSwap ? 1 : edits;
}

const sorted = (word: string) => [...word].sort().join("");
