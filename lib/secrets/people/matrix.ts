/**
 * Who can open what, as far as files tell without being decrypted. Pure.
 *
 * @module
 */

/** What is known of one encrypted file. */
export interface KnownFile {
  path: string;
  /** The recipients that it names; `undefined`: it is not encrypted. */
  has: readonly string[] | undefined;
  /** Those that the rules name for it; `undefined`: no rule is for it. */
  wants: readonly string[] | undefined;
  /** Whether all recipients are needed together with others (Shamir). */
  isShared: boolean;
  /** What is wrong with it, whoever opens it. */
  problems: readonly string[];
}

/** What a file is to a host. */
export type Cell =
  | "yes"
  /** With others: the file has several key groups. */
  | "part"
  | "no"
  /** The rules name it, the file does not. */
  | "missing"
  /** The file names it, the rules do not any more. */
  | "extra";

/** One who can open files. */
export interface Column {
  name: string;
  recipients: readonly string[];
}

/** One file with what it is to each column. */
export interface Row {
  path: string;
  cells: readonly Cell[];
  problems: readonly string[];
}

/** Makes the columns: one for each name, and for each key without one. */
export function columnsOf(
  files: readonly KnownFile[],
  names: readonly { name: string; recipient: string }[],
): Column[] {
  const columns = new Map<string, Set<string>>();
  const add = (name: string, recipient: string) =>
    columns.set(name, (columns.get(name) ?? new Set()).add(recipient));
  for (const { name, recipient } of names) add(name, recipient);
  const known = new Set(names.map(({ recipient }) => recipient));
  for (const { has = [], wants = [] } of files) {
    for (const recipient of [...wants, ...has]) {
      if (!known.has(recipient)) add(shortName(recipient), recipient);
    }
  }
  return [...columns].map(([name, recipients]) => ({
    name,
    recipients: [...recipients],
  }));
}

/** Makes the rows. */
export function rowsOf(
  files: readonly KnownFile[],
  columns: readonly Column[],
): Row[] {
  return files.map((file) => ({
    path: file.path,
    cells: columns.map((column) => cellOf(file, column)),
    problems: file.problems,
  }));
}

function cellOf(file: KnownFile, { recipients }: Column): Cell {
  const has = recipients.some((one) => file.has?.includes(one));
  // Where no rule is for a file, it is right as it is.
  const wants = file.wants === undefined
    ? has
    : recipients.some((one) => file.wants!.includes(one));
  if (has) return !wants ? "extra" : file.isShared ? "part" : "yes";
  return wants ? "missing" : "no";
}

/** Enough of a public key to tell it from others. */
function shortName(recipient: string): string {
  if (recipient.startsWith("age1")) return `${recipient.slice(0, 12)}…`;
  if (recipient.startsWith("ssh-")) return `ssh …${recipient.slice(-8)}`;
  if (/^[0-9A-F]{40}$/.test(recipient)) return recipient.slice(-16);
  const vault = /\/v1\/(.+)\/keys\/([^/]+)$/.exec(recipient);
  return vault ? `vault ${vault[1]}/${vault[2]}` : recipient;
}
