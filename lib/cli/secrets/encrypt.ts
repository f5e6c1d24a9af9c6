/**
 * `gitops-sync secrets encrypt`: encrypts a plaintext file, so that it can be
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
        `Git already tracks ${place.path}; if it was committed, it is there in plaintext`,
        ["Replace the secrets in it if the plaintext was ever pushed."],
      );
    }
    if (!isAge(place)) {
      return await throughSops(work, place, "encrypt", "encrypt");
    }
    if (isAgeFile(new TextDecoder().decode(plain))) {
      throw usageError(
        "encrypted-already",
        `Cannot encrypt ${place.path}: it is already encrypted`,
        `Run \`gitops-sync secrets edit ${place.path}\` to change it.`,
      );
    }
    const recipients = await ageRecipientsOf(work.effects, place);
    return await encryptAge(work.effects, place, recipients, plain);
  });
}
