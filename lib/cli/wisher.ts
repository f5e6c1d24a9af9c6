/**
 * Names the person behind a call.
 *
 * @module
 */
import { whoRuns } from "../host/person.ts";
import type { Call } from "./call.ts";

/** Returns the person for whom a program made the call, or else who runs it. */
export function wisherOf({ by }: Call): string {
  return by ?? whoRuns();
}
