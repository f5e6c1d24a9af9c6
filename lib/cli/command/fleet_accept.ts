/**
 * `gitops-sync fleet accept REVISION`: writes a signed note that accepts a move
 * of the ref to the revision on many hosts.
 *
 * @module
 */
import type { ExitCode } from "../../base/errors.ts";
import type { Call } from "../call.ts";
import { writeNote } from "./fleet_note.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  return await writeNote(call, "accept");
}
