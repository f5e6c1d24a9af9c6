/**
 * Checks that a signature has the form that signers write. Git ignores other
 * text beside it, and anybody who passes on the object can add such text.
 *
 * @module
 */
import type { Bad } from "./signature.ts";

/**
 * The first line of a signature. Git only compares its beginning, and gpg
 * ignores spaces at its end.
 */
const begin =
  /^-----BEGIN (SSH SIGNATURE|PGP SIGNATURE|PGP MESSAGE|SIGNED MESSAGE)-----(.*)$/s;

/** RFC 4880, 6.2: `Comment`, `Version`, `Hash`, `Charset`. */
const armorHeader = /^[A-Z][A-Za-z-]*: /;

const base64 = /^[A-Za-z0-9+/=]*$/;

/**
 * Returns what is wrong with the form of a signature.
 *
 * @param content The commit or tag as it is stored.
 * @returns `undefined` if the form is usual, or if there is no signature.
 */
export function formProblem(
  type: "commit" | "tag",
  content: string,
): Bad | undefined {
  const headers = headersOf(content);
  const own = headers.filter(({ name }) => name === "gpgsig");
  const other = headers.filter(({ name }) => name === "gpgsig-sha256");
  if (type === "tag") {
    if (own.length + other.length > 0) {
      return odd("has a signature in its header, where a tag never has one");
    }
    return textProblem(tagSignature(content));
  }
  // The kind of repository decides which one counts.
  const isLong = /^tree [0-9a-f]{64}$/m.test(content.split("\n", 1)[0]!);
  const [counts, beside] = isLong ? [other, own] : [own, other];
  if (counts.length === 0) return undefined;
  if (counts.length > 1) return odd("has more than one signature");
  if (beside.length > 0) {
    return odd(`has a ${beside[0]!.name} header besides its signature`);
  }
  return textProblem(counts[0]!.lines);
}

interface Header {
  name: string;
  lines: string[];
}

/**
 * Returns the headers of an object; a line that begins with a space continues
 * the one above.
 */
function headersOf(content: string): Header[] {
  const headers: Header[] = [];
  for (const line of content.split("\n")) {
    if (line === "") break;
    if (line.startsWith(" ")) {
      headers.at(-1)?.lines.push(line.slice(1));
      continue;
    }
    const [name = ""] = line.split(" ", 1);
    headers.push({ name, lines: [line.slice(name.length + 1)] });
  }
  return headers;
}

/** Git reads the last such line in a tag as the beginning of its signature. */
function tagSignature(content: string): string[] {
  const lines = content.split("\n");
  const at = lines.findLastIndex((line) => begin.test(line));
  return at === -1 ? [] : lines.slice(at);
}

/** Returns what is in the text of a signature that no signer writes. */
function textProblem(lines: readonly string[]): Bad | undefined {
  const [first = "", ...rest] = lines.map((line) => line.replace(/\r$/, ""));
  const [, kind, more] = begin.exec(first) ?? [];
  // The check of the signature itself recognises it.
  if (kind === undefined) return undefined;
  if (more !== "") {
    return odd("has extra text in the first line of its signature");
  }
  const end = rest.indexOf(`-----END ${kind}-----`);
  if (end === -1) return odd("has a signature without an end");
  if (rest.slice(end + 1).some((line) => line.trim() !== "")) {
    return odd("has text after the end of its signature");
  }
  const blank = rest.indexOf("");
  const isArmored = kind.startsWith("PGP") && blank !== -1 && blank < end;
  const headers = isArmored ? rest.slice(0, blank) : [];
  const body = rest.slice(headers.length, end);
  const isUsual = headers.every((line) => armorHeader.test(line)) &&
    body.every((line) => base64.test(line.trimEnd()));
  return isUsual ? undefined : odd("has a signature that can't be read");
}

function odd(says: string): Bad {
  return { ok: false, reason: "signature-format", says };
}
