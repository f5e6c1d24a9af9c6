/**
 * Signed tags: a person's word about exactly one commit, under a name.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { oneLine, short } from "../base/text.ts";
import type { Signer } from "../state/state.ts";
import { fieldOf } from "../git/git.ts";
import { listTags } from "../git/remote.ts";
import type { Bad, Good } from "./signature.ts";
import { git } from "./trusted_keys.ts";
import { refusal } from "./refusals.ts";
import type { Run } from "../run/run.ts";
import { fetch } from "../git/transfer.ts";
import type { Fetched } from "../run/stages.ts";

/** A tag in the mirror: its object and the name it has on the remote. */
export interface Tag {
  id: string;
  name: string;
}

/** Nobody needs more signatures on one commit. */
const mostTags = 30;

/** Fetches the annotated tags of the remote that point to the revision. */
export async function tagsAt(
  run: Run,
  { commit, mirror }: Fetched,
): Promise<Tag[]> {
  const all = await listTags(run.effects, run.config);
  const names = all.filter(({ revision }) => revision === commit.revision)
    .map(({ name }) => name).slice(0, mostTags);
  const tags: Tag[] = [];
  for (const [i, name] of names.entries()) {
    const place = `refs/gitops-sync/tag-${i}`;
    await fetch(run, mirror, [`+${name}:${place}`]);
    const id = await git(run, mirror, ["rev-parse", "--verify", place]);
    tags.push({ id: new TextDecoder().decode(id).trim(), name });
  }
  return tags;
}

/**
 * Who signed these tags of the revision. A tag counts under its own name
 * alone: a server may serve the tag of one release as another's.
 *
 * @param wanted `those that are good`: others are passed over.
 * @throws {SyncError} exit 4, for the first that is not good.
 */
export async function signedTags(
  run: Run,
  { commit, mirror }: Fetched,
  tags: readonly Tag[],
  judge: (id: string) => Promise<Good | Bad>,
  wanted: "all" | "those that are good" = "all",
): Promise<Signer[]> {
  const signers: Signer[] = [];
  for (const { id, name } of tags) {
    const shown = `tag ${oneLine(name.replace(/^refs\/tags\//, ""), 80)}`;
    try {
      const content = await readTag(run, mirror, id);
      const bad = content === undefined
        ? unsigned
        : relabelled(content, name, commit.revision);
      const judged = bad ?? await judge(id);
      if (!judged.ok) throw refusal(shown, judged, commit.revision);
      const { ok: _, ...signer } = judged;
      signers.push(signer);
    } catch (error) {
      if (wanted === "all" || !(error instanceof SyncError)) throw error;
    }
  }
  return signers;
}

const unsigned: Bad = {
  ok: false,
  reason: "unsigned",
  says: "is not signed: it is a name alone, without a tag object",
};

/** The tag object, or `undefined` where the name points to a commit itself. */
async function readTag(
  run: Run,
  mirror: string,
  id: string,
): Promise<string | undefined> {
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const type = decode(await git(run, mirror, ["cat-file", "-t", id])).trim();
  if (type !== "tag") return undefined;
  return decode(await git(run, mirror, ["cat-file", "tag", id]));
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
    says: `does not point to the commit ${short(revision)} itself`,
  };
}
