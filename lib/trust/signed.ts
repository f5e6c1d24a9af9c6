/**
 * Checks whether a fetched revision has the signatures that it needs.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import type { Signer, State } from "../state/state.ts";
import type { Bad, Good, Keyring } from "./signature.ts";
import { judge, toSigner } from "./judge.ts";
import { newCommits, refuseOtherHistory } from "./commits.ts";
import { candidateName } from "../git/fetch.ts";
import { isKnown, newestOf } from "../run/followed.ts";
import { has } from "../git/mirror.ts";
import {
  contentsOf,
  git,
  Keyrings,
  keyTrees,
  mostAtOnce,
} from "./trusted_keys.ts";
import {
  keysLost,
  keysRemoved,
  needsTag,
  people,
  refusal,
  tooFew,
} from "./refusals.ts";
import type { Run } from "../run/run.ts";
import { taggerOf, taggersOf } from "./tags.ts";
import type { Fetched } from "../run/stages.ts";

/** The result of checking a revision's signatures. */
export interface Signed {
  /** Who signed it; empty if no signature is required. */
  signers: readonly Signer[];
  /**
   * Set if this revision makes its history trusted, unless something else
   * refuses it.
   */
  firstTrusted?: State["firstTrusted"];
}

/**
 * Checks the signatures that `verify.mode` and `verify.threshold` require.
 *
 * @throws {SyncError} exit 4, with a reason for each way in which it is not
 * trusted.
 */
export async function checkSignatures(
  run: Run,
  fetched: Fetched,
): Promise<Signed> {
  const mode = run.config["verify.mode"];
  if (mode === "none") return { signers: [] };
  await using keyrings = await Keyrings.make(run, fetched.mirror);
  const check = await Check.make(run, fetched, keyrings);
  const signed = [
    ...mode.startsWith("tag") ? await check.tag() : [],
    ...mode === "head" || mode === "tag-and-head" ? await check.head() : [],
    ...mode === "range" ? await check.range() : [],
  ];
  const signers = await check.threshold(signed);
  await check.newKeys();
  return mode === "range" && check.isFirstUse
    ? { signers, firstTrusted: check.asFirstTrusted() }
    : { signers };
}

/** What to show about the signature of a commit; it decides nothing. */
export type Told =
  | { state: "good"; signer: Signer }
  /** `says` completes "commit X …". */
  | { state: "bad"; says: string }
  /** It was not checked; `says` is the reason. */
  | { state: "unchecked"; says: string };

/**
 * Checks the signatures of some commits for display, with the keys that are
 * trusted for new commits.
 *
 * @returns one result for each revision, in their order.
 */
export async function tellSignatures(
  run: Run,
  fetched: Fetched,
  revisions: readonly string[],
): Promise<Told[]> {
  const nobody = (says: string) =>
    revisions.map((): Told => ({ state: "unchecked", says }));
  if (run.config["verify.mode"] === "none") {
    return nobody("signatures are not required");
  }
  try {
    await using keyrings = await Keyrings.make(run, fetched.mirror);
    const check = await Check.make(run, fetched, keyrings);
    const keys = await check.keys();
    const told: Told[] = [];
    for (const revision of revisions) {
      const judged = await check.judge("commit", revision, keys);
      told.push(
        judged.ok
          ? { state: "good", signer: toSigner(judged) }
          : { state: "bad", says: judged.says },
      );
    }
    return told;
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    return nobody(error.message);
  }
}

/** The checks of one revision. */
class Check {
  /** The content of commits that were read ahead. */
  readonly contents = new Map<string, Uint8Array>();

  private constructor(
    readonly run: Run,
    readonly fetched: Fetched,
    readonly keyrings: Keyrings,
    /** Trusted revisions that are in the mirror; newest first. */
    readonly trusted: readonly string[],
  ) {}

  static async make(
    run: Run,
    fetched: Fetched,
    keyrings: Keyrings,
  ): Promise<Check> {
    const { lastGood, firstTrusted } = run.state;
    const isSame = firstTrusted?.repository === run.config.repository;
    const known = [
      newestOf(run.state, run.config.repository),
      lastGood?.revision,
      isSame ? firstTrusted.revision : undefined,
      run.config["verify.firstTrusted"],
    ].filter((revision) => revision !== undefined);
    const trusted: string[] = [];
    for (const revision of new Set(known)) {
      if (await has(run, fetched.mirror, revision)) trusted.push(revision);
    }
    return new Check(run, fetched, keyrings, trusted);
  }

  get revision(): string {
    return this.fetched.commit.revision;
  }

  /** How many people must sign it. */
  get needed(): number {
    return this.run.config["verify.threshold"];
  }

  /**
   * Whether nothing of this repository was trusted or deployed on this host
   * yet.
   */
  get isFirstUse(): boolean {
    const { run: { state, config }, trusted } = this;
    return trusted.length === 0 && !isKnown(state, config.repository);
  }

  asFirstTrusted(): NonNullable<State["firstTrusted"]> {
    const { run: { config, effects }, revision } = this;
    const { repository } = config;
    return { repository, revision, at: effects.now().toISOString() };
  }

  /**
   * Refuses to continue if the repository holds the keys, but the mirror lacks
   * the newest deployed revision. Its keys are trusted; the files of this host
   * may hold outdated keys.
   */
  refuseLostKeys(): void {
    const { run: { config, state }, trusted } = this;
    const newest = newestOf(state, config.repository);
    if (config["verify.keysFrom"] === "" || newest === undefined) return;
    if (trusted[0] === newest) return;
    throw keysLost(newest);
  }

  /**
   * Returns the keys that are trusted for commits after the trusted revisions.
   */
  async keys(): Promise<Keyring> {
    this.refuseLostKeys();
    const base = this.trusted.slice(0, 1);
    const trees = await keyTrees(this.run, this.fetched.mirror, base);
    return await this.keyrings.of(base[0] && trees.get(base[0]));
  }

  /**
   * Checks that the revision's own keys can be used: otherwise nothing could
   * pass after its deployment.
   */
  async newKeys(): Promise<void> {
    const { run, fetched: { mirror }, revision, trusted } = this;
    if (run.config["verify.keysFrom"] === "") return;
    const base = trusted.slice(0, 1);
    const trees = await keyTrees(run, mirror, [revision, ...base]);
    const tree = trees.get(revision);
    // The keys of this host may be outdated.
    if (tree === undefined && base.some((one) => trees.has(one))) {
      throw keysRemoved(run, revision);
    }
    await this.keyrings.of(tree);
  }

  /** Checks the commit itself. */
  async head(): Promise<Signer[]> {
    const { revision } = this;
    return [await this.must(revision, await this.keys())];
  }

  /** Checks the tag that the ref names. */
  async tag(): Promise<Signer[]> {
    const { tip, mirror } = this.fetched;
    if (tip.kind !== "tag") throw needsTag(this.run, tip.kind);
    const line = await git(this.run, mirror, [
      "rev-parse",
      "--verify",
      candidateName,
    ]);
    const id = new TextDecoder().decode(line).trim();
    const judge = (id: string, content: Uint8Array) =>
      this.judge("tag", id, undefined, content);
    return [
      await taggerOf(this.run, this.fetched, { id, name: tip.name }, judge),
    ];
  }

  /**
   * Checks every commit since the trusted revisions, with the keys before it.
   */
  async range(): Promise<readonly Signer[]> {
    const { run, fetched, trusted } = this;
    await refuseOtherHistory(run, fetched);
    // A signed commit vouches for its ancestors.
    if (this.isFirstUse) return await this.head();
    const commits = await newCommits(run, fetched, trusted);
    if (commits.size === 0) return await this.oldSigners();
    const last = await this.everyNew(commits);
    return this.needed > 1 ? await this.signerBefore() : last;
  }

  /**
   * Returns the signers of a revision without new commits. Redeploying the last
   * revision (for another operation or host) reuses its recorded signers. A
   * revision that a person accepted is checked itself.
   */
  async oldSigners(): Promise<readonly Signer[]> {
    const { lastGood } = this.run.state;
    const isLast = lastGood?.revision === this.revision;
    // They were checked with the keys before it, which it may have replaced.
    if (isLast && lastGood.signers) return lastGood.signers;
    return await this.head();
  }

  /**
   * Checks that each of these commits is signed.
   *
   * @returns who signed the last one.
   */
  async everyNew(
    commits: ReadonlyMap<string, readonly string[]>,
  ): Promise<Signer[]> {
    const { run, fetched: { mirror }, trusted } = this;
    this.refuseLostKeys();
    const all = [...trusted.slice(0, 1), ...commits.keys()];
    const trees = await keyTrees(run, mirror, all);
    const base = trusted[0] && trees.get(trusted[0]);
    // A set of keys may only change on the path from the last deployed
    // revision: a branch that began before it has outdated keys.
    const onTheWay = new Set(trusted.slice(0, 1));
    const ids = [...commits.keys()];
    let last: Signer[] = [];
    for (const [i, commit] of ids.entries()) {
      if (i % mostAtOnce === 0) await this.readAhead(ids.slice(i));
      const parents = commits.get(commit)!;
      const before = parents.filter((parent) => onTheWay.has(parent));
      const isRemoved = !trees.has(commit) &&
        before.some((parent) => trees.has(parent));
      if (isRemoved) throw keysRemoved(run, commit);
      const sets = before.length === 0
        ? [base]
        : [...new Set(before.map((parent) => trees.get(parent)))];
      for (const set of sets) {
        last = [await this.must(commit, await this.keyrings.of(set))];
      }
      if (before.length > 0) onTheWay.add(commit);
    }
    return last;
  }

  /** Reads the commits that are checked next with one process. */
  async readAhead(ids: readonly string[]): Promise<void> {
    const { run, fetched: { mirror }, contents } = this;
    contents.clear();
    const some = ids.slice(0, mostAtOnce);
    const read = await contentsOf(run, mirror, some);
    some.forEach((id, i) => contents.set(id, read[i]!));
  }

  /**
   * Returns who signed the revision, by the keys before the range. The keys
   * that it adds are valid for its commits, but do not count as more people.
   */
  async signerBefore(): Promise<Signer[]> {
    const judged = await this.judge("commit", this.revision);
    return judged.ok ? [toSigner(judged)] : [];
  }

  /**
   * Adds people from signed tags that point to the revision, up to the
   * threshold.
   */
  async threshold(signers: readonly Signer[]): Promise<readonly Signer[]> {
    const { needed } = this;
    if (signers.length > 0 && needed === 1) return signers;
    const { names } = await this.keys();
    if (people(signers, names) >= needed) return signers;
    const judge = (id: string, content: Uint8Array) =>
      this.judge("tag", id, undefined, content);
    const all = [...signers];
    for await (const more of taggersOf(this.run, this.fetched, judge)) {
      all.push(...more);
      if (people(all, names) >= needed) return all;
    }
    const found = people(all, names);
    throw tooFew(this.revision, all, found, needed);
  }

  /** Returns the signer of a commit; throws if its signature is not good. */
  async must(commit: string, keyring: Keyring): Promise<Signer> {
    const judged = await this.judge("commit", commit, keyring);
    if (judged.ok) return toSigner(judged);
    throw refusal(`commit ${short(commit)}`, judged, this.revision);
  }

  /**
   * Checks a signature, by default with the keys that are trusted for new
   * commits.
   */
  async judge(
    type: "commit" | "tag",
    id: string,
    keyring?: Keyring,
    content = this.contents.get(id),
  ): Promise<Good | Bad> {
    const { run, fetched: { mirror } } = this;
    const keys = keyring ?? await this.keys();
    return await judge(run, mirror, type, id, keys, content);
  }
}
