/**
 * A commit in words.
 *
 * @module
 */
import type { Commit, Signer } from "../state/state.ts";
import { short } from "../base/text.ts";

/** Returns only the fields of a commit. */
export function commitOf(of: Commit): Commit {
  const { revision, subject, author, committedAt, signers, digest } = of;
  return {
    revision,
    subject,
    author,
    committedAt,
    ...signers && { signers },
    ...digest && { digest },
  };
}

/** Describes a commit in one line. */
export function describe(
  commit: Pick<Commit, "revision" | "subject" | "author">,
): string {
  const { revision, subject, author } = commit;
  return `${short(revision)} "${subject}"${author ? ` by ${author}` : ""}`;
}

/** Returns `signed by Ada (SHA256:…)`, if signatures were checked. */
export function signedText({ signers }: Pick<Commit, "signers">): string[] {
  return signers?.length ? [`signed by ${signersText(signers)}`] : [];
}

/** Returns `Ada (SHA256:…) and Bob (SHA256:…)`. */
export function signersText(signers: readonly Signer[]): string {
  return signers.map(({ name, key }) => `${name} (${key})`).join(" and ");
}
