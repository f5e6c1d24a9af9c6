/**
 * Decides what the operand of `plan` is, and so what the command may do.
 *
 * @module
 */
import type { Reach } from "./permissions.ts";

/**
 * Returns whether the operand is a folder: it begins with `.` or `/`. No ref
 * name of Git begins with them (git-check-ref-format(1)).
 */
export function isFolder(operand: string): boolean {
  return /^[./]/.test(operand);
}

/**
 * Returns what `plan` may do. Without root, or for a person's own folder, it
 * keeps all permissions of the person; it reads nothing of the host that the
 * person could not read.
 */
export function reachOfPlan(operands: readonly string[]): Reach | undefined {
  const [operand] = operands;
  const isOwn = operand !== undefined && isFolder(operand);
  return isOwn || Deno.uid() !== 0 ? undefined : "host";
}
