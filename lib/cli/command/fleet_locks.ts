/**
 * `gitops-sync fleet locks`: prints who holds the slots of the group.
 *
 * @module
 */
import { type ExitCode, exitCodes } from "../../base/errors.ts";
import { count, short } from "../../base/text.ts";
import type { LocalConfig } from "../../config/config.ts";
import { lockIdOf } from "../../locks/configured.ts";
import { holdersNow } from "../../locks/people.ts";
import type { SlotHolder } from "../../state/slot.ts";
import { readState } from "../../state/state_file.ts";
import { localConfigOf } from "../config.ts";
import { printHostJson } from "../output/host_json.ts";
import { print, printRaw } from "../output/print.ts";
import { table } from "../output/table.ts";
import { timeAndAge } from "../../report/times.ts";
import type { Call } from "../call.ts";
import { slotsJson } from "./status_json.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await localConfigOf(call);
  const holders = await holdersNow(config);
  const state = await readState(config.stateDirectory);
  if (call.json) {
    const result = {
      result: "locks",
      group: config["lock.group"],
      slots: slotsOf(config) ?? null,
      holders: holders ?? null,
      ...slotsJson(state),
    };
    await printHostJson("fleet locks", config, exitCodes.ok, result);
  } else if (holders === undefined) {
    print(
      `A FleetLock server does not report who holds slots. This host holds ${
        state.slot ? "one slot" : "no slot"
      } of the group ${config["lock.group"]}.`,
    );
  } else printRaw(text(config, holders));
  return exitCodes.ok;
}

/** Returns the number of slots; with FleetLock only its server knows it. */
function slotsOf(config: LocalConfig): number | undefined {
  return config["lock.etcd.endpoints"].length > 0
    ? config["lock.etcd.slots"]
    : undefined;
}

function text(config: LocalConfig, holders: readonly SlotHolder[]): string {
  const group = config["lock.group"];
  const taken = `${holders.length} of ${
    count(config["lock.etcd.slots"], "slot")
  } of the group ${group}`;
  if (holders.length === 0) return `${taken} are taken`;
  const now = new Date();
  const own = lockIdOf(config);
  const rows = holders.map(({ id, revision, use, since, isKept }) => [
    id === own ? `${id} (this host)` : id,
    use ?? "?",
    revision ? short(revision) : "?",
    since ? `since ${timeAndAge(since, now)}` : "",
    isKept ? "" : "about to begin",
  ]);
  return `${taken} are taken:\n${table(rows)}`;
}
