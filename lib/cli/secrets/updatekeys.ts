/**
 * `gitops-sync secrets updatekeys`: the people of `.sops.yaml` or `secrets.nix`
 * for a file, as they are now.
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
