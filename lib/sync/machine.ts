/**
 * The machine that a configuration is for.
 *
 * @module
 */
import { exitCodes, SyncError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";

const idFile = "/etc/machine-id";

/**
 * Refuses every other machine: on a copy of the disk, all else is the same.
 *
 * @param wanted The id of `machineId`.
 * @throws {SyncError} `other-machine`, exit 2.
 */
export function refuseOtherMachine(wanted: string): void {
  const id = idHere();
  if (id === wanted) return;
  const is = id === undefined
    ? `${idFile} cannot be read`
    : `its ID is ${oneLine(id, 80) || "empty"}`;
  throw new SyncError(
    `Refused to change this machine: ${is}, but machineId is ${wanted}`,
    {
      stage: "preflight",
      reason: "other-machine",
      next: "stop",
      exit: exitCodes.usage,
      hints: [
        `If this is the right machine, set \`machineId\` to the output of \`cat ${idFile}\`. Nothing was changed.`,
      ],
    },
  );
}

/** Returns the ID of this machine (machine-id(5)); `undefined` without one. */
export function idHere(): string | undefined {
  try {
    return Deno.readTextFileSync(idFile).trim();
  } catch {
    return undefined;
  }
}
