/**
 * A revision, and what came of the stages of a run, in a few words.
 *
 * @module
 */
import { count, short } from "../base/text.ts";
import type { Commit, Signer } from "../host/state.ts";
import type { Activated } from "./activate.ts";
import type { Proven } from "./prove.ts";
import type { Readable } from "./secrets.ts";

/** What came of `verify`. */
export const forwardText = {
  yes: "moves forward",
  no: "history rewritten, as allowed",
  unknown: "nothing to compare with yet",
} as const;

/** `signed by Ada (SHA256:…)`, where signatures were checked. */
export function signedText({ signers }: Pick<Commit, "signers">): string[] {
  return signers?.length ? [`signed by ${signersText(signers)}`] : [];
}

/** `Ada (SHA256:…) and Bob (SHA256:…)`. */
export function signersText(signers: readonly Signer[]): string {
  return signers.map(({ name, key }) => `${name} (${key})`).join(" and ");
}

/** What came of `activate`. */
export const activatedText: Readonly<Record<Activated["how"], string>> = {
  switched: "runs now",
  kept: "runs already",
  later: "waits for the next boot",
};

/** What came of `secrets`. */
export function secretsText({ opened, foreign }: Readable): string {
  if (opened + foreign === 0) return "no encrypted files";
  const others = foreign > 0 ? `, ${foreign} for others` : "";
  return `${count(opened, "file")} can be decrypted${others}`;
}

/** What came of `prove`. */
export function provenText({ secrets }: Proven): string {
  return secrets === 0
    ? "no secrets of sops-nix or agenix in it"
    : `${count(secrets, "secret")} of the system can be decrypted`;
}

/** A commit in one line. */
export function describe(
  commit: Pick<Commit, "revision" | "subject" | "author">,
): string {
  const { revision, subject, author } = commit;
  return `${short(revision)} "${subject}"${author ? ` by ${author}` : ""}`;
}
