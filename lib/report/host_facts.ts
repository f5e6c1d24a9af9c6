/**
 * What a host knows of itself, without a query to a server.
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
  /** When the remote was queried last. */
  asked?: AskedAt;
  /** Who holds the lock, if known: a run, or another command. */
  busy?: Holder;
}

/**
 * Reads what a host knows of itself, with the last answer of the remote.
 *
 * @throws {SyncError} if the state or a suspension cannot be read.
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

/** Returns the tip from the last query, if the remote answered. */
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

/** The first fields of each document about a host. */
export interface HostPart {
  /** The host's name in the flake; `null` without a configuration. */
  host: string | null;
  /** What the host follows; `null` if the configuration names no repository. */
  target:
    | Record<"repository" | "ref" | "directory" | "host" | "operation", string>
    | null;
  state: HostState;
}

/**
 * Returns the first fields of a document about a host. It never fails: the state
 * is `unknown` then.
 *
 * @param config `undefined` if the configuration cannot be read.
 * @param state The state, if known already.
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
