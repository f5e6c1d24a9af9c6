/**
 * The errors for revisions that are not trusted, with hints.
 *
 * @module
 */
import { exitCodes, SyncError } from "../base/errors.ts";
import { count, oneLine, short } from "../base/text.ts";
import type { Commit, Hold, Signer } from "../state/state.ts";
import type { Bad } from "./signature.ts";
import type { Run } from "../run/run.ts";

/**
 * Counts the people behind some signatures. Two signatures belong to one person
 * if they share the key or an address.
 *
 * @param names All names of a key, by its fingerprint: a signature only shows
 * one.
 */
export function people(
  signers: readonly Signer[],
  names: ReadonlyMap<string, readonly string[]> = new Map(),
): number {
  const address = (name: string) =>
    (/<([^<>]+)>\s*$/.exec(name)?.[1] ?? name).toLowerCase();
  const groups: Set<string>[] = [];
  for (const { key, name } of signers) {
    const marks = [key, ...[name, ...names.get(key) ?? []].map(address)];
    const same = groups.filter((group) => marks.some((one) => group.has(one)));
    const merged = new Set([...marks, ...same.flatMap((group) => [...group])]);
    for (const group of same) groups.splice(groups.indexOf(group), 1);
    groups.push(merged);
  }
  return groups.length;
}

const nothingDone = "the revision was not evaluated, and the host is unchanged";

function refused(
  reason: string,
  message: string,
  hints: readonly string[],
  next: "hold" | "retry" = "hold",
): SyncError {
  return new SyncError(message, { stage: "verify", reason, next, hints });
}

/** Returns the error for a commit that is blocked under another hash. */
export function heldTwin({ revision }: Commit, hold: Hold): SyncError {
  return new SyncError(
    `${short(revision)} is blocked: it is the commit ${
      short(hold.revision)
    } with its signature in another form: ${hold.message}`,
    {
      stage: "verify",
      reason: "held-twin",
      next: "hold",
      hints: [
        "find out who changed it in transit: nobody signs one commit twice",
        ...hold.hints,
      ],
      exit: exitCodes.held,
    },
  );
}

const hintFor: Readonly<Record<Bad["reason"], string>> = {
  "unsigned": "sign it (git commit -S, git tag -s) and push",
  "signature-format":
    "sign with a kind of key that verify.allowedSigners or verify.openpgpKeys contain",
  "unknown-key":
    "if you trust the key, add it to verify.allowedSigners or verify.openpgpKeys, then run gitops-sync retry",
  "weak-hash":
    "sign with SHA-256 or better: remove digest-algo and personal-digest-preferences from gpg.conf",
  "tampered": "find out who changed it in transit",
  "key-expired": "sign with a valid key, or extend the validity of this one",
  "key-not-yet-valid": "check valid-after of the key, and check the clocks",
  "key-revoked": "sign with another key, and find out who used this one",
  "no-checker": "install gpg and ssh-keygen, then run gitops-sync retry",
};

/** Returns the error for a commit or tag without a valid signature. */
export function refusal(what: string, bad: Bad, revision: string): SyncError {
  const behind = what.includes(short(revision)) || what.startsWith("tag")
    ? ""
    : ` (it is part of ${short(revision)})`;
  return refused(
    bad.reason,
    `Refused ${short(revision)}: ${what} ${bad.says}${behind}`,
    [hintFor[bad.reason], nothingDone],
  );
}

/** Returns the error for a branch or commit if a signed tag is required. */
export function needsTag({ config }: Run, kind: string): SyncError {
  return refused(
    "tag-needed",
    `Refused ${config.ref}: it is a ${kind}, and verify.mode requires a signed tag`,
    [
      "set ref to a tag, or set verify.mode to head or range to follow a branch",
      nothingDone,
    ],
  );
}

/** Returns the error for a commit that removes the folder of keys. */
export function keysRemoved({ config }: Run, commit: string): SyncError {
  return refused(
    "keys-removed",
    `Refused ${short(commit)}: it no longer has the folder ${
      config["verify.keysFrom"]
    } (verify.keysFrom), so the keys of this host would count again`,
    [
      "restore the folder and push; to use the keys of this host instead, remove verify.keysFrom from its configuration",
      nothingDone,
    ],
  );
}

/**
 * Returns the error for a repository that lost the revision whose keys are
 * trusted.
 */
export function keysLost(revision: string): SyncError {
  return refused(
    "keys-missing",
    `Cannot check signatures: the repository no longer has ${
      short(revision)
    }, the revision whose keys are trusted`,
    [
      "push that revision again; to use the keys of this host instead, remove verify.keysFrom from its configuration",
      nothingDone,
    ],
    "retry",
  );
}

/** Returns the error for a history without the first trusted commit. */
export function otherHistory(revision: string, first: string): SyncError {
  return refused(
    "not-descended",
    `Refused ${short(revision)}: it does not descend from ${
      short(first)
    } (verify.firstTrusted)`,
    [
      "check that verify.firstTrusted is a commit of this branch",
      nothingDone,
    ],
  );
}

/** Returns the error for more commits than can be checked. */
export function tooMany(revision: string, most: number): SyncError {
  return refused(
    "range-too-long",
    `Refused ${
      short(revision)
    }: it brings more than ${most} commits that are not trusted yet`,
    ["set verify.firstTrusted to a later commit that you trust", nothingDone],
  );
}

/** Returns the error for an incomplete history. */
export function cutHistory(commit: string): SyncError {
  return refused(
    "history-cut",
    `Refused: the history ends at ${
      short(commit)
    }, because the repository does not provide the parents of that commit`,
    ["push the whole history to the repository", nothingDone],
    "retry",
  );
}

/** Returns the error for too many tags: each one would have to be checked. */
export function tooManyTags(
  revision: string,
  found: number,
  most: number,
): SyncError {
  return refused(
    "too-many-tags",
    `Refused ${
      short(revision)
    }: ${found} tags point to it, and verify.threshold checks at most ${most}`,
    [
      "find out who pushed them, and delete those that nobody needs: git push --delete origin TAG",
      nothingDone,
    ],
    "retry",
  );
}

/** Returns the error for a revision that too few people signed. */
export function tooFew(
  revision: string,
  signers: readonly Signer[],
  found: number,
  needed: number,
): SyncError {
  const who = signers.map(({ name }) => oneLine(name, 80)).join(", ");
  return refused(
    "threshold",
    `Refused ${short(revision)}: ${
      count(found, "person has", "people have")
    } signed it${who && ` (${who})`}, and verify.threshold requires ${needed}`,
    [
      "let more people sign it with a tag: git tag -s NAME REVISION, then git push origin NAME",
      nothingDone,
    ],
    "retry",
  );
}
