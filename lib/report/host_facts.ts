/**
 * What a host knows of itself without asking anybody.
 *
 * @module
 */
import type { Tip } from "../base/tip.ts";
import type { LocalConfig } from "../config/config.ts";
import type { Config } from "../config/schema.ts";
import { lockHolder } from "../host/running.ts";
import { systems } from "../host/system.ts";
import {
  type HostFacts,
  type HostState,
  hostStateOf,
} from "../run/host_state.ts";
import { misledOf } from "../run/misled.ts";
import { type AskedAt, readAsked } from "../state/asked.ts";
import { checkStateFolder } from "../state/folder_check.ts";
import type { State } from "../state/state.ts";
import { readState } from "../state/state_file.ts";
import { readSuspension } from "../state/suspension.ts";
import { waitNow } from "../sync/waiting.ts";
import type { Holder } from "../host/lock.ts";

/** What a host knows of itself. */
export interface LocalFacts extends HostFacts {
  /** When the remote was asked last. */
  asked?: AskedAt;
  /** Who has the lock, where that is known: a run, or another command. */
  busy?: Holder;
}

/**
 * Reads what a host knows of itself, with what the remote said last.
 *
 * @throws {SyncError} where the state or a suspension can't be read.
 */
export async function localFacts(config: LocalConfig): Promise<LocalFacts> {
  const folder = config.stateDirectory;
  const now = new Date();
  const state = waitNow(await readState(folder), now);
  const suspension = readSuspension(folder, now);
  const at = await lockHolder(folder);
  const isBusy = at?.isRun === true;
  const busy = at?.holder;
  const asked = readAsked(folder);
  const tip = lastTip(config, state, asked);
  return {
    config: config as Config,
    state,
    systems: systems(),
    ...misledOf(state.lastGood),
    now,
    isBusy,
    ...suspension ? { suspension } : {},
    ...asked ? { asked } : {},
    ...busy ? { busy } : {},
    ...tip ? { tip } : {},
  };
}

/** What the remote named when it was asked last, if it answered then. */
function lastTip(
  { repository, ref }: LocalConfig,
  { seen, last }: State,
  asked: AskedAt | undefined,
): Tip | undefined {
  if (asked) {
    const isSame = asked.repository === repository && asked.ref === ref;
    return isSame ? asked.tip : undefined;
  }
  // An older program wrote down only when it moved.
  if (!repository || seen?.ref !== ref || last?.stage === "decide") return;
  const { revision, name, kind } = seen;
  return { revision, name: name ?? ref, kind: kind as Tip["kind"] };
}

/** What each document about a host begins with. */
export interface HostPart {
  /** The host's name in the flake; `null` without a configuration. */
  host: string | null;
  /** What the host follows; `null` where the configuration names nothing. */
  target:
    | Record<"repository" | "ref" | "directory" | "host" | "operation", string>
    | null;
  state: HostState;
}

/**
 * What a document about a host begins with. Where it can't be told, that is the
 * answer: this never fails.
 *
 * @param config Nothing where the configuration can't be read.
 * @param state Where that is known already.
 */
export async function hostPart(
  config: LocalConfig | undefined,
  state?: HostState,
): Promise<HostPart> {
  if (!config) return { host: null, target: null, state: "unknown" };
  const { repository, ref, directory, host, operation } = config;
  return {
    host,
    target: repository === undefined
      ? null
      : { repository, ref, directory, host, operation },
    state: state ?? await stateOf(config),
  };
}

async function stateOf(config: LocalConfig): Promise<HostState> {
  try {
    // The command may have failed for this: a pipe there would never end.
    checkStateFolder(config.stateDirectory);
    return hostStateOf(await localFacts(config));
  } catch {
    return "unknown";
  }
}
