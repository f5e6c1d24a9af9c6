/**
 * Which signatures a fetched revision needs, and whether it has them.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import type { Signer, State } from "../state/state.ts";
import type { Bad, Good, Keyring } from "./signature.ts";
import { judge, whose } from "./judge.ts";
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

/** What the signatures of a revision say. */
export interface Signed {
  /** Who signed it; none where no signature is asked for. */
  signers: readonly Signer[];
  /** Given where its history is trusted with it, if nothing else refuses it. */
  firstTrusted?: State["firstTrusted"];
}

/**
 * Checks the signatures that `verify.mode` and `verify.threshold` ask for.
 *
 * @throws {SyncError} exit 4, with a reason for each way not to be trusted.
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

/** What is to be told of the signature of a commit; it decides nothing. */
export type Told =
  | { state: "good"; signer: Signer }
  /** `says` completes "commit X …". */
  | { state: "bad"; says: string }
  /** Nobody looked at it, and why. */
  | { state: "unchecked"; says: string };

/**
 * Tells of the signatures of some commits, by the keys that count for what
 * comes now.
 *
 * @returns one for each of the revisions, in their order.
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
          ? { state: "good", signer: whose(judged) }
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
  /** What was read of many commits at once. */
  readonly contents = new Map<string, Uint8Array>();

  private constructor(
    readonly run: Run,
    readonly fetched: Fetched,
    readonly keyrings: Keyrings,
    /** Revisions that are trusted already, and in the mirror; newest first. */
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

  /** How many people must have signed it. */
  get needed(): number {
    return this.run.config["verify.threshold"];
  }

  /** Whether nothing of this repository was trusted or deployed here yet. */
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
   * Where the repository holds the keys, those of the newest revision that was
   * deployed count. Without it, the files of this host may hold keys of long ago.
   */
  refuseLostKeys(): void {
    const { run: { config, state }, trusted } = this;
    const newest = newestOf(state, config.repository);
    if (config["verify.keysFrom"] === "" || newest === undefined) return;
    if (trusted[0] === newest) return;
    throw keysLost(newest);
  }

  /** The keys that count for what comes after the trusted revisions. */
  async keys(): Promise<Keyring> {
    this.refuseLostKeys();
    const base = this.trusted.slice(0, 1);
    const trees = await keyTrees(this.run, this.fetched.mirror, base);
    return await this.keyrings.of(base[0] && trees.get(base[0]));
  }

  /** Once deployed, a set that can't be used would let nothing pass. */
  async newKeys(): Promise<void> {
    const { run, fetched: { mirror }, revision, trusted } = this;
    if (run.config["verify.keysFrom"] === "") return;
    const base = trusted.slice(0, 1);
    const trees = await keyTrees(run, mirror, [revision, ...base]);
    const tree = trees.get(revision);
    // The keys of this host may be those of long ago.
    if (tree === undefined && base.some((one) => trees.has(one))) {
      throw keysRemoved(run, revision);
    }
    await this.keyrings.of(tree);
  }

  /** The commit itself. */
  async head(): Promise<Signer[]> {
    const { revision } = this;
    return [await this.must(revision, await this.keys())];
  }

  /** The tag that the ref names. */
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

  /** Every commit since the trusted revisions, by the keys before it. */
  async range(): Promise<readonly Signer[]> {
    const { run, fetched, trusted } = this;
    await refuseOtherHistory(run, fetched);
    // What is signed now vouches for what is behind it.
    if (this.isFirstUse) return await this.head();
    const commits = await newCommits(run, fetched, trusted);
    if (commits.size === 0) return await this.oldSigners();
    const last = await this.everyNew(commits);
    return this.needed > 1 ? await this.signerBefore() : last;
  }

  /**
   * Who signed what is no newer than what is trusted: the revision deployed
   * last, for another operation or host, or one that a person accepted.
   */
  async oldSigners(): Promise<readonly Signer[]> {
    const { lastGood } = this.run.state;
    const isLast = lastGood?.revision === this.revision;
    // Found good by the keys before it, which it may have replaced.
    if (isLast && lastGood.signers) return lastGood.signers;
    return await this.head();
  }

  /**
   * Every one of these commits must be signed.
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
    // A set of keys may change only along the way from the revision deployed
    // last: on a branch that began before it, keys are those of long ago.
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

  /** Reads some of the commits that are judged next with one process. */
  async readAhead(ids: readonly string[]): Promise<void> {
    const { run, fetched: { mirror }, contents } = this;
    contents.clear();
    const some = ids.slice(0, mostAtOnce);
    const read = await contentsOf(run, mirror, some);
    some.forEach((id, i) => contents.set(id, read[i]!));
  }

  /**
   * Who signed the revision, as far as the keys before the range know: those
   * that it brings count for its commits, and make nobody one person more.
   */
  async signerBefore(): Promise<Signer[]> {
    const judged = await this.judge("commit", this.revision);
    return judged.ok ? [whose(judged)] : [];
  }

  /** More people, from signed tags that point to the revision. */
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

  /** A commit whose signature must be good. */
  async must(commit: string, keyring: Keyring): Promise<Signer> {
    const judged = await this.judge("commit", commit, keyring);
    if (judged.ok) return whose(judged);
    throw refusal(`commit ${short(commit)}`, judged, this.revision);
  }

  /** Judges by the keys that count for what comes, if by no others. */
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
