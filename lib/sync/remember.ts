/**
 * Remembers the answer of the remote.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { short } from "../base/text.ts";
import type { Tip } from "../base/tip.ts";
import type { Config } from "../config/schema.ts";
import { isPattern } from "../config/tag_pattern.ts";
import { moved } from "../run/followed.ts";
import type { State } from "../state/state.ts";
import { writeState } from "../state/state_file.ts";

/** Writes the tip of the ref and the servers in a pause, if they have changed. */
export async function remember(
  effects: Effects,
  config: Config,
  state: State,
  tip: Tip,
  quiet: State["quiet"],
): Promise<State> {
  const { seen, last } = state;
  const isNews = seen?.revision !== tip.revision || seen.ref !== config.ref ||
    seen.servedBy !== tip.servedBy;
  const wasUnreached = last?.stage === "decide";
  const isAsBefore = JSON.stringify(quiet) === JSON.stringify(state.quiet);
  const isOver = wasUnreached || state.unreached !== undefined;
  if (!isNews && !isOver && isAsBefore) return state;
  tellMovedTag(effects, seen, config.ref, tip);
  const { last: _, quiet: __, ...rest } = isOver
    ? await endSpell(effects, config.stateDirectory, state)
    : state;
  const next: State = {
    ...rest,
    ...(last && !wasUnreached ? { last } : {}),
    ...(quiet ? { quiet } : {}),
    seen: {
      ref: config.ref,
      revision: tip.revision,
      kind: tip.kind,
      ...isPattern(config.ref) ? { name: tip.name } : {},
      ...tip.servedBy ? { servedBy: tip.servedBy } : {},
      at: effects.now().toISOString(),
    },
  };
  await writeState(config.stateDirectory, next);
  return next;
}

/** Ends an outage of the remote; loaded only then. */
async function endSpell(
  effects: Effects,
  folder: string,
  state: State,
): Promise<State> {
  const { withoutSpell } = await import("./unreached.ts");
  return await withoutSpell(effects, folder, state);
}

/** Warns of a tag that moved, because tags should never move. */
function tellMovedTag(
  effects: Effects,
  seen: State["seen"],
  ref: string,
  tip: Tip,
): void {
  if (seen?.ref !== ref || seen.revision === tip.revision) return;
  if (seen.kind !== "tag" && tip.kind !== "tag") return;
  // A pattern that now matches another tag is not a move.
  if (isPattern(ref) && seen.name !== tip.name) return;
  const from = short(seen.revision), to = short(tip.revision);
  const what = moved(ref, seen.kind, tip.kind);
  say(effects, "warning", `${what} from ${from} to ${to}`);
}
