/**
 * What is said where a revision is not trusted, and what can be done.
 *
 * @module
 */
import { exitCodes, SyncError } from "../base/errors.ts";
import { count, oneLine, short } from "../base/text.ts";
import type { Commit, Hold, Signer } from "../state/state.ts";
import type { Bad } from "./signature.ts";
import type { Run } from "../run/run.ts";

/**
 * How many people stand behind some signatures. Two are one person's if they
 * have the key or an address in common.
 *
 * @param names All names in a key, by its fingerprint: a signature tells one.
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

const nothingDone =
  "nothing of the revision was evaluated, and the host is as it was";

function refused(
  reason: string,
  message: string,
  hints: readonly string[],
  next: "hold" | "retry" = "hold",
): SyncError {
  return new SyncError(message, { stage: "verify", reason, next, hints });
}

/** For a commit that is held under another hash. */
export function heldTwin({ revision }: Commit, hold: Hold): SyncError {
  return new SyncError(
    `${short(revision)} is held: it is the commit ${
      short(hold.revision)
    } with its signature written in another way: ${hold.message}`,
    {
      stage: "verify",
      reason: "held-twin",
      next: "hold",
      hints: [
        "find out who changed it on its way; no signer makes two of one commit",
        ...hold.hints,
      ],
      exit: exitCodes.held,
    },
  );
}

const hintFor: Readonly<Record<Bad["reason"], string>> = {
  "unsigned": "sign it (git commit -S, git tag -s) and push",
  "signature-format":
    "sign with a kind of key that verify.allowedSigners or verify.openpgpKeys hold",
  "unknown-key":
    "if the key is meant to count, add it to verify.allowedSigners or verify.openpgpKeys, then gitops-sync retry",
  "weak-hash":
    "sign with SHA-256 or better: take digest-algo and personal-digest-preferences out of gpg.conf",
  "tampered": "find out who changed it on its way",
  "key-expired": "sign with a key that is valid, or prolong this one",
  "key-not-yet-valid": "look at valid-after of the key and at the clocks",
  "key-revoked": "sign with another key, and find out who used this one",
  "no-checker": "install gpg and ssh-keygen, then gitops-sync retry",
};

/** The error for a commit or tag whose signature does not count. */
export function refusal(what: string, bad: Bad, revision: string): SyncError {
  const behind = what.includes(short(revision)) || what.startsWith("tag")
    ? ""
    : `, and comes in with ${short(revision)}`;
  return refused(
    bad.reason,
    `Refused ${short(revision)}: ${what} ${bad.says}${behind}`,
    [hintFor[bad.reason], nothingDone],
  );
}

/** For a branch or commit where a tag must be signed. */
export function needsTag({ config }: Run, kind: string): SyncError {
  return refused(
    "tag-needed",
    `Refused ${config.ref}: it is a ${kind}, and verify.mode asks for a signed tag`,
    [
      "name a tag with ref, or choose verify.mode head or range for a branch",
      nothingDone,
    ],
  );
}

/** For a commit that takes the folder of keys away. */
export function keysRemoved({ config }: Run, commit: string): SyncError {
  return refused(
    "keys-removed",
    `Refused ${short(commit)}: it has no folder ${
      config["verify.keysFrom"]
    } any more (verify.keysFrom), and the keys of this host would count again`,
    [
      "put the folder back; to let the keys of this host count, take verify.keysFrom out of its configuration",
      nothingDone,
    ],
  );
}

/** For a history without the first trusted commit. */
export function otherHistory(revision: string, first: string): SyncError {
  return refused(
    "not-descended",
    `Refused ${short(revision)}: it does not descend from ${
      short(first)
    }, which is verify.firstTrusted`,
    [
      "look whether verify.firstTrusted is a commit of this branch",
      nothingDone,
    ],
  );
}

/** For more commits than can be checked. */
export function tooMany(revision: string, most: number): SyncError {
  return refused(
    "range-too-long",
    `Refused ${
      short(revision)
    }: more than ${most} commits came in that are not trusted yet`,
    ["set verify.firstTrusted to a later commit that you trust", nothingDone],
  );
}

/** For a history that is not whole. */
export function cutHistory(commit: string): SyncError {
  return refused(
    "history-cut",
    `Refused: the history ends at ${
      short(commit)
    }, whose parents the repository does not give`,
    ["push the whole history to the repository", nothingDone],
    "retry",
  );
}

/** For a flood of tags, of which each would have to be looked at. */
export function tooManyTags(
  revision: string,
  found: number,
  most: number,
): SyncError {
  return refused(
    "too-many-tags",
    `Refused ${
      short(revision)
    }: ${found} tags point to it, and no more than ${most} are looked at for verify.threshold`,
    [
      "look who pushed them, and delete those that nobody needs: git push --delete origin TAG",
      nothingDone,
    ],
    "retry",
  );
}

/** For a revision that too few people signed. */
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
    } signed it${who && ` (${who})`}, and verify.threshold asks for ${needed}`,
    [
      "more people can sign it with a tag that points to it: git tag -s NAME REVISION, and push the tag",
      nothingDone,
    ],
    "retry",
  );
}
