/**
 * `gitops-sync secrets updatekeys`: encrypts a file for the current recipients
 * of `.sops.yaml` or `secrets.nix`.
 *
 * @module
 */
import type { ExitCode } from "../../base/errors.ts";
import { contentOf, isAge, onFiles, rekeyAge, rekeySops } from "./work.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  return await onFiles(
    call,
    "Re-keyed",
    async (work, place) =>
      isAge(place, await contentOf(place))
        ? await rekeyAge(work, place)
        : await rekeySops(work, place),
  );
}
