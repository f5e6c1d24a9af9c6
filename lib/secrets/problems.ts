/**
 * What can be wrong with an encrypted file, and how a person mends it.
 *
 * @module
 */
import { type Stage, SyncError } from "../base/errors.ts";
import { count, oneLine } from "../base/text.ts";
import type { Identity } from "./identities.ts";

/** Something wrong with one file, or with one secret of it. */
export interface Problem {
  /** The file, or the identity, as people name it. */
  file: string;
  /** A stable name in kebab-case. */
  reason: string;
  /** What is wrong, without any value of the file. */
  why: string;
  /** The key inside the file. */
  key?: string;
  /** Whom the file is for, as far as it tells. */
  recipients?: readonly string[];
  /** What a person types or does. */
  mend: string;
  /** It may pass by itself. */
  transient?: true;
}

/** Shell words are for people to copy. */
export function quoted(path: string): string {
  return /^[\w./@%+=:-]+$/.test(path)
    ? path
    : `'${path.replace(/'/g, "'\\''")}'`;
}

/**
 * What is wrong with a file itself, and so the same next time. All else may be
 * of this host, its keys or Vault.
 */
const certain = new Set([
  "broken",
  "cut-off",
  "damaged",
  "key-groups",
  "no-file",
  "no-key",
  "no-mac",
  "no-recipients",
  "not-a-value",
  "not-age",
  "plaintext",
  "plaintext-value",
  "tampered",
  "two-formats",
  "too-large",
  "unreadable",
  "updatekeys-forgotten",
  "value-changed",
  "vault-not-wired",
  "wrong-recipient",
]);

/**
 * All problems as one failure, exit 5. The revision is held where one of them
 * is certain to be its fault, and tried again otherwise.
 *
 * @param what Completes "This host can't decrypt 2 files of …".
 */
export function problemsFailure(
  problems: readonly Problem[],
  identities: readonly Identity[],
  stage: Stage & ("secrets" | "prove"),
  what: string,
): SyncError {
  const passes = problems.every(({ transient }) => transient);
  const isHeld = problems.some(({ reason }) => certain.has(reason));
  const isOfVault = problems.every(({ reason }) => reason.startsWith("vault-"));
  const files = new Set(problems.map(({ file }) => file)).size;
  return new SyncError(
    `This host can't decrypt ${count(files, "file")} of ${what} that it should`,
    {
      stage,
      reason: passes ? problems[0]!.reason : "secrets-unreadable",
      next: isHeld ? "hold" : "retry",
      details: problems.flatMap(linesOf),
      hints: [
        // A key of its own helps nothing where Vault alone opens the files.
        ...(isOfVault && identities.length === 0 ? [] : [ownText(identities)]),
        !isHeld
          ? "nothing was built or changed; the next run tries again"
          : stage === "secrets"
          ? "mend the files and push; nothing was built or changed"
          : "mend the files and push; nothing was changed",
      ],
    },
  );
}

function ownText(identities: readonly Identity[]): string {
  if (identities.length === 0) {
    return "this host has no identity; make one with: age-keygen -o /etc/ssh/age.key";
  }
  const all = identities.map(({ path, recipients }) =>
    `${path} (${recipients.map(shortRecipient).join(", ")})`
  );
  return `this host has: ${all.join(", ")}`;
}

function linesOf(problem: Problem): string[] {
  const { file, key, reason, why, recipients = [], mend } = problem;
  const where = key === undefined ? file : `${file}, key ${key}`;
  const more = [
    ...(recipients.length > 0
      ? [`it is for ${recipients.map(shortRecipient).join(", ")}`]
      : []),
    mend,
  ];
  return [
    oneLine(`${where} [${reason}]: ${why}`, 300),
    ...more.map((line) => `  ${oneLine(line, 300)}`),
  ];
}

/** Enough of a public key to tell it from others. */
export function shortRecipient(recipient: string): string {
  if (recipient.startsWith("age1")) return `${recipient.slice(0, 16)}…`;
  if (!/^ssh-\S+ \S{20}/.test(recipient)) return recipient;
  // The beginning is the same for all.
  const [type, key] = recipient.split(" ");
  return `${type} …${key!.slice(-12)}`;
}
