/**
 * The problems of encrypted files, and how to fix them.
 *
 * @module
 */
import { type Stage, SyncError } from "../base/errors.ts";
import { count, oneLine } from "../base/text.ts";
import type { Identity } from "./identities.ts";

/**
 * The cause of a problem: the commit, so that the next run finds the same; the
 * keys of this host; or something temporary.
 */
type Cause = "commit" | "keys" | "passing";

/**
 * The cause of each reason. A reason is a stable name in kebab-case. A reason
 * that may not come from the commit is `passing`.
 */
export const causes = {
  "age-failed": "passing",
  "broken": "commit",
  "cut-off": "commit",
  "damaged": "commit",
  "data-key": "passing",
  "identity-unreadable": "passing",
  "json-map": "commit",
  "key-groups": "keys",
  // This program could not read it; it may have lacked time.
  "key-unread": "passing",
  "manifest-unreadable": "passing",
  "no-file": "commit",
  "no-key": "commit",
  "no-mac": "commit",
  "no-recipients": "commit",
  "no-text": "commit",
  "not-a-value": "commit",
  "not-age": "commit",
  "plaintext": "commit",
  "plaintext-value": "commit",
  "plugin-failed": "passing",
  "program-ended": "passing",
  "sops-failed": "passing",
  "sops-nix-refuses": "commit",
  "tampered": "commit",
  "timed-out": "passing",
  "too-large": "commit",
  "two-formats": "commit",
  "unread": "passing",
  "unreadable": "commit",
  "updatekeys-forgotten": "commit",
  "value-changed": "commit",
  "vault-address": "passing",
  "vault-not-wired": "commit",
  "vault-refused": "passing",
  "vault-sealed": "passing",
  "vault-unreachable": "passing",
  "wrong-recipient": "keys",
} as const satisfies Readonly<Record<string, Cause>>;

/** Why a file does not open, or can't be installed. */
export type Reason = keyof typeof causes;

/** A problem of a file, or of one secret in it. */
export interface Problem {
  /** The file or identity, as people name it. */
  file: string;
  reason: Reason;
  /** What is wrong, without any value of the file. */
  why: string;
  /** The key inside the file. */
  key?: string;
  /** The recipients of the file, as far as it shows them. */
  recipients?: readonly string[];
  /** What a person types or does to fix it. */
  fix: string;
  /** It is temporary. */
  transient?: true;
}

/** Quotes a path for the shell, so that people can copy the command. */
export function quoted(path: string): string {
  return /^[\w./@%+=:-]+$/.test(path)
    ? path
    : `'${path.replace(/'/g, "'\\''")}'`;
}

/** The keys that were tried. */
export interface Tried {
  identities: readonly Identity[];
  /** Whether a key that is named for it is missing or can't be used. */
  lacksKey: boolean;
}

/**
 * Returns all problems as one failure, exit 5. The revision is blocked if it
 * certainly causes one of them. Otherwise the next run tries again: a missing
 * key may come back.
 *
 * @param what Completes "This host can't decrypt 2 files that … needs".
 */
export function problemsFailure(
  problems: readonly Problem[],
  { identities, lacksKey }: Tried,
  stage: Stage & ("secrets" | "prove"),
  what: string,
): SyncError {
  const passes = problems.every(({ transient }) => transient);
  const hasKeys = identities.length > 0 && !lacksKey;
  const isHeld = problems.some(({ reason }) =>
    causes[reason] === "commit" || (hasKeys && causes[reason] === "keys")
  );
  const isOfVault = problems.every(({ reason }) => reason.startsWith("vault-"));
  return new SyncError(
    `This host can't ${
      failedParts(problems).join(" and can't ")
    } that ${what} needs`,
    {
      stage,
      reason: passes ? problems[0]!.reason : "secrets-unreadable",
      next: isHeld ? "hold" : "retry",
      details: problems.flatMap(linesOf),
      hints: [
        // A key of this host does not help if only Vault opens the files.
        ...(isOfVault && identities.length === 0 ? [] : [ownText(identities)]),
        !isHeld
          ? "nothing was built or changed; the next run tries again"
          : stage === "secrets"
          ? "fix the files and push; nothing was built or changed"
          : "fix the files and push; nothing was changed",
      ],
    },
  );
}

/**
 * Returns what fails, with numbers: key files and lists of secrets are counted
 * separately from files to decrypt.
 */
function failedParts(problems: readonly Problem[]): string[] {
  const file = ["decrypt", "file", "files"] as const;
  const others = {
    "identity-unreadable": ["use", "key file", "key files"],
    "manifest-unreadable": ["read", "list of secrets", "lists of secrets"],
  } as const;
  const kindOf = ({ reason }: Problem) =>
    Object.hasOwn(others, reason)
      ? others[reason as keyof typeof others]
      : file;
  return [file, ...Object.values(others)].flatMap((kind) => {
    const [verb, one, many] = kind;
    const found = problems.filter((problem) => kindOf(problem) === kind);
    const { size } = new Set(found.map(({ file }) => file));
    return size === 0 ? [] : [`${verb} ${count(size, one, many)}`];
  });
}

function ownText(identities: readonly Identity[]): string {
  if (identities.length === 0) {
    return "this host has no identity; create one with: sudo gitops-sync secrets keygen";
  }
  const all = identities.map(({ path, recipients, plugins }) => {
    const names = recipients.map(shortRecipient);
    if (plugins) names.push("keys of a plugin");
    return `${path} (${names.join(", ")})`;
  });
  return `this host has: ${all.join(", ")}`;
}

function linesOf(problem: Problem): string[] {
  const { file, key, reason, why, recipients = [], fix } = problem;
  const where = key === undefined ? file : `${file}, key ${key}`;
  const more = [
    ...(recipients.length > 0
      ? [`it is for ${recipients.map(shortRecipient).join(", ")}`]
      : []),
    fix,
  ];
  return [
    oneLine(`${where} [${reason}]: ${why}`, 300),
    ...more.map((line) => `  ${oneLine(line, 300)}`),
  ];
}

/** Returns enough of a public key to distinguish it from others. */
export function shortRecipient(recipient: string): string {
  if (recipient.startsWith("age1")) return `${recipient.slice(0, 16)}…`;
  if (!/^ssh-\S+ \S{20}/.test(recipient)) return recipient;
  // The beginning is the same for all keys.
  const [type, key] = recipient.split(" ");
  return `${type} …${key!.slice(-12)}`;
}
