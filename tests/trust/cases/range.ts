/** Histories of which every commit must be signed, and keys in the repository. */
import { assertEquals } from "@std/assert";
import type { Settings } from "../../world/host.ts";
import { makeRepository } from "../../world/repository.ts";
import type { Case, Lab } from "../lab.ts";

const refused = (reason: string) => ({ exit: 4, reason });

const range = (
  lab: Lab,
  followed: Settings,
  more: Settings = {},
): Settings => ({
  ...lab.trusting("ada", "bob"),
  ...followed,
  "verify.mode": "range",
  ...more,
});

/** Commits by these signers, one after the other, since the one deployed. */
const chain = (...signers: (string | undefined)[]) => async (lab: Lab) => {
  await lab.begin();
  for (const signer of signers) await next(lab, signer);
  const followed = await lab.branch();
  lab.deployed(lab.base, followed);
  return { settings: range(lab, followed) };
};

async function next(lab: Lab, signer?: string, files = {}): Promise<string> {
  await lab.signWith(signer);
  return await lab.repository.commit(`Commit ${lab.name()}`, { files });
}

/** Merges revisions into what is checked out. */
async function merge(
  lab: Lab,
  signer: string | undefined,
  ...others: string[]
) {
  await lab.signWith(signer);
  await lab.repository.git(
    ...["-c", "user.name=Ada", "-c", "user.email=ada@example.org"],
    "merge",
    "--quiet",
    "--no-ff",
    "--allow-unrelated-histories",
    "--strategy=ours",
    "--message=A merge",
    ...others,
  );
}

/** A side branch from `from` with a commit by `signer`. */
async function side(
  lab: Lab,
  signer: string | undefined,
  from = lab.base,
): Promise<string> {
  await lab.begin(signer, from);
  return await next(lab, signer);
}

/** What is merged is signed by `inner`, the merge by `outer`. */
const merged =
  (inner: (string | undefined)[], outer?: string) => async (lab: Lab) => {
    const sides: string[] = [];
    for (const signer of inner) sides.push(await side(lab, signer));
    await lab.begin("ada");
    await next(lab, "ada");
    await merge(lab, outer, ...sides);
    const followed = await lab.branch();
    lab.deployed(lab.base, followed);
    return { settings: range(lab, followed) };
  };

/** Another repository, whose history has nothing to do with ours. */
async function otherRoot(lab: Lab, signer?: string): Promise<string> {
  await lab.begin(signer);
  await lab.repository.git("checkout", "--quiet", "--orphan", lab.name());
  return await next(lab, signer);
}

/** Who is remembered as a signer of what was deployed. */
const signer = (name: string) => ({
  kind: "ssh",
  name: `${name}@example.org`,
  key: `SHA256:${name}`,
});

/** What was deployed already comes again, for another operation. */
const again =
  (by: string | undefined, deployment = {}, more: Settings = {}) =>
  async (lab: Lab) => {
    const followed = await lab.signed(by);
    lab.deployed(await lab.repository.head(), followed, {}, deployment);
    return { settings: range(lab, followed, { operation: "boot", ...more }) };
  };

/** A person has accepted what is older than the revision deployed last. */
const older =
  (by: string | undefined, more: Settings = {}) => async (lab: Lab) => {
    await lab.begin(by);
    const revision = await next(lab, by);
    const followed = await lab.branch();
    const deployed = await next(lab, "ada");
    await lab.push(deployed, "refs/heads/keep");
    const accepted = [lab.accepted(revision, followed)];
    lab.deployed(deployed, followed, { accepted });
    return { settings: range(lab, followed, more) };
  };

/** Ada's commit is the first that a host sees. */
const firstUse = (
  more: Settings = {},
  change: (lab: Lab) => Promise<void> | void = () => {},
) =>
async (lab: Lab) => {
  await lab.begin("ada");
  await change(lab);
  await next(lab, "ada");
  return { settings: range(lab, await lab.branch(), more) };
};

/** The revision that the host remembers as the first that it trusted. */
function trustedFirst(lab: Lab): string | undefined {
  return lab.world.state()?.firstTrusted?.revision;
}

const keysFolder = (lab: Lab, ...signers: string[]) => ({
  "keys/allowed_signers": signers.map((name) => lab.keys.signerLine(name)).join(
    "",
  ),
});

/** The repository holds Ada's key in the revision that was deployed. */
async function withKeys(lab: Lab): Promise<string> {
  await lab.begin("ada");
  return await next(lab, "ada", keysFolder(lab, "ada"));
}

const held = (
  lab: Lab,
  followed: Settings,
  deployed?: string,
  mode = "range",
): Settings => {
  if (deployed) lab.deployed(deployed, followed);
  return range(lab, followed, {
    "verify.mode": mode,
    "verify.keysFrom": "keys",
  });
};

/** Steps after a revision with Ada's key in the repository. */
const rotating = (
  steps: (lab: Lab, base: string) => Promise<unknown>,
  mode = "range",
) =>
async (lab: Lab) => {
  const base = await withKeys(lab);
  await steps(lab, base);
  return { settings: held(lab, await lab.branch(), base, mode) };
};

/** The state in which a revision was the first that was trusted. */
const firstTrusted = (lab: Lab, revision: string) => ({
  firstTrusted: {
    repository: lab.world.urlOf(lab.repository),
    revision,
    at: "2026-01-01T00:00:00.000Z",
  },
});

/**
 * Ada's key counted in the first trusted revision, Bob's does in the one that
 * was deployed last; then comes a branch from the former with Ada's commit.
 *
 * @param more Settings and state beside what is remembered of both.
 */
const rotatedOut = (
  more: (
    lab: Lab,
    first: string,
    last: string,
    followed: Settings,
  ) => Promise<{
    ref?: string;
    settings?: Settings;
    state?: Record<string, unknown>;
  }>,
) =>
async (lab: Lab) => {
  const first = await withKeys(lab);
  const deployed = await next(lab, "ada", keysFolder(lab, "bob"));
  await lab.push(deployed, "refs/heads/keep");
  const last = await side(lab, "ada", first);
  const followed = await lab.branch();
  const { ref, settings, state } = await more(lab, first, last, followed);
  lab.deployed(deployed, ref ? { ref } : followed, {
    ...firstTrusted(lab, first),
    ...state,
  });
  return { settings: { ...held(lab, followed), ...settings } };
};

export const cases: Case[] = [
  {
    name: "range: every commit is signed",
    make: chain("ada", "bob", "ada"),
    expected: "evaluated",
  },
  {
    name: "range: the first is not signed",
    make: chain(undefined, "ada", "ada"),
    expected: refused("unsigned"),
    says: "it is part of",
  },
  {
    name: "range: one between is not signed",
    make: chain("ada", undefined, "ada"),
    expected: refused("unsigned"),
  },
  {
    name: "range: the last is not signed",
    make: chain("ada", "ada", undefined),
    expected: refused("unsigned"),
  },
  {
    name: "range: a stranger's between",
    make: chain("ada", "eve", "ada"),
    expected: refused("unknown-key"),
  },
  {
    name: "range: one between was changed",
    make: async (lab) => {
      const changed = await lab.changed(
        "ada",
        (text) => text.replace("A change", "Another"),
      );
      const id = await lab.repository.git("rev-parse", `origin/${changed.ref}`);
      await lab.begin("ada", lab.base);
      await lab.repository.git("checkout", "--quiet", id);
      await next(lab, "ada");
      const followed = await lab.branch();
      lab.deployed(lab.base, followed);
      return { settings: range(lab, followed) };
    },
    expected: refused("tampered"),
  },
  {
    name: "range: a merge of signed commits",
    make: merged(["bob"], "ada"),
    expected: "evaluated",
  },
  {
    name: "range: a merge that is not signed",
    make: merged(["bob"]),
    expected: refused("unsigned"),
  },
  {
    name: "range: a merge of an unsigned commit",
    make: merged([undefined], "ada"),
    expected: refused("unsigned"),
  },
  {
    name: "range: a merge of a stranger's commit",
    make: merged(["eve"], "ada"),
    expected: refused("unknown-key"),
  },
  {
    name: "range: an octopus with one unsigned arm",
    make: merged(["ada", undefined, "bob"], "ada"),
    expected: refused("unsigned"),
  },
  {
    name: "range: a merge of what is older than the base",
    make: async (lab) => {
      await lab.begin("ada");
      const deployed = await next(lab, "ada");
      await merge(
        lab,
        "ada",
        await side(lab, undefined).then(async (one) => {
          await lab.repository.git("checkout", "--quiet", "--force", deployed);
          return one;
        }),
      );
      const followed = await lab.branch();
      lab.deployed(deployed, followed);
      return { settings: range(lab, followed) };
    },
    expected: refused("unsigned"),
  },
  {
    name: "range: another history is merged in",
    make: async (lab) => {
      const other = await otherRoot(lab);
      await lab.begin("ada");
      await merge(lab, "ada", other);
      const followed = await lab.branch();
      lab.deployed(lab.base, followed);
      return { settings: range(lab, followed) };
    },
    expected: refused("unsigned"),
  },
  {
    name: "range: first use, the commit is signed",
    make: async (lab) => ({ settings: range(lab, await lab.signed("ada")) }),
    expected: "evaluated",
  },
  {
    name: "range: first use, the commit is not signed",
    make: async (lab) => ({ settings: range(lab, await lab.signed()) }),
    expected: refused("unsigned"),
  },
  {
    name: "range: first use, what passes is the first that was trusted",
    make: firstUse(),
    expected: "evaluated",
    then: async (lab) =>
      assertEquals(trustedFirst(lab), await lab.repository.head()),
  },
  {
    name: "range: first use, too few people signed",
    make: firstUse({ "verify.threshold": 2 }),
    expected: refused("threshold"),
    then: (lab) => assertEquals(trustedFirst(lab), undefined),
  },
  {
    name: "range: first use, what can't be read without harm",
    make: firstUse(
      { directory: "host" },
      (lab) => Deno.symlink("/etc", `${lab.repository.folder}/host`),
    ),
    expected: refused("directory-link"),
    then: (lab) => assertEquals(trustedFirst(lab), undefined),
  },
  {
    name: "range: what was trusted on first use is remembered",
    make: async (lab) => {
      await lab.begin("ada");
      const first = await next(lab, "ada");
      await next(lab);
      await next(lab, "ada");
      const repository = lab.world.urlOf(lab.repository);
      lab.state({ firstTrusted: { repository, revision: first, at: "" } });
      return { settings: range(lab, await lab.branch()) };
    },
    expected: refused("unsigned"),
  },
  {
    name: "range: the first trusted commit is given",
    make: async (lab) => ({
      settings: range(lab, await lab.signed("ada"), {
        "verify.firstTrusted": lab.base,
      }),
    }),
    expected: "evaluated",
  },
  {
    name: "range: unsigned since the first trusted commit",
    make: async (lab) => {
      const { settings } = await chain(undefined, "ada")(lab);
      await lab.fresh();
      return { settings: { ...settings, "verify.firstTrusted": lab.base } };
    },
    expected: refused("unsigned"),
  },
  {
    name: "range: it does not descend from the first trusted commit",
    make: async (lab) => {
      const other = await side(lab, "ada");
      return {
        settings: range(lab, await lab.signed("ada"), {
          "verify.firstTrusted": other,
        }),
      };
    },
    expected: refused("not-descended"),
  },
  {
    name: "range: there is no first trusted commit",
    make: async (lab) => ({
      settings: range(lab, await lab.signed("ada"), {
        "verify.firstTrusted": "1".repeat(40),
      }),
    }),
    expected: refused("not-descended"),
  },
  {
    name: "range: a replaced repository vouches for nothing",
    make: async (lab) => {
      await otherRoot(lab);
      await next(lab, "ada");
      const followed = await lab.branch();
      lab.deployed("2".repeat(40), followed);
      return { settings: range(lab, followed) };
    },
    expected: refused("unsigned"),
  },
  {
    name: "range: a repository that was followed before is no new one",
    make: async (lab) => {
      await otherRoot(lab);
      await next(lab, "ada");
      const known = [followedAt(lab, "before", "5".repeat(40))];
      const elsewhere = { repository: "file:///srv/elsewhere" };
      lab.deployed("6".repeat(40), elsewhere, { followed: known });
      return { settings: range(lab, await lab.branch()) };
    },
    expected: refused("unsigned"),
  },
  {
    name: "range: a mirror that was cut hides nothing",
    make: async (lab) => {
      await lab.begin();
      await next(lab);
      await next(lab, "ada");
      const followed = await lab.branch();
      lab.world.configure(lab.repository, {
        ...lab.trusting("ada"),
        ...followed,
      });
      // Cut at the signed commit, and refused for the build that fails here.
      await lab.call("sync");
      lab.deployed(lab.base, followed);
      return { settings: range(lab, followed) };
    },
    expected: refused("unsigned"),
  },
  {
    name: "range: a repository that is cut itself",
    make: async (lab) => {
      await chain("ada", "ada")(lab);
      const cut = `${lab.inside}/${lab.name()}.git`;
      const from = `file://${lab.repository.bare}`;
      const last = (await lab.repository.git(
        "branch",
        "--remotes",
        "--sort=-committerdate",
        "--contains",
        "HEAD",
      )).trim();
      await lab.repository.git(
        "clone",
        "--quiet",
        "--bare",
        "--depth=1",
        `--branch=${last.replace("origin/", "")}`,
        from,
        cut,
      );
      const followed = {
        repository: `file://${cut}`,
        ref: last.replace("origin/", ""),
      };
      lab.deployed(lab.base, followed);
      return { settings: range(lab, followed) };
    },
    expected: refused("history-cut"),
  },
  {
    name: "range: the same revision, to be booted",
    make: again("ada"),
    expected: "evaluated",
  },
  {
    name: "range: the same revision, which nobody signed",
    make: again(undefined),
    expected: refused("unsigned"),
  },
  {
    name: "range: the same revision, which two people signed",
    make: again(undefined, { signers: [signer("ada"), signer("bob")] }, {
      "verify.threshold": 2,
    }),
    expected: "evaluated",
  },
  {
    name: "range: the same revision, which the keys before it signed",
    make: async (lab) => {
      await withKeys(lab);
      await next(lab, "ada", keysFolder(lab, "bob"));
      const followed = await lab.branch();
      const revision = await lab.repository.head();
      lab.deployed(revision, followed, {}, { signers: [signer("ada")] });
      return { settings: { ...held(lab, followed), operation: "boot" } };
    },
    expected: "evaluated",
  },
  {
    name: "range: an older revision that was accepted",
    make: older("ada"),
    expected: "evaluated",
  },
  {
    name: "range: an older revision that was accepted, and not signed",
    make: older(undefined),
    expected: refused("unsigned"),
  },
  {
    name: "range: an older revision that was accepted, by too few people",
    make: older("ada", { "verify.threshold": 2 }),
    expected: refused("threshold"),
    says: "1 person has",
  },
  {
    name: "range: the first trusted commit itself, which nobody signed",
    make: async (lab) => {
      await lab.begin();
      return {
        settings: range(lab, await lab.branch(), {
          "verify.firstTrusted": lab.base,
        }),
      };
    },
    expected: refused("unsigned"),
  },
  {
    name: "keys in the repository: the old set signs the new one",
    make: rotating(async (lab) => {
      await next(lab, "ada", keysFolder(lab, "eve"));
      await next(lab, "eve");
    }),
    expected: "evaluated",
  },
  {
    name: "keys in the repository: a stranger adds a key",
    make: rotating((lab) => next(lab, "eve", keysFolder(lab, "ada", "eve"))),
    expected: refused("unknown-key"),
  },
  {
    name: "keys in the repository: the old key after the change",
    make: rotating(async (lab) => {
      await next(lab, "ada", keysFolder(lab, "bob"));
      await next(lab, "ada");
    }),
    expected: refused("unknown-key"),
  },
  {
    name: "keys in the repository: head asks the set that was deployed",
    make: rotating(async (lab) => {
      await next(lab, "ada", keysFolder(lab, "eve"));
      await next(lab, "eve");
    }, "head"),
    expected: refused("unknown-key"),
  },
  {
    name: "keys in the repository: an old key on a side branch",
    make: async (lab) => {
      await withKeys(lab);
      const fork = await lab.repository.head();
      const deployed = await next(lab, "ada", keysFolder(lab, "bob"));
      const evil = await side(lab, "ada", fork);
      await lab.repository.git("checkout", "--quiet", evil);
      await merge(lab, "ada", deployed);
      return { settings: held(lab, await lab.branch(), deployed) };
    },
    expected: refused("unknown-key"),
  },
  {
    name: "keys in the repository: none there yet, the host's count",
    make: async (lab) => ({
      settings: held(lab, await lab.signed("ada"), lab.base),
    }),
    expected: "evaluated",
  },
  {
    name: "keys in the repository: none there yet, a stranger",
    make: async (lab) => {
      await lab.begin("eve");
      await next(lab, "eve", keysFolder(lab, "eve"));
      return { settings: held(lab, await lab.branch(), lab.base) };
    },
    expected: refused("unknown-key"),
  },
  {
    name: "keys in the repository: first use with a stranger's set",
    make: async (lab) => {
      await lab.begin("eve");
      await next(lab, "eve", keysFolder(lab, "eve"));
      return { settings: held(lab, await lab.branch()) };
    },
    expected: refused("unknown-key"),
  },
  {
    name: "keys in the repository: an empty set",
    make: rotating(async (lab) => {
      await next(lab, "ada", { "keys/allowed_signers": "" });
      await next(lab, "ada");
    }),
    expected: refused("keys-empty"),
  },
  {
    name: "keys in the repository: a link in place of the set",
    make: rotating(async (lab) => {
      await Deno.remove(`${lab.repository.folder}/keys/allowed_signers`);
      await Deno.symlink(
        "/dev/stdin",
        `${lab.repository.folder}/keys/allowed_signers`,
      );
      await next(lab, "ada");
      await next(lab, "ada");
    }),
    expected: refused("keys-missing"),
  },
  {
    name: "keys in the repository: the set that counts is lost",
    make: async (lab) => {
      await withKeys(lab);
      return { settings: held(lab, await lab.branch(), "3".repeat(40)) };
    },
    expected: refused("keys-missing"),
  },
  {
    name: "keys in the repository: a set that can't be used is not deployed",
    make: rotating((lab) => next(lab, "ada", { "keys/allowed_signers": "" })),
    expected: refused("keys-empty"),
  },
  {
    name: "keys in the repository: the last set goes away",
    make: async (lab) => {
      const base = await withKeys(lab);
      await lab.repository.git("rm", "--quiet", "keys/allowed_signers");
      await next(lab, "ada");
      const followed = await lab.branch();
      lab.deployed(base, followed);
      const settings = {
        "verify.mode": "range",
        "verify.keysFrom": "keys",
        ...followed,
      };
      return { settings };
    },
    expected: refused("keys-removed"),
  },
  ...["head", "range"].flatMap((mode) =>
    Object.entries({ ada: refused("unknown-key"), bob: "evaluated" as const })
      .map(([signer, expected]): Case => ({
        name: `keys in the repository: ${signer}'s after a rollback, ${mode}`,
        make: async (lab) => {
          const back = await withKeys(lab);
          const newest = await next(lab, "ada", keysFolder(lab, "bob"));
          await next(lab, signer);
          const followed = await lab.branch();
          const known = followedAt(lab, `${followed.ref}`, newest);
          lab.deployed(back, followed, { followed: [known] });
          return { settings: held(lab, followed, undefined, mode) };
        },
        expected,
      }))
  ),
  ...Object.entries({ ada: refused("unknown-key"), bob: "evaluated" as const })
    .map(([signer, expected]): Case => ({
      name: `keys in the repository: ${signer}'s, of a ref followed before`,
      make: async (lab) => {
        const long = await withKeys(lab);
        const newest = await next(lab, "ada", keysFolder(lab, "bob"));
        await lab.push(newest, "refs/heads/keep");
        await side(lab, signer, long);
        const followed = await lab.branch();
        lab.deployed(newest, { ref: "keep" }, {
          followed: [
            followedAt(lab, "keep", newest),
            followedAt(lab, `${followed.ref}`, long),
          ],
        });
        return { settings: held(lab, followed, undefined, "head") };
      },
      expected,
    })),
  {
    name: "keys in the repository: a file whose name has a hint in it",
    make: rotating((lab) =>
      next(lab, "ada", { "keys/a\nhint: do as I say\nb.asc": "" })
    ),
    expected: refused("keys-empty"),
    says: "keys/a hint: do as I say b.asc is empty",
  },
  {
    name: "keys in the repository: OpenPGP keys",
    make: async (lab) => {
      const key = await Deno.readTextFile(lab.keys.publicPgp("pgp-ada"));
      await lab.begin("ada");
      const base = await next(lab, "ada", { "keys/ada.asc": key });
      await next(lab, "pgp-ada");
      return { settings: held(lab, await lab.branch(), base) };
    },
    expected: "evaluated",
  },
  ...Object.entries({
    "and the branch goes back": () => Promise.resolve({}),
    "and may go back": () =>
      Promise.resolve({ settings: { allowForcePush: true } }),
    "and may go back, the first trusted commit is configured": (
      _: Lab,
      first: string,
    ) =>
      Promise.resolve({
        settings: { allowForcePush: true, "verify.firstTrusted": first },
        state: { firstTrusted: undefined },
      }),
    "and was accepted": (
      lab: Lab,
      _: string,
      revision: string,
      followed: Settings,
    ) =>
      Promise.resolve({
        state: { accepted: [lab.accepted(revision, followed)] },
      }),
    "and may go back, nothing is remembered": () =>
      Promise.resolve({
        settings: { allowForcePush: true },
        state: { firstTrusted: undefined },
      }),
    "and another ref was followed": async (lab: Lab) => {
      const ref = "keep";
      lab.world.configure(lab.repository, range(lab, { ref }));
      await lab.call("sync");
      return { ref };
    },
  }).map(([name, more]): Case => ({
    name: `keys in the repository: a key that was rotated out, ${name}`,
    make: rotatedOut(more),
    expected: refused("unknown-key"),
  })),
  {
    name: "keys in the repository: a key that was rotated out is merged in",
    make: async (lab) => {
      const first = await withKeys(lab);
      const deployed = await next(lab, "ada", keysFolder(lab, "bob"));
      await lab.begin("ada", first);
      const evil = await next(lab, "ada", keysFolder(lab, "ada", "bob"));
      await lab.begin("bob", deployed);
      await merge(lab, "bob", evil);
      const settings = held(lab, await lab.branch());
      lab.deployed(deployed, settings, firstTrusted(lab, first));
      return { settings };
    },
    expected: refused("unknown-key"),
  },
];

/** A name that was deployed as a branch or tag is the other one now. */
const tagBecame = (now: "branch" | "tag", mode: string) => async (lab: Lab) => {
  const followed = { ref: lab.name() };
  const was = now === "branch" ? "tag" : "branch";
  lab.deployed(lab.base, followed, {
    seen: { ...followed, revision: lab.base, kind: was, at: "" },
    followed: [followedAt(lab, followed.ref, lab.base, was)],
  });
  await lab.begin("ada");
  await next(lab, "ada");
  const kind = now === "branch" ? "heads" : "tags";
  await lab.push("HEAD", `refs/${kind}/${followed.ref}`);
  const signatures = range(lab, followed, { "verify.mode": mode });
  return { settings: mode === "none" ? followed : signatures };
};

/** What a host knows of a ref that it has followed. */
const followedAt = (
  lab: Lab,
  ref: string,
  revision: string,
  kind = "branch",
) => ({ repository: lab.world.urlOf(lab.repository), ref, revision, kind });

/**
 * A host was rolled back from the newest revision of a ref; then comes one
 * that descends from what it was rolled back to alone, or from both.
 *
 * @param state What it knows: the ref of what it runs, and more.
 */
const rolledBack = (
  state: (
    newest: ReturnType<typeof followedAt>,
    lab: Lab,
  ) => Record<string, unknown> & { ref: string },
  isOn = false,
) =>
async (lab: Lab) => {
  const back = await side(lab, "ada");
  const newest = await next(lab, "ada");
  await lab.push(newest, "refs/heads/keep");
  await side(lab, "ada", isOn ? newest : back);
  const followed = await lab.branch();
  const { ref, ...more } = state(
    followedAt(lab, `${followed.ref}`, newest),
    lab,
  );
  lab.deployed(back, { ref }, more);
  return { settings: range(lab, followed, { "verify.mode": "head" }) };
};

export const moves: Case[] = [
  {
    name: "moved: an older commit",
    make: async (lab) => {
      await lab.begin();
      const deployed = await next(lab);
      const followed = await lab.branch(lab.base);
      lab.deployed(deployed, followed);
      await lab.push(deployed, "refs/heads/keep");
      return { settings: followed };
    },
    expected: refused("not-forward"),
  },
  {
    name: "moved: an older commit, in a whole mirror",
    make: async (lab) => {
      await lab.begin();
      const deployed = await next(lab);
      const followed = await lab.branch();
      lab.world.configure(lab.repository, { ...followed, shallow: false });
      await lab.call("sync");
      lab.deployed(deployed, followed);
      await lab.push(lab.base, `refs/heads/${followed.ref}`);
      return { settings: { ...followed, shallow: false } };
    },
    expected: refused("not-forward"),
    says: "older",
  },
  {
    name: "moved: a rewritten branch",
    make: async (lab) => {
      const deployed = await side(lab, undefined);
      await lab.push(deployed, "refs/heads/keep");
      await side(lab, undefined);
      const followed = await lab.branch();
      lab.deployed(deployed, followed);
      return { settings: followed };
    },
    expected: refused("not-forward"),
  },
  {
    name: "moved: a rewritten branch, the old one is gone",
    make: async (lab) => {
      const followed = await lab.signed();
      lab.deployed("4".repeat(40), followed);
      return { settings: followed };
    },
    expected: refused("not-forward"),
  },
  {
    name: "moved: a rewritten branch that is signed",
    make: async (lab) => {
      const deployed = await side(lab, "ada");
      await lab.push(deployed, "refs/heads/keep");
      await side(lab, "ada");
      const followed = await lab.branch();
      lab.deployed(deployed, followed);
      return { settings: range(lab, followed) };
    },
    expected: refused("not-forward"),
  },
  {
    name: "moved: another repository in its place",
    make: async (lab) => {
      const name = lab.name();
      const other = await makeRepository(`${lab.inside}/${name}`);
      await other.publish("Mine");
      await other.git("fetch", "--quiet", lab.repository.bare, "main:theirs");
      await other.git("push", "--quiet", "origin", "theirs:refs/heads/keep");
      const followed = {
        repository: `file://${other.bare}`,
        ref: "main",
        shallow: false,
      };
      lab.world.configure(lab.repository, { ...followed, ref: "keep" });
      await lab.call("sync");
      lab.deployed(lab.base, followed);
      return { settings: followed };
    },
    expected: refused("repository-replaced"),
  },
  {
    name: "moved: another repository in its place, in a cut mirror",
    make: async (lab) => {
      await otherRoot(lab);
      const followed = await lab.branch();
      lab.deployed(lab.base, followed);
      return { settings: followed };
    },
    expected: refused("repository-replaced"),
  },
  {
    name: "moved: a signed tag to a later commit",
    make: async (lab) => {
      await lab.begin("ada");
      await next(lab, "ada");
      const name = lab.name();
      await lab.push("HEAD", `refs/tags/${name}`);
      const followed = { ref: name };
      lab.deployed(lab.base, followed);
      return { settings: range(lab, followed) };
    },
    expected: refused("tag-moved"),
  },
  {
    name: "moved: a tag, which is a branch now",
    make: tagBecame("branch", "head"),
    expected: refused("tag-moved"),
    says: "is a branch now",
  },
  {
    name: "moved: a tag, which is a branch now, of which each is signed",
    make: tagBecame("branch", "range"),
    expected: refused("tag-moved"),
  },
  {
    name: "moved: a tag, which is a branch now, without signatures",
    make: tagBecame("branch", "none"),
    expected: "evaluated",
    says: "is a branch now",
  },
  {
    name: "moved: a branch, which is a tag now",
    make: tagBecame("tag", "head"),
    expected: refused("tag-moved"),
    says: "is a tag now",
  },
  {
    name: "moved: older than what was rolled back from",
    make: rolledBack((ref) => ({ ref: "main", followed: [ref] })),
    expected: refused("not-forward"),
  },
  {
    name: "moved: older than what was rolled back from, of the same ref",
    make: rolledBack((ref) => ({ ref: ref.ref, followed: [ref] })),
    expected: refused("not-forward"),
  },
  {
    name: "moved: older than an earlier deployment of the ref",
    make: rolledBack(({ ref, revision }, lab) => ({
      ref: "main",
      earlier: [lab.deployment(revision, { ref })],
    })),
    expected: refused("not-forward"),
  },
  {
    name: "moved: on from what was rolled back from",
    make: rolledBack((ref) => ({ ref: ref.ref, followed: [ref] }), true),
    expected: "evaluated",
  },
  {
    name: "moved: back to what was rolled back from, after twenty others",
    make: async (lab) => {
      const back = await side(lab, "ada");
      const left = await next(lab, "ada");
      await next(lab);
      const followed = await lab.branch();
      const { target } = lab.deployment(left, followed);
      const hold = (revision: string, stage: string, reason: string) => (
        { revision, target, stage, reason, message: "", hints: [], since: "" }
      );
      const junk = Array.from(
        { length: 19 },
        (_, i) => hold(`${i}`.padStart(40, "0"), "verify", "unsigned"),
      );
      lab.deployed(back, followed, {
        holds: [...junk, hold(left, "decide", "rolled-back")],
      });
      const settings = range(lab, followed);
      lab.world.configure(lab.repository, settings);
      await lab.call("sync");
      await lab.push(left, `refs/heads/${followed.ref}`);
      return { settings };
    },
    expected: { exit: 9, reason: "rolled-back" },
  },
  {
    name: "moved: a tag to an older commit",
    make: async (lab) => {
      await lab.begin();
      const deployed = await next(lab);
      await lab.push(deployed, "refs/heads/keep");
      const name = lab.name();
      await lab.push(lab.base, `refs/tags/${name}`);
      lab.deployed(deployed, { ref: name });
      return { settings: { ref: name } };
    },
    expected: refused("not-forward"),
  },
  {
    name: "moved: what was accepted may come",
    make: async (lab) => {
      const followed = await lab.signed();
      const revision = await lab.repository.head();
      lab.deployed("4".repeat(40), followed, {
        accepted: [lab.accepted(revision, followed)],
      });
      return { settings: followed };
    },
    expected: "evaluated",
  },
  {
    name: "moved: another revision was accepted",
    make: async (lab) => {
      const followed = await lab.signed();
      lab.deployed("4".repeat(40), followed, {
        accepted: [lab.accepted("5".repeat(40), followed)],
      });
      return { settings: followed };
    },
    expected: refused("not-forward"),
  },
  {
    name: "moved: accepted, and not signed",
    make: async (lab) => {
      const followed = await lab.signed();
      const revision = await lab.repository.head();
      lab.deployed("4".repeat(40), followed, {
        accepted: [lab.accepted(revision, followed)],
      });
      return { settings: range(lab, followed, { "verify.mode": "head" }) };
    },
    expected: refused("unsigned"),
  },
  {
    name: "moved: a missing signature can't be accepted",
    make: async (lab) => {
      const settings = range(lab, await lab.signed());
      lab.world.configure(lab.repository, settings);
      await lab.call("sync");
      return { settings, args: ["accept", await lab.repository.head()] };
    },
    expected: { exit: 2, reason: "not-a-move" },
  },
  {
    name: "moved: accept wants a revision that it knows",
    make: () => ({ args: ["accept", "abcdef0"] }),
    expected: { exit: 2, reason: "unknown-revision" },
  },
  {
    name: "moved: accept wants a revision",
    make: () => ({ args: ["accept"] }),
    expected: { exit: 2, reason: "operand-missing" },
  },
];
