/** Patterns of tags, and mirrors of a repository. */
import { assertEquals } from "@std/assert";
import type { Settings } from "../../world/host.ts";
import { makeRepository } from "../../world/repository.ts";
import { canary, type Case, type Lab } from "../lab.ts";
import { serve } from "../servers.ts";

const refused = (reason: string) => ({ exit: 4, reason });
const wrong = { exit: 2, reason: "config-wrong" };
const fine = { exit: 0, reason: undefined };

/** A tag of this name on a new commit; both may be signed. */
async function release(lab: Lab, tag: string, signer?: string) {
  await lab.begin(signer);
  const revision = await lab.repository.commit(`Release ${tag}`);
  await lab.repository.git(
    "tag",
    signer === undefined ? "--annotate" : "--sign",
    "--message=x",
    tag,
  );
  await lab.push(`refs/tags/${tag}`, `refs/tags/${tag}`);
  return revision;
}

/** A pattern whose tags no other case has. */
const pattern = (
  make: (lab: Lab, prefix: string) => Promise<Settings | void>,
) =>
async (lab: Lab) => {
  const prefix = `${lab.name()}-v`;
  const more = await make(lab, prefix);
  return { settings: { ref: `tags:${prefix}*`, ...more } };
};

/** This tag of the pattern was deployed. */
function deployed(lab: Lab, prefix: string, tag: string, revision: string) {
  const followed = { ref: `tags:${prefix}*` };
  const { target: { repository, ref } } = lab.deployment(revision, followed);
  lab.deployed(revision, followed, {
    followed: [
      { repository, ref, revision, kind: "tag", name: `refs/tags/${tag}` },
    ],
  });
}

/** The first was deployed, the second is there now. */
const moved = (from: string, to: string) =>
  pattern(async (lab, prefix) => {
    const first = await release(lab, `${prefix}${from}`);
    await lab.push(first, `refs/heads/${prefix}keep`);
    await lab.repository.git(
      ...["push", "--quiet", "origin", `:refs/tags/${prefix}${from}`],
    );
    await lab.repository.git("tag", "--delete", `${prefix}${from}`);
    await release(lab, `${prefix}${to}`);
    deployed(lab, prefix, `${prefix}${from}`, first);
  });

const signedTags = (lab: Lab): Settings => ({
  ...lab.trusting("ada"),
  "verify.mode": "tag",
});

/** The repository is away, and the mirror has what is made. */
const mirrored = (
  make: (lab: Lab) => Promise<Settings>,
  more: Settings = {},
) =>
async (lab: Lab) => {
  const settings = await make(lab);
  return {
    settings: {
      ...settings,
      repository: `file://${lab.inside}/away`,
      mirrors: [lab.world.urlOf(lab.repository)],
      ...more,
    },
  };
};

const away = (lab: Lab) => ({ repository: `file://${lab.inside}/away` });

const setting = (name: string, value: unknown, says?: string): Case => ({
  name: `${name}: ${JSON.stringify(value)}`.replaceAll(canary, "TOKEN"),
  make: () => ({ settings: { [name]: value } }),
  expected: wrong,
  ...says === undefined ? {} : { says },
});

export const cases: Case[] = [
  ...[
    "semver:",
    "semver:one",
    "semver:>=1 $(touch pwned)",
    `semver:${"1 || ".repeat(100)}1`,
    "tags:",
    "tags:v1",
    "tags:-v*",
    "tags:../*",
    "tags:v*/../*",
    "tags:v*\u001b[31m",
    "tags:--upload-pack=*",
    "branches:v*",
  ].map((ref) => setting("ref", ref)),
  ...[
    "https://git.example.org/x",
    [`https://user:${canary}@git.example.org/x`],
    [`https://${canary}@git.example.org/x`],
    [{ url: `ssh://git:${canary}@git.example.org/x` }],
    [{ url: "ext::sh -c 'touch pwned'" }],
    [{ url: "--upload-pack=touch pwned" }],
    [{ url: "https://git.example.org/x", tokenFile: "token" }],
    [{ url: "http://git.example.org/x", tokenFile: "/etc/token" }],
    [{ url: "https://git.example.org/x", token: canary }],
    [{ tokenFile: "/etc/token" }],
    [["https://git.example.org/x"]],
    [7],
    [null],
  ].map((mirrors) => setting("mirrors", mirrors)),
  {
    name: "pattern: the highest tag is signed",
    make: pattern(async (lab, prefix) => {
      await release(lab, `${prefix}1.0`);
      await release(lab, `${prefix}1.1`, "ada");
      return signedTags(lab);
    }),
    expected: "evaluated",
  },
  {
    name: "pattern: the highest tag is not signed, a lower one is",
    make: pattern(async (lab, prefix) => {
      await release(lab, `${prefix}1.0`, "ada");
      await release(lab, `${prefix}1.1`);
      return signedTags(lab);
    }),
    expected: refused("unsigned"),
  },
  {
    name: "pattern: a signed tag that is served as a higher version",
    make: pattern(async (lab, prefix) => {
      await release(lab, `${prefix}1.0`, "ada");
      await lab.push(`refs/tags/${prefix}1.0`, `refs/tags/${prefix}9.0`);
      return signedTags(lab);
    }),
    expected: refused("tampered"),
    says: "another name",
  },
  {
    name: "pattern: the highest tag is of a tree",
    make: pattern(async (lab, prefix) => {
      await release(lab, `${prefix}1.0`);
      await lab.push("HEAD^{tree}", `refs/tags/${prefix}2.0`);
    }),
    expected: { exit: 3, reason: "not-a-commit" },
  },
  {
    name: "pattern: no tag has a version",
    make: pattern(async (lab, prefix) => {
      await release(lab, `${prefix}ictory`);
    }),
    expected: { exit: 3, reason: "ref-missing" },
  },
  {
    name: "pattern: a number that nobody can compare is none",
    make: pattern(async (lab, prefix) => {
      await release(lab, `${prefix}${"9".repeat(40)}`);
      await release(lab, `${prefix}1.0`, "ada");
      return signedTags(lab);
    }),
    expected: "evaluated",
  },
  ...Object.entries({
    "1.1 after 1.0": ["1.0", "1.1", "evaluated"],
    "1.10 after 1.9": ["1.9", "1.10", "evaluated"],
    "1.0 after 1.0-rc1": ["1.0-rc1", "1.0", "evaluated"],
    "1.0 after 1.1": ["1.1", "1.0", "not-forward"],
    "1.9 after 1.10": ["1.10", "1.9", "not-forward"],
    "1.0-rc1 after 1.0": ["1.0", "1.0-rc1", "not-forward"],
    "1.0.0 after 1.0": ["1.0", "1.0.0", "not-forward"],
    "1.0+b after 1.0+a": ["1.0+a", "1.0+b", "not-forward"],
    "1.0 again, at another commit": ["1.0", "1.0", "tag-moved"],
  }).map(([name, [from, to, reason]]): Case => ({
    name: `pattern: ${name}`,
    make: moved(from!, to!),
    expected: reason === "evaluated" ? "evaluated" : refused(reason!),
  })),
  {
    name: "mirror: it serves while the repository is away",
    make: mirrored((lab) => lab.signed()),
    expected: "evaluated",
    says: "answers",
  },
  {
    name: "mirror: what it serves must be signed, too",
    make: mirrored(async (lab) => ({
      ...await lab.signed("eve"),
      ...lab.trusting("ada"),
    })),
    expected: refused("unknown-key"),
  },
  {
    name: "mirror: it is behind, and this host stays",
    make: mirrored(async (lab) => {
      await lab.begin();
      const older = await lab.repository.commit(`Older: ${lab.name()}`);
      const newer = await lab.repository.commit(`Newer: ${lab.name()}`);
      const followed = { ...await lab.branch(older), ...away(lab) };
      const earlier = [lab.deployment(older, followed)];
      lab.deployed(newer, followed, { earlier });
      return followed;
    }, { drift: "report" }),
    expected: fine,
    says: "is behind",
  },
  {
    name: "mirror: it went aside",
    make: mirrored(async (lab) => {
      await lab.begin();
      const deployed = await lab.repository.commit(`One: ${lab.name()}`);
      await lab.push(deployed, `refs/heads/${lab.name()}`);
      await lab.begin();
      await lab.repository.commit(`Aside: ${lab.name()}`);
      const followed = { ...await lab.branch(), ...away(lab) };
      lab.deployed(deployed, followed);
      return followed;
    }),
    expected: refused("not-forward"),
  },
  {
    name: "mirror: it is another repository",
    make: async (lab) => {
      const other = await makeRepository(`${lab.inside}/${lab.name()}`);
      await other.publish("Mine");
      const followed = { ref: "main", ...away(lab) };
      lab.deployed(lab.base, followed);
      return { settings: { ...followed, mirrors: [`file://${other.bare}`] } };
    },
    expected: refused("not-forward"),
  },
  {
    name: "mirror: it has no such branch, and the repository is away",
    make: mirrored((lab) => Promise.resolve({ ref: lab.name() })),
    expected: { exit: 3, reason: "ref-missing" },
  },
  {
    name: "mirror: the token of the repository is not for it",
    make: async (lab) => {
      const mirror = serve(() =>
        new Response("", {
          status: 401,
          headers: { "www-authenticate": "Basic" },
        })
      );
      await lab.begin();
      return {
        settings: {
          repository: "http://127.0.0.1:1/infra",
          tokenFile: "/etc/gitops-sync/token",
          mirrors: [`${mirror.url}/infra`],
        },
        done: async () => {
          await mirror.close();
          assertEquals(mirror.credentials, []);
        },
      };
    },
    expected: { exit: 3, reason: "unreachable" },
    says: "no mirror answers either",
  },
  {
    name: "mirror: its own token is for it alone",
    make: async (lab) => {
      const denied = () =>
        new Response("", {
          status: 401,
          headers: { "www-authenticate": "Basic" },
        });
      const first = serve(denied), second = serve(denied);
      await lab.begin();
      return {
        settings: {
          repository: `${first.url}/infra`,
          mirrors: [{
            url: `${second.url}/infra`,
            tokenFile: "/etc/gitops-sync/token",
            username: "robot",
          }],
        },
        done: async () => {
          await Promise.all([first.close(), second.close()]);
          const expected = `Basic ${btoa(`robot:${canary}`)}`;
          assertEquals(first.credentials, []);
          assertEquals(new Set(second.credentials), new Set([expected]));
        },
      };
    },
    expected: { exit: 3, reason: "denied" },
    says: "no mirror answers either",
  },
  {
    name: "mirror: a tag of a pattern that is lower than what was deployed",
    make: pattern(async (lab, prefix) => {
      const revision = await release(lab, `${prefix}1.0`);
      const followed = { ref: `tags:${prefix}*`, ...away(lab) };
      const { target } = lab.deployment("4".repeat(40), followed);
      const { repository, ref } = target;
      lab.deployed("4".repeat(40), followed, {
        earlier: [lab.deployment(revision, followed)],
        followed: [{
          repository,
          ref,
          revision: "4".repeat(40),
          kind: "tag",
          name: `refs/tags/${prefix}1.1`,
        }],
      });
      return { ...away(lab), mirrors: [lab.world.urlOf(lab.repository)] };
    }),
    expected: fine,
    says: "is behind",
  },
];
