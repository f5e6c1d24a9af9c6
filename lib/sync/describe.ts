/**
 * The results of the stages of a run, in a few words.
 *
 * @module
 */
import { count } from "../base/text.ts";
import { signedText } from "../run/commit.ts";
import type { Activated, Proven, Readable, Verified } from "../run/stages.ts";

/** Describes the result of `verify`. */
export function verifiedText({ forward, commit }: Verified): string {
  return [forwardText[forward], ...signedText(commit)].join("; ");
}

const forwardText = {
  yes: "moves forward",
  no: "history rewritten, as allowed",
  unknown: "nothing to compare with yet",
} as const;

/** The results of `activate`. */
export const activatedText: Readonly<Record<Activated["how"], string>> = {
  switched: "runs now",
  kept: "runs already",
  later: "waits for the next boot",
};

/** Describes the result of `secrets`. */
export function secretsText({ opened, foreign }: Readable): string {
  if (opened + foreign === 0) return "no encrypted files";
  const others = foreign > 0 ? `, ${foreign} for others` : "";
  return `${count(opened, "file")} can be decrypted${others}`;
}

/** Describes the result of `prove`. */
export function provenText({ secrets }: Proven): string {
  return secrets === 0
    ? "the system has no secrets of sops-nix or agenix"
    : `${count(secrets, "secret")} of the system can be decrypted`;
}
