/**
 * Writes the store paths of hosts to a branch. Each commit of the branch has
 * all files of the published commit, plus the file of each host.
 *
 * The branch only moves forward. Each of its commits descends from the previous
 * one and from the published commit. So a host sees who changed what, and can
 * require signatures for all of it.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { SyncError, usageError } from "../base/errors.ts";
import { isRevision, isStorePath } from "../base/names.ts";
import { lastWords, oneLine, short } from "../base/text.ts";
import { remoteFailure } from "../git/failure.ts";
import { askRemote } from "../git/remote.ts";
import { BranchRepository } from "./branch_repository.ts";
import { commitText, publishedFrom } from "./commit_text.ts";
import type { CommitKey } from "./commit_key.ts";
import type { FileNames } from "./pattern.ts";
import type { Place, Update, Written } from "./place.ts";
import type { WithRemote } from "./remote.ts";
import type { Source } from "./source.ts";

/** How often a commit is created again after a concurrent push. */
const mostTries = 10;

/** The tip of the branch. */
interface Tip {
  commit: string;
  /** The published commit. */
  from: string;
  /** The files of hosts, by host. */
  systems: Map<string, string>;
}

/** The settings of the branch. */
export interface BranchSettings {
  name: string;
  names: FileNames;
  key: CommitKey | undefined;
  /** A folder that nobody else may enter. */
  folder: string;
}

/** A branch of a remote repository. */
export class ToBranch implements Place {
  readonly shown: string;
  #tip: Tip | undefined;
  #drafts = 0;

  private constructor(
    private readonly effects: Effects,
    private readonly config: WithRemote,
    private readonly source: Source,
    private readonly wish: BranchSettings,
    private readonly repository: BranchRepository,
  ) {
    this.shown = `the branch ${wish.name} of ${config.repository}`;
  }

  /** Prepares the repository. The remote is not queried yet. */
  static async make(
    effects: Effects,
    config: WithRemote,
    source: Source,
    wish: BranchSettings,
  ): Promise<ToBranch> {
    const repository = await BranchRepository.make(
      effects,
      config,
      source,
      `${wish.folder}/branch.git`,
    );
    return new ToBranch(effects, config, source, wish, repository);
  }

  async read(): Promise<Map<string, string> | "older"> {
    this.#tip = await this.#fetchTip();
    if (!this.#tip) return new Map();
    return await this.#isOlder(this.#tip) ? "older" : this.#tip.systems;
  }

  async write(update: Update): Promise<Written> {
    for (let tries = 1;; tries++) {
      const made = await this.#commit(update);
      const { tree, removed } = made;
      if (this.#tip && tree === await this.#treeOf(this.#tip.commit)) {
        const { commit } = this.#tip;
        return { result: "unchanged", commit, removed: [] };
      }
      const commit = await this.#signedCommit(made, update);
      if (await this.#pushed(commit, tries)) {
        return { result: "published", commit, removed };
      }
      await this.effects.sleep(Math.random() * 1000 * tries);
      if (await this.read() === "older") {
        return { result: "older", commit: this.#tip!.commit, removed: [] };
      }
    }
  }

  /** @returns `undefined` if there is no such branch. */
  async #fetchTip(): Promise<Tip | undefined> {
    const { config, wish, repository } = this;
    const { tip: asked } = await askRemote(this.effects, {
      ...config,
      "testing.enable": false,
      ref: `refs/heads/${wish.name}`,
    });
    if (!asked) return undefined;
    const commit = await repository.fetch(wish.name, false);
    const text = await repository.git(["log", "-1", "--format=%B", commit]);
    const from = publishedFrom(text);
    if (from === undefined) throw notOurs(wish.name, commit);
    await wish.key?.check(repository.path, commit);
    return { commit, from, systems: await this.#systemsIn(commit) };
  }

  /**
   * Returns the systems of hosts in a commit. Files without a store path are
   * omitted.
   */
  async #systemsIn(commit: string): Promise<Map<string, string>> {
    const { repository, wish: { names } } = this;
    const listed = await repository.git(["ls-tree", "-r", "-z", commit]);
    const files = listed.split("\0").flatMap((line) => {
      const [, id, path] = /^100644 blob (\S+)\t(.*)$/s.exec(line) ?? [];
      const host = path === undefined ? undefined : names.hostOf(path);
      return host === undefined ? [] : [{ host, id: id! }];
    });
    const systems = new Map<string, string>();
    if (files.length === 0) return systems;
    const contents = await repository.contents(files.map(({ id }) => id));
    for (const [i, { host }] of files.entries()) {
      const text = new TextDecoder().decode(contents[i]).trim();
      if (isStorePath(text)) systems.set(host, text);
    }
    return systems;
  }

  /**
   * Reports whether the branch already has a later commit than ours.
   *
   * @throws {SyncError} `not-forward`, exit 4, if it is neither before nor
   * after ours, as far as the history shows.
   */
  async #isOlder({ from }: Tip): Promise<boolean> {
    const { repository, source: { revision, isShallow }, wish } = this;
    if (from === revision) return false;
    const isKnown = await repository.has(from);
    // A later commit is in the branch, not in the checkout. The fetch also gets
    // the history that a shallow checkout lacks.
    if (!isKnown) await repository.fetch(wish.name, true);
    const common = await repository.common(from, revision);
    if (common === revision) return true;
    if (common === from || this.config.allowForcePush) return false;
    throw notForward(wish.name, from, revision, isShallow);
  }

  /** Creates the tree of the new commit. Returns it with the removed hosts. */
  async #commit(update: Update): Promise<{ tree: string; removed: string[] }> {
    const { repository, source, wish: { names } } = this;
    const before = this.#tip?.systems ?? new Map<string, string>();
    const removed = [...before.keys()].filter((host) =>
      !update.hosts.includes(host)
    );
    const systems = new Map(
      [...before, ...update.systems].filter(([host]) =>
        !removed.includes(host)
      ),
    );
    const tree = await this.#treeOf(source.revision);
    const files = [...systems].toSorted(([a], [b]) => a < b ? -1 : 1)
      .flatMap(([host, system]) => [
        `M 100644 inline "${names.of(host)}"`,
        `data ${system.length + 1}`,
        system,
        "",
      ]);
    const draft = `refs/publish/draft-${++this.#drafts}`;
    await repository.gitWith(["fast-import", "--quiet"], {
      input: [
        `commit ${draft}`,
        "committer draft <> 0 +0000",
        "data 0",
        // The whole tree (git-fast-import(1), "filemodify").
        `M 040000 ${tree} ""`,
        ...files,
        "",
      ].join("\n"),
    });
    return { tree: await this.#treeOf(draft), removed };
  }

  async #treeOf(commit: string): Promise<string> {
    const said = await this.repository.git(["rev-parse", `${commit}^{tree}`]);
    return said.trim();
  }

  async #signedCommit(
    { tree, removed }: { tree: string; removed: readonly string[] },
    update: Update,
  ): Promise<string> {
    const { source, wish: { key } } = this;
    const tip = this.#tip;
    const isNew = tip?.from !== source.revision;
    const parents = [
      ...tip ? [tip.commit] : [],
      ...isNew ? [source.revision] : [],
    ].flatMap((parent) => ["-p", parent]);
    const changed = [...update.systems].filter(([host, system]) =>
      tip?.systems.get(host) !== system
    ).map(([host]) => host);
    const text = commitText(source, { changed, removed, update });
    const { name, email, date } = source.author;
    const said = await this.repository.gitWith(
      ["commit-tree", tree, ...parents, ...key ? ["-S"] : [], "-F", "-"],
      {
        input: text,
        settings: key?.settings ?? [],
        env: {
          GIT_AUTHOR_NAME: name,
          GIT_AUTHOR_EMAIL: email,
          GIT_AUTHOR_DATE: date,
          GIT_COMMITTER_NAME: committer("NAME", "gitops-sync"),
          GIT_COMMITTER_EMAIL: committer("EMAIL", "gitops-sync@localhost"),
        },
      },
    );
    const commit = said.trim();
    if (isRevision(commit)) return commit;
    throw new SyncError(
      `Cannot create a commit for the branch: Git returned ${
        oneLine(commit, 80)
      }`,
      { stage: "fetch", reason: "git-failed", next: "stop" },
    );
  }

  /**
   * @returns whether the branch is at the commit now; `false` if somebody else
   * moved it.
   * @throws {SyncError} exit 3: `push-refused`, or the remote did not answer.
   * The branch is then unchanged.
   */
  async #pushed(commit: string, tries: number): Promise<boolean> {
    const { config, wish, repository } = this;
    const finished = await repository.push(commit, wish.name);
    if (finished.code === 0) return true;
    const { tip } = await askRemote(this.effects, {
      ...config,
      "testing.enable": false,
      ref: `refs/heads/${wish.name}`,
    });
    // The push succeeded, and only its answer got lost.
    if (tip?.revision === commit) return true;
    const said = new TextDecoder().decode(finished.stdout);
    const refused = said.split("\n").find((line) => line.startsWith("!"));
    if (refused === undefined) throw remoteFailure(finished, config, "fetch");
    const hasMoved = tip?.revision !== this.#tip?.commit;
    if (hasMoved && tries < mostTries) return false;
    throw new SyncError(
      `Cannot write to ${this.shown}: the server rejected the push: ${
        oneLine(refused.split("\t").at(-1)!, 200)
      }`,
      {
        stage: "fetch",
        reason: "push-refused",
        next: "stop",
        details: lastWords(finished),
        hints: [
          "check that you may push to that branch, and that no rule protects it",
        ],
        exit: 3,
      },
    );
  }
}

/** Returns the committer from Git's own variables (git-commit-tree(1)). */
function committer(part: "NAME" | "EMAIL", usual: string): string {
  return Deno.env.get(`GIT_COMMITTER_${part}`) || usual;
}

function notOurs(branch: string, commit: string): SyncError {
  return usageError(
    "branch-of-others",
    `Cannot write to the branch ${branch}: gitops-sync publish did not create its tip, ${
      short(commit)
    }`,
    "use a branch that nothing else writes to: gitops-sync publish --branch deploy",
  );
}

function notForward(
  branch: string,
  from: string,
  revision: string,
  isShallow: boolean,
): SyncError {
  return new SyncError(
    `Cannot publish ${short(revision)}: it does not descend from ${
      short(from)
    }, the published commit of ${branch}`,
    {
      stage: "verify",
      reason: "not-forward",
      next: "stop",
      hints: [
        ...isShallow
          ? ["fetch the missing history of the checkout: git fetch --unshallow"]
          : [],
        "if the branch was rewritten on purpose: gitops-sync publish --allow-force-push",
      ],
    },
  );
}
