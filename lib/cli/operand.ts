/**
 * Reads the operand that a command requires.
 *
 * @module
 */
import { usageError } from "../base/errors.ts";
import type { Call } from "./call.ts";

/**
 * Returns the first operand of a call.
 *
 * @param verb Completes "Cannot …".
 * @param usage The expected words after `gitops-sync`.
 * @throws {SyncError} `operand-missing`, exit 2, with the hint.
 */
export function neededOperand(
  { operands: [operand] }: Call,
  verb: string,
  usage: string,
  hint: string,
): string {
  if (operand !== undefined) return operand;
  throw usageError(
    "operand-missing",
    `Cannot ${verb}: expected gitops-sync ${usage}`,
    hint,
  );
}
