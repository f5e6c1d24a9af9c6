/**
 * `gitops-sync secrets encrypt`: a file in plaintext becomes one that may be
 * committed.
 *
 * @module
 */
import { say } from "../../base/effects.ts";
import { type ExitCode, usageError } from "../../base/errors.ts";
import { isAgeFile } from "../../secrets/age.ts";
import { isTracked } from "../../secrets/people/checkout.ts";
import { ageRecipientsOf, encryptAge } from "../../secrets/people/own_age.ts";
import { contentOf, isAge, onFiles, throughSops } from "./work.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  return await onFiles(call, "Encrypted", async (work, place) => {
    const plain = await contentOf(place);
    if (await isTracked(work.effects, place)) {
      say(
        work.effects,
        "warning",
        `Git knows ${place.path} already, in plaintext if it was committed`,
        ["what was pushed in plaintext is known: replace the secrets in it"],
      );
    }
    if (!isAge(place)) {
      return await throughSops(work, place, "encrypt", "encrypt");
    }
    if (isAgeFile(new TextDecoder().decode(plain))) {
      throw usageError(
        "encrypted-already",
        `Cannot encrypt ${place.path}: it is encrypted already`,
        "change it with: gitops-sync secrets edit FILE",
      );
    }
    const recipients = await ageRecipientsOf(work.effects, place);
    return await encryptAge(work.effects, place, recipients, plain);
  });
}
