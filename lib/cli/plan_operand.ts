/**
 * What the operand of `plan` is, and so what the command may do.
 *
 * @module
 */
import type { Reach } from "./permissions.ts";

/**
 * Whether it names a folder, as a shell shows one: it begins with `.` or `/`.
 * No name of Git begins so (git-check-ref-format(1)).
 */
export function isFolder(operand: string): boolean {
  return /^[./]/.test(operand);
}

/**
 * What `plan` may do: without root, or with a person's own folder, all that the
 * person may; nothing of the host is read for it that they could not read.
 */
export function reachOfPlan(operands: readonly string[]): Reach | undefined {
  const [operand] = operands;
  const isOwn = operand !== undefined && isFolder(operand);
  return isOwn || Deno.uid() !== 0 ? undefined : "host";
}
