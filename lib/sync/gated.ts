/**
 * Whether gates still hold back a revision.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import type { Tip } from "../base/tip.ts";
import type { Config } from "../config/schema.ts";
import { checkGates } from "../gates/look.ts";
import { commitOf } from "../run/commit.ts";
import { isDue } from "../run/gates.ts";
import type { Gated, State } from "../state/state.ts";
import { writeState } from "../state/state_file.ts";

/**
 * Checks the gates again, if it is time or a person wants it, and writes what
 * changed.
 *
 * @param isForced Whether a person typed `--now`.
 * @returns what is still held back; `undefined` if all gates are open.
 * @throws {SyncError} `interrupted`.
 */
export async function askAgain(
  effects: Effects,
  config: Config,
  state: State,
  { gated, tip }: { gated: Gated; tip: Tip },
  isForced: boolean,
): Promise<Gated | undefined> {
  const isTest = tip.base !== undefined;
  const now = effects.now();
  if (!isForced && !isDue(gated, config, isTest, now)) return gated;
  const { target, system } = gated;
  const subject = { commit: commitOf(gated), target, system, isTest };
  const look = await checkGates({ effects, config, state }, subject, gated);
  if (!look.gated) return undefined;
  await writeState(config.stateDirectory, { ...state, gated: look.gated });
  return look.gated;
}
