/**
 * What a text would become in memory, told before it is parsed. Where memory
 * ends, the runtime ends the whole program and not one worker, so a text that
 * grows must not reach a parser. Pure.
 *
 * @module
 */

/** Signs of structure; each is at most one value, list or map. */
const mostSigns = 1_000_000;

/** Keys that all merges of a YAML text may copy together. */
const mostCopies = 10_000_000;

/** Characters that all keys of a YAML text may have together. */
const mostKeyText = 64 * 1024 * 1024;

/** Every sign that begins a value in YAML, JSON, INI or dotenv. */
const begins = new Set([..."\n\r,:{[="].map((sign) => sign.charCodeAt(0)));

/** `<<`, and any tag, for a tag can be written in many ways. */
const merges = /<<|(?:^|[\s[{,:-])!\S/gm;

const aliases = /(?:^|[\s[{,:-])\*\S/gm;

/** A key that is a list or an alias: it becomes the text of all its parts. */
const oddKey = /(?:^|[\s[{,-])\?\s|\]\s*:|\*[^\s,\]}]+\s*:/m;

/**
 * Why a text can't be read within a bounded memory, or `undefined`.
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

/** One match at a time: a list of them all may be long itself. */
function countOf(pattern: RegExp, text: string): number {
  let count = 0;
  for (const _ of text.matchAll(pattern)) count++;
  return count;
}
