/**
 * Estimates the memory for a text before it is parsed. Without memory, the
 * runtime ends the whole program and not only a worker, so an expanding text
 * must not reach a parser. Pure.
 *
 * @module
 */

/** The most signs of structure; each is at most one value, list or map. */
const mostSigns = 1_000_000;

/** The most keys that all merges of a YAML text may copy. */
const mostCopies = 10_000_000;

/** The most characters in all keys of a YAML text. */
const mostKeyText = 64 * 1024 * 1024;

/** Every sign that begins a value in YAML, JSON, INI or dotenv. */
const begins = new Set([..."\n\r,:{[="].map((sign) => sign.charCodeAt(0)));

/** `<<`, and any tag, because a tag can be written in many ways. */
const merges = /<<|(?:^|[\s[{,:-])!\S/gm;

const aliases = /(?:^|[\s[{,:-])\*\S/gm;

/** A key that is a list or an alias: it becomes the text of all its parts. */
const oddKey = /(?:^|[\s[{,-])\?\s|\]\s*:|\*[^\s,\]}]+\s*:/m;

/**
 * Returns why a text can't be read within limited memory, or `undefined`.
 *
 * @param isYaml Whether it may be read as YAML, where aliases repeat a part.
 */
export function excessOf(text: string, isYaml: boolean): string | undefined {
  let signs = 0;
  for (let i = 0; i < text.length; i++) {
    if (begins.has(text.charCodeAt(i)) && ++signs > mostSigns) {
      return `it has more than ${mostSigns} values`;
    }
  }
  if (!isYaml) return undefined;
  if (countOf(merges, text) * signs > mostCopies) {
    return "its parts are merged into each other too often";
  }
  if (oddKey.test(text) && countOf(aliases, text) * text.length > mostKeyText) {
    return "its keys are made of other parts too often";
  }
  return undefined;
}

/** Counts one match at a time: a list of all matches may be long itself. */
function countOf(pattern: RegExp, text: string): number {
  let count = 0;
  for (const _ of text.matchAll(pattern)) count++;
  return count;
}
