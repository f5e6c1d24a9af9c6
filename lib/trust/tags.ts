/**
 * Signed tags: a person's word about exactly one commit, under a name.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { oneLine, short } from "../base/text.ts";
import type { Signer } from "../state/state.ts";
import { fieldOf } from "../git/git.ts";
import { listTags, type RemoteTag } from "../git/remote.ts";
import type { Bad, Good } from "./signature.ts";
import { contentsIfThere, git } from "./trusted_keys.ts";
import { refusal, tooManyTags } from "./refusals.ts";
import type { Run } from "../run/run.ts";
import { fetch } from "../git/transfer.ts";
import type { Fetched } from "../run/stages.ts";

/** A tag in the mirror: its object and the name it has on the remote. */
export type Tag = Pick<RemoteTag, "id" | "name">;

/** Judges a tag object by the keys that count. */
type Judge = (id: string, content: Uint8Array) => Promise<Good | Bad>;

/** Nobody needs a thousandth of it; who floods a host is told to stop. */
const mostTags = 1000;

/** So many are fetched and read at once. */
const chunk = 100;

/** A longer name is no file that Git could make. */
const longestName = 1000;

/**
 * Who signed tags that point to the revision, some at a time until the caller
 * has enough. What is no good tag is passed over: it may be anybody's.
 *
 * @throws {SyncError} `too-many-tags`; exit 3 where the remote does not answer.
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
    await bringTags(run, mirror, some);
    yield await goodSigners(run, fetched, some, judge);
  }
}

/** Fetches tags; one that is broken, or gone meanwhile, hides no other. */
async function bringTags(
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
    // What is not signed, or another tag, is cheap to pass over.
    const isOdd = !text.includes("\n-----BEGIN ") ||
      relabelled(text, name, commit.revision);
    if (isOdd) continue;
    const judged = await judge(id, content);
    if (judged.ok) signers.push(signerOf(judged));
  }
  return signers;
}

function signerOf({ ok: _, ...signer }: Good): Signer {
  return signer;
}

/**
 * Who signed this tag of the revision. A tag counts under its own name alone: a
 * server may serve the tag of one release as another's.
 *
 * @throws {SyncError} exit 4 where it is not good.
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
  if (judged.ok) return signerOf(judged);
  const shown = `tag ${oneLine(name.replace(/^refs\/tags\//, ""), 80)}`;
  throw refusal(shown, judged, commit.revision);
}

const unsigned: Bad = {
  ok: false,
  reason: "unsigned",
  says: "is not signed: it is a lightweight tag, which can't carry a signature",
};

/** The tag object, or `undefined` where the name points to a commit itself. */
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

/** What a tag object says it is (gitformat-tag, git-mktag(1)). */
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
