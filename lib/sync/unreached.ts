/**
 * A remote that does not answer, or that lacks the ref. Loaded only then.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { count } from "../base/text.ts";
import { mistakes } from "../config/mistakes.ts";
import type { Config } from "../config/schema.ts";
import { isPattern } from "../config/tag_pattern.ts";
import { entryOfSpell } from "../state/history.ts";
import type { State, Unreached } from "../state/state.ts";
import { writeHistory } from "../state/unwritten.ts";
import { listRemote } from "../git/remote.ts";
import { writeState } from "../state/state_file.ts";

/** Returns the error for a remote that has no such branch or tag. */
export async function missing(
  effects: Effects,
  config: Config,
): Promise<SyncError> {
  if (config.ref.includes(notUtf8)) return unreadable(config.ref);
  const names = await listRemote(effects, config);
  const says = names.length === 0
    ? `${config.repository} has no branches or tags`
    : `${config.repository} has no ${
      isPattern(config.ref) ? "tag of" : "branch or tag"
    } ${config.ref}`;
  return new SyncError(`Cannot follow ${config.ref}: ${says}`, {
    stage: "decide",
    reason: names.length === 0 ? "repository-empty" : "ref-missing",
    next: "retry",
    hints: [
      names.length === 0
        ? `Push a commit to ${config.ref}, or check that \`repository\` is the URL to clone and not a web page. ${kept}`
        : await nearest(
          config.ref,
          names.filter((name) => !name.includes(notUtf8)),
        ),
      ...mistakes(config),
    ],
  });
}

const kept = "The host keeps its current system.";

/** The character that replaces bytes that are not UTF-8 in a decoded name. */
const notUtf8 = "\ufffd";

/** Returns the error for a `ref` that is not UTF-8: no name can match it. */
function unreadable(ref: string): SyncError {
  return new SyncError(`Cannot follow ${ref}: this name is not valid UTF-8`, {
    stage: "decide",
    reason: "ref-missing",
    next: "retry",
    hints: [
      `Rename the branch or tag to a name in UTF-8, and set \`ref\` to that name. ${kept}`,
    ],
  });
}

/** How many branches and tags are named if none is close. */
const mostNames = 5;

async function nearest(ref: string, names: readonly string[]): Promise<string> {
  if (isPattern(ref)) {
    const tags = names.filter((name) => name.startsWith("refs/tags/"));
    const last = tags.at(-1)?.replace(/^refs\/tags\//, "");
    const known = last === undefined
      ? "the repository has no tags"
      : `the repository has ${
        count(tags.length, "tag")
      }, the last by name is ${last}`;
    return `Push a tag that matches the pattern, or change \`ref\` (${known}). ${kept}`;
  }
  const { nearest: nearestOf } = await import("../base/nearest.ts");
  const plain = names.map((name) => name.replace(/^refs\/(heads|tags)\//, ""));
  const near = nearestOf(ref, plain);
  const some = plain.slice(0, mostNames).join(", ");
  const more = plain.length > mostNames ? ", and more" : "";
  const known = near
    ? ` (did you mean ${near}?)`
    : plain.length > 0
    ? ` (the repository has ${some}${more})`
    : "";
  return `Push it, or set \`ref\` to another branch or tag${known}. ${kept}`;
}

/**
 * Remembers that the remote did not answer, and how often in a row. Another reason
 * begins a new outage.
 */
export async function recordUnreached(
  effects: Effects,
  { stateDirectory: folder }: Config,
  before: State,
  error: SyncError,
): Promise<void> {
  const state = before.unreached?.reason === error.reason
    ? before
    : await withoutSpell(effects, folder, before);
  const { last } = state;
  const again = last?.stage === "decide" && last.reason === error.reason;
  await writeState(folder, {
    ...state,
    unreached: spellOf(state.unreached, error, effects.now()),
    last: {
      at: effects.now().toISOString(),
      result: "failed",
      exit: error.exit,
      stage: error.stage,
      reason: error.reason,
      message: error.message,
      hints: error.hints,
      times: again ? last.times + 1 : 1,
    },
  });
}

/** Returns the outage with one more try. */
function spellOf(
  before: Unreached | undefined,
  { exit, reason, message }: SyncError,
  now: Date,
): Unreached {
  const at = now.toISOString();
  const id = `${at.slice(0, 19)}-${crypto.randomUUID().slice(0, 4)}`;
  const begun = before ?? { id, since: at, tries: 0 };
  return { ...begun, at, tries: begun.tries + 1, exit, reason, message };
}

/**
 * Ends an outage, if there is one: it becomes one line of the history, with any
 * number of tries.
 *
 * @returns the state, not yet written.
 */
export async function withoutSpell(
  effects: Effects,
  folder: string,
  state: State,
): Promise<State> {
  const { unreached, unwritten = [], ...rest } = state;
  if (!unreached) return state;
  const waiting = await writeHistory(effects, folder, [
    ...unwritten,
    entryOfSpell(unreached),
  ]);
  return waiting.length > 0 ? { ...rest, unwritten: waiting } : rest;
}
