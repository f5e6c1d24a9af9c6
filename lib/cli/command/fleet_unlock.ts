/**
 * `gitops-sync fleet unlock HOST`: frees the slot of a host.
 *
 * @module
 */
import { type ExitCode, exitCodes, usageError } from "../../base/errors.ts";
import { oneLine } from "../../base/text.ts";
import type { LocalConfig } from "../../config/config.ts";
import { groupName } from "../../config/lock_kinds.ts";
import { whoRuns } from "../../host/person.ts";
import { unlock } from "../../locks/people.ts";
import { holderText } from "../../locks/wait.ts";
import { appendHistory } from "../../state/history.ts";
import type { SlotHolder } from "../../state/slot.ts";
import { localConfigOf } from "../config.ts";
import { neededOperand } from "../operand.ts";
import { printHostJson } from "../output/host_json.ts";
import { print } from "../output/print.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await localConfigOf(call);
  const id = hostOf(call);
  const reason = reasonOf(call, id);
  const by = whoRuns();
  const at = new Date().toISOString();
  const holder = await unlock(config, id, { by, at, reason });
  if (holder) await remember(config, id, { by, at, reason });
  const group = config["lock.group"];
  if (call.json) {
    const result = {
      result: holder ? "unlocked" : "not-held",
      group,
      id,
      holder: holder === undefined || holder === "untold" ? null : holder,
      by,
      reason,
      at,
    };
    await printHostJson("fleet unlock", config, exitCodes.ok, result);
  } else print(sentence(holder, group, id));
  return exitCodes.ok;
}

function hostOf(call: Call): string {
  const id = neededOperand(
    call,
    "free a slot",
    "fleet unlock HOST --reason TEXT",
    "Run `gitops-sync fleet locks` to see who holds the slots.",
  );
  if (groupName.read(id) !== undefined) return id;
  throw usageError(
    "not-a-host",
    `Cannot free the slot of ${
      oneLine(id, 80)
    }: expected ${groupName.expected}`,
    "Run `gitops-sync fleet locks` to see who holds the slots.",
  );
}

/** Returns the reason, which tells the owner of the slot why it was freed. */
function reasonOf({ texts }: Call, id: string): string {
  const reason = oneLine(texts["reason"] ?? "", 200);
  if (reason !== "") return reason;
  throw usageError(
    "reason-missing",
    `Cannot free the slot of ${id}: expected --reason TEXT, which is recorded`,
    `Run \`gitops-sync fleet unlock ${id} --reason TEXT\`.`,
  );
}

function sentence(
  holder: SlotHolder | "untold" | undefined,
  group: string,
  id: string,
): string {
  if (holder === undefined) return `${id} holds no slot of the group ${group}`;
  const who = holder === "untold" ? id : holderText(holder);
  return `Freed the slot of ${who} in the group ${group}`;
}

async function remember(
  { stateDirectory, "lock.group": group }: LocalConfig,
  id: string,
  { by, at, reason }: { by: string; at: string; reason: string },
): Promise<void> {
  await appendHistory(stateDirectory, {
    version: 1,
    id: `${at.slice(0, 19)}-${crypto.randomUUID().slice(0, 4)}`,
    command: "fleet unlock",
    at,
    ms: 0,
    result: "unlocked",
    exit: 0,
    message: `the slot of ${id} in the group ${group}`,
    by,
    why: reason,
    stages: [],
  });
}
