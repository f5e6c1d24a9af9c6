/**
 * The one machine that a configuration is for.
 *
 * @module
 */
import { exitCodes, SyncError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";

const idFile = "/etc/machine-id";

/**
 * Refuses every machine but one: on a copy of its disk all else is the same.
 *
 * @param wanted The id of `machineId`.
 * @throws {SyncError} `other-machine`, exit 2.
 */
export function refuseOtherMachine(wanted: string): void {
  const id = idHere();
  if (id === wanted) return;
  const is = id === undefined
    ? `${idFile} can't be read`
    : `the id of this one is ${oneLine(id, 80) || "empty"}`;
  throw new SyncError(
    `Refused to change this machine: it is not the one of machineId, ${wanted}; ${is}`,
    {
      stage: "preflight",
      reason: "other-machine",
      next: "stop",
      exit: exitCodes.usage,
      hints: [
        "nothing was done; if this is the machine that is meant, write its id as machineId: cat /etc/machine-id",
      ],
    },
  );
}

/** The id of this machine (machine-id(5)); `undefined` where there is none. */
export function idHere(): string | undefined {
  try {
    return Deno.readTextFileSync(idFile).trim();
  } catch {
    return undefined;
  }
}
