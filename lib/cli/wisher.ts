/**
 * Whose wish a call is.
 *
 * @module
 */
import { whoRuns } from "../host/person.ts";
import type { Call } from "./call.ts";

/** The person who calls, or on whose behalf a program does. */
export function wisherOf({ by }: Call): string {
  return by ?? whoRuns();
}
