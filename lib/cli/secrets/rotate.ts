/**
 * `gitops-sync secrets rotate`: makes new data keys for the same recipients.
 *
 * @module
 */
import type { ExitCode } from "../../base/errors.ts";
import { contentOf, isAge, onFiles, rekeyAge, throughSops } from "./work.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  return await onFiles(
    call,
    "Rotated",
    async (work, place) =>
      isAge(place, await contentOf(place))
        ? await rekeyAge(work, place)
        : await throughSops(work, place, "rotate", "rotate"),
  );
}
