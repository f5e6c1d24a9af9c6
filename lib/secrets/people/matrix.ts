/**
 * Who can open which file, as far as files show without decryption. Pure.
 *
 * @module
 */

/** What is known about an encrypted file. */
export interface KnownFile {
  path: string;
  /** Its recipients; `undefined` if it is not encrypted. */
  has: readonly string[] | undefined;
  /** The recipients in the rules; `undefined` if there is no rule for it. */
  wants: readonly string[] | undefined;
  /** Whether each recipient needs others to open it (Shamir). */
  isShared: boolean;
  /** Its problems, whoever opens it. */
  problems: readonly string[];
}

/** What a host can do with a file. */
export type Cell =
  | "yes"
  /** Only with others: the file has more than one key group. */
  | "part"
  | "no"
  /** The rules name the host, but the file does not. */
  | "missing"
  /** The file names the host, but the rules no longer do. */
  | "extra";

/** Somebody who can open files. */
export interface Column {
  name: string;
  recipients: readonly string[];
}

/** A file with a cell for each column. */
export interface Row {
  path: string;
  cells: readonly Cell[];
  problems: readonly string[];
}

/** Creates the columns: one for each name, and for each key without a name. */
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

/** Creates the rows. */
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
  // A file without a rule is correct as it is.
  const wants = file.wants === undefined
    ? has
    : recipients.some((one) => file.wants!.includes(one));
  if (has) return !wants ? "extra" : file.isShared ? "part" : "yes";
  return wants ? "missing" : "no";
}

/** Returns enough of a public key to distinguish it from others. */
function shortName(recipient: string): string {
  if (recipient.startsWith("age1")) return `${recipient.slice(0, 12)}…`;
  if (recipient.startsWith("ssh-")) return `ssh …${recipient.slice(-8)}`;
  if (/^[0-9A-F]{40}$/.test(recipient)) return recipient.slice(-16);
  const vault = /\/v1\/(.+)\/keys\/([^/]+)$/.exec(recipient);
  return vault ? `vault ${vault[1]}/${vault[2]}` : recipient;
}
