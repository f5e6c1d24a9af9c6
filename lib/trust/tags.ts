/**
 * Signed tags: a person vouches for exactly one commit, under a name.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { oneLine, short } from "../base/text.ts";
import type { Signer } from "../state/state.ts";
import { fieldOf } from "../git/git.ts";
import { listTags, type RemoteTag } from "../git/remote.ts";
import { toSigner } from "./judge.ts";
import type { Bad, Good } from "./signature.ts";
import { contentsIfThere, git } from "./trusted_keys.ts";
import { refusal, tooManyTags } from "./refusals.ts";
import type { Run } from "../run/run.ts";
import { fetch } from "../git/transfer.ts";
import type { Fetched } from "../run/stages.ts";

/** A tag in the mirror: its object, and its name on the remote. */
export type Tag = Pick<RemoteTag, "id" | "name">;

/** Checks a tag object with the trusted keys. */
type Judge = (id: string, content: Uint8Array) => Promise<Good | Bad>;

/** Real repositories need a thousandth of it; more is refused as a flood. */
const mostTags = 1000;

/** How many tags are fetched and read at once. */
const chunk = 100;

/** Git could not create a file with a longer name. */
const longestName = 1000;

/**
 * Yields the signers of tags that point to the revision, some at a time until
 * the caller has enough. Skips tags that are not good: anybody may have pushed
 * them.
 *
 * @throws {SyncError} `too-many-tags`; exit 3 if the remote does not answer.
 */
export async function* taggersOf(
  run: Run,
  fetched: Fetched,
  judge: Judge,
): AsyncGenerator<Signer[]> {
  const { commit: { revision }, mirror } = fetched;
  const all = await listTags(run.effects, run.remote);
  const tags = all.filter((tag) =>
    tag.revision === revision && tag.name.length <= longestName
  );
  if (tags.length > mostTags) {
    throw tooManyTags(revision, tags.length, mostTags);
  }
  for (let at = 0; at < tags.length; at += chunk) {
    const some = tags.slice(at, at + chunk);
    await fetchTags(run, mirror, some);
    yield await goodSigners(run, fetched, some, judge);
  }
}

/** Fetches tags; a tag that is broken or was removed does not hide others. */
async function fetchTags(
  run: Run,
  mirror: string,
  tags: readonly Tag[],
): Promise<void> {
  const names = tags.map(({ name }) => name);
  if (await mayFetch(run, mirror, names)) return;
  for (const name of names) await mayFetch(run, mirror, [name]);
}

async function mayFetch(
  run: Run,
  mirror: string,
  names: readonly string[],
): Promise<boolean> {
  try {
    await fetch(run, mirror, names);
    return true;
  } catch (error) {
    const isTheirs = error instanceof SyncError &&
      ["bad-objects", "revision-missing", "revision-hidden"]
        .includes(error.reason);
    if (!isTheirs) throw error;
    return false;
  }
}

async function goodSigners(
  run: Run,
  { commit, mirror }: Fetched,
  tags: readonly Tag[],
  judge: Judge,
): Promise<Signer[]> {
  const contents = await contentsIfThere(run, mirror, tags.map(({ id }) => id));
  const signers: Signer[] = [];
  for (const [i, { id, name }] of tags.entries()) {
    const content = contents[i];
    if (!content) continue;
    const text = new TextDecoder().decode(content);
    // Unsigned or relabelled tags are skipped first, which is cheap.
    const isOdd = !text.includes("\n-----BEGIN ") ||
      relabelled(text, name, commit.revision);
    if (isOdd) continue;
    const judged = await judge(id, content);
    if (judged.ok) signers.push(toSigner(judged));
  }
  return signers;
}

/**
 * Returns who signed this tag of the revision. A tag is only valid under its
 * own name: a server may serve the tag of one release as that of another.
 *
 * @throws {SyncError} exit 4 if it is not good.
 */
export async function taggerOf(
  run: Run,
  { commit, mirror }: Fetched,
  { id, name }: Tag,
  judge: Judge,
): Promise<Signer> {
  const content = await readTag(run, mirror, id);
  const bad = content === undefined
    ? unsigned
    : relabelled(new TextDecoder().decode(content), name, commit.revision);
  const judged = bad ?? await judge(id, content!);
  if (judged.ok) return toSigner(judged);
  const shown = `tag ${oneLine(name.replace(/^refs\/tags\//, ""), 80)}`;
  throw refusal(shown, judged, commit.revision);
}

const unsigned: Bad = {
  ok: false,
  reason: "unsigned",
  says: "is not signed: it is a lightweight tag, which can't carry a signature",
};

/** Returns the tag object, or `undefined` for a lightweight tag. */
async function readTag(
  run: Run,
  mirror: string,
  id: string,
): Promise<Uint8Array | undefined> {
  const type = await git(run, mirror, ["cat-file", "-t", id]);
  return new TextDecoder().decode(type).trim() === "tag"
    ? await git(run, mirror, ["cat-file", "tag", id])
    : undefined;
}

/**
 * Returns what is wrong if a tag object has another name or target
 * (git-mktag(1)).
 */
function relabelled(
  content: string,
  name: string,
  revision: string,
): Bad | undefined {
  const own = fieldOf(content, "tag");
  if (`refs/tags/${own}` !== name) {
    return {
      ok: false,
      reason: "tampered",
      says: `is the tag ${oneLine(own ?? "", 80)} under another name`,
    };
  }
  const type = fieldOf(content, "type");
  if (fieldOf(content, "object") === revision && type === "commit") return;
  return {
    ok: false,
    reason: "signature-format",
    says: `does not point directly to the commit ${short(revision)}`,
  };
}
