/** Signed tags, and how many people signed. */
import type { Settings } from "../../world/host.ts";
import { output } from "../../world/program.ts";
import type { Case, Lab } from "../lab.ts";

const refused = (reason: string) => ({ exit: 4, reason });

/** A commit and a tag on it; gives the tag's name. */
async function tagged(
  lab: Lab,
  tagger: string | undefined,
  committer?: string,
): Promise<string> {
  await lab.begin(committer);
  await lab.repository.commit("A release");
  return await tag(lab, tagger);
}

/** A tag on what is checked out, pushed under its name. */
async function tag(
  lab: Lab,
  tagger?: string,
  target = "HEAD",
): Promise<string> {
  const name = lab.name();
  await lab.signWith(tagger);
  await lab.repository.git(
    ...["-c", "user.name=Ada", "-c", "user.email=ada@example.org"],
    "tag",
    tagger === undefined ? "--annotate" : "--sign",
    "--message=A release",
    name,
    target,
  );
  await lab.push(`refs/tags/${name}`, `refs/tags/${name}`);
  return name;
}

const mode = (lab: Lab, mode: string, ref: string): Settings => ({
  ...lab.trusting("ada", "bob"),
  "verify.mode": mode,
  ref,
});

const by = (tagger?: string, committer?: string, wanted = "tag") =>
async (
  lab: Lab,
) => ({
  settings: mode(lab, wanted, await tagged(lab, tagger, committer)),
});

/** A tag object that was changed after it was signed. */
const forged =
  (change: (content: string) => string, signer = "ada") => async (lab: Lab) => {
    const name = await tagged(lab, signer);
    const before = await lab.repository.git("cat-file", "tag", name) + "\n";
    const id = await lab.object("tag", change(before));
    await lab.push(id, `refs/tags/${name}`);
    const keys = signer === "ada" ? {} : lab.trustingPgp(signer);
    return {
      settings: { ...mode(lab, "tag", name), ...keys, "verify.mode": "tag" },
    };
  };

/** A tag that the server gives another name. */
async function relabelled(lab: Lab) {
  const name = await tagged(lab, "ada");
  const other = lab.name();
  await lab.push(`refs/tags/${name}`, `refs/tags/${other}`);
  return { settings: mode(lab, "tag", other) };
}

/** A branch whose tip also has these tags. */
const people = (
  committer: string,
  taggers: readonly (string | undefined)[],
  needed = 2,
  more: (lab: Lab) => Promise<void> | void = () => {},
) =>
async (lab: Lab) => {
  await lab.begin(committer);
  await lab.repository.commit(`Signed by more people: ${lab.name()}`);
  const followed = await lab.branch();
  for (const tagger of taggers) await tag(lab, tagger);
  await more(lab);
  return {
    settings: {
      ...lab.trusting("ada", "bob"),
      ...followed,
      "verify.threshold": needed,
    },
  };
};

/** So many tags of nobody point to the tip, and sort before all others. */
const junk = (count: number, text = "") => async (lab: Lab) => {
  const run = lab.name();
  const head = await lab.repository.head();
  const names = Array.from({ length: count }, (_, i) => `0-${run}-${i}`);
  // One process makes all of them (git-fast-import(1)).
  const input = names.map((name) => {
    const message = `${name}\n${text}`;
    return `tag ${name}\nfrom ${head}\n` +
      "tagger Eve <eve@example.net> 1767225600 +0000\n" +
      `data ${message.length}\n${message}\n`;
  }).join("");
  await output(["git", "fast-import", "--quiet"], {
    cwd: lab.repository.folder,
    input,
  });
  const all = `refs/tags/0-${run}-*`;
  await lab.repository.git("push", "--quiet", "origin", `${all}:${all}`);
};

/** A signature of Eve's, which is good for one tag alone. */
async function byEve(lab: Lab): Promise<string> {
  const name = lab.name();
  await lab.signWith("eve");
  await lab.repository.git("tag", "--sign", "--message=x", name, "HEAD");
  const text = await lab.repository.git("cat-file", "tag", name);
  return `${/-----BEGIN SSH[^]*/.exec(text)![0]}\n`;
}

/** Ada may change the keys in the repository, and gives herself another one. */
const ownKey = (mode: string, taggers: readonly string[]) =>
async (
  lab: Lab,
) => {
  const set = (...names: string[]) => ({
    files: {
      "keys/allowed_signers": names.map((one) => lab.keys.signerLine(one))
        .join(""),
    },
  });
  await lab.begin("ada");
  const deployed = await lab.repository.commit("Keys", set("ada", "bob"));
  await lab.repository.commit("Another key", set("ada", "eve"));
  await lab.signWith("eve");
  await lab.repository.commit(`By the new key: ${lab.name()}`);
  const followed = await lab.branch();
  for (const tagger of taggers) await tag(lab, tagger);
  lab.deployed(deployed, followed);
  return {
    settings: {
      ...followed,
      "verify.mode": mode,
      "verify.keysFrom": "keys",
      "verify.threshold": 2,
    },
  };
};

export const cases: Case[] = [
  { name: "tag: a good signature", make: by("ada"), expected: "evaluated" },
  { name: "tag: not signed", make: by(), expected: refused("unsigned") },
  {
    name: "tag: a key that is not trusted",
    make: by("eve"),
    expected: refused("unknown-key"),
  },
  {
    name: "tag: no tag object",
    make: async (lab) => {
      await lab.begin("ada");
      await lab.repository.commit("A release");
      const name = lab.name();
      await lab.push("HEAD", `refs/tags/${name}`);
      return { settings: mode(lab, "tag", name) };
    },
    expected: refused("unsigned"),
  },
  {
    name: "tag: another message than was signed",
    make: forged((text) => text.replace("A release", "Another")),
    expected: refused("tampered"),
  },
  {
    name: "tag: another commit than was signed",
    make: async (lab) =>
      await forged((text) =>
        text.replace(/^object .*$/m, `object ${lab.base}`)
      )(lab),
    expected: refused("tampered"),
  },
  {
    name: "tag: text after the signature",
    make: forged((text) => `${text}more\n`),
    expected: refused("signature-format"),
  },
  {
    name: "tag: a blank after the signature's first line, and text behind it",
    make: forged(
      (text) => text.replace(/^-----BEGIN .*$/m, "$& ") + "more\n",
      "pgp-ada",
    ),
    expected: refused("signature-format"),
  },
  {
    name: "tag: empty lines after the signature",
    make: forged((text) => `${text}\n\n`),
    expected: "evaluated",
  },
  {
    name: "tag: a signature in its header, too",
    make: forged((text) => text.replace("\n\n", "\ngpgsig-sha256 x\n y\n\n")),
    expected: refused("signature-format"),
  },
  {
    name: "tag: another signature in its header",
    make: forged((text) => text.replace("\n\n", "\ngpgsig x\n\n")),
    expected: refused("signature-format"),
  },
  {
    name: "tag: two signatures",
    make: forged((text) => text + /-----BEGIN[^]*/.exec(text)![0]),
    expected: refused("tampered"),
  },
  {
    name: "tag: a comment in the armor of OpenPGP",
    make: async (lab) => {
      const name = await tagged(lab, "pgp-ada");
      const before = await lab.repository.git("cat-file", "tag", name) + "\n";
      const id = await lab.object(
        "tag",
        before.replace("PGP SIGNATURE-----\n", "$&Comment: x\n"),
      );
      await lab.push(id, `refs/tags/${name}`);
      return {
        settings: {
          ...mode(lab, "tag", name),
          ...lab.trustingPgp("pgp-ada"),
          "verify.mode": "tag",
        },
      };
    },
    expected: "evaluated",
  },
  {
    name: "tag: an OpenPGP signature over SHA-1",
    make: async (lab) => {
      await lab.begin("pgp-ada");
      const script = lab.file(
        `#!/bin/sh\nGPG_MORE='--digest-algo SHA1' exec '${lab.keys.gpg}' "$@"\n`,
        0o755,
      );
      await lab.signAs(script);
      await lab.repository.commit("A release");
      const name = lab.name();
      await lab.repository.git("tag", "--sign", "--message=x", name);
      await lab.push(`refs/tags/${name}`, `refs/tags/${name}`);
      return {
        settings: {
          ...lab.trustingPgp("pgp-ada"),
          "verify.mode": "tag",
          ref: name,
        },
      };
    },
    expected: refused("weak-hash"),
  },
  {
    name: "tag: served under another name",
    make: relabelled,
    expected: refused("tampered"),
    says: "another name",
  },
  {
    name: "tag: of a tag",
    make: async (lab) => {
      const inner = await tagged(lab, "ada");
      return { settings: mode(lab, "tag", await tag(lab, "ada", inner)) };
    },
    expected: refused("signature-format"),
  },
  {
    name: "tag: of a tree",
    make: async (lab) => {
      await lab.begin();
      return {
        settings: mode(lab, "tag", await tag(lab, "ada", "HEAD^{tree}")),
      };
    },
    expected: { exit: 3, reason: "not-a-commit" },
  },
  {
    name: "tag: a branch in its place",
    make: async (lab) => ({
      settings: {
        ...lab.trusting("ada"),
        ...await lab.signed("ada"),
        "verify.mode": "tag",
      },
    }),
    expected: refused("tag-needed"),
  },
  {
    name: "tag: a commit in its place",
    make: async (lab) => {
      await lab.signed("ada");
      return { settings: mode(lab, "tag", await lab.repository.head()) };
    },
    expected: refused("tag-needed"),
  },
  {
    name: "tag and head: both signed",
    make: by("ada", "bob", "tag-and-head"),
    expected: "evaluated",
  },
  {
    name: "tag and head: the commit is not signed",
    make: by("ada", undefined, "tag-and-head"),
    expected: refused("unsigned"),
    says: "commit",
  },
  {
    name: "tag and head: the tag is not signed",
    make: by(undefined, "ada", "tag-and-head"),
    expected: refused("unsigned"),
    says: "tag",
  },
  {
    name: "tag and head: the commit is a stranger's",
    make: by("ada", "eve", "tag-and-head"),
    expected: refused("unknown-key"),
  },
  {
    name: "head: a tag is followed, its commit counts",
    make: by(undefined, "ada", "head"),
    expected: "evaluated",
  },
  {
    name: "head: a signed tag of an unsigned commit",
    make: by("ada", undefined, "head"),
    expected: refused("unsigned"),
  },
  {
    name: "tag: an OpenPGP signature",
    make: async (lab) => ({
      settings: {
        ...mode(lab, "tag", await tagged(lab, "pgp-ada")),
        ...lab.trustingPgp("pgp-ada"),
        "verify.mode": "tag",
      },
    }),
    expected: "evaluated",
  },
  {
    name: "threshold: one of two",
    make: people("ada", []),
    expected: refused("threshold"),
  },
  {
    name: "threshold: two people",
    make: people("ada", ["bob"]),
    expected: "evaluated",
  },
  {
    name: "threshold: the same person twice",
    make: people("ada", ["ada", "ada"]),
    expected: refused("threshold"),
  },
  {
    name: "threshold: a stranger",
    make: people("ada", ["eve"]),
    expected: refused("threshold"),
  },
  {
    name: "threshold: a tag without a signature",
    make: people("ada", [undefined]),
    expected: refused("threshold"),
  },
  {
    name: "threshold: three, and two signed",
    make: people("ada", ["bob", "ada"], 3),
    expected: refused("threshold"),
  },
  {
    name: "threshold: the second signed another commit",
    make: people("ada", [], 2, async (lab) => {
      await lab.repository.git("checkout", "--quiet", "HEAD^");
      await tag(lab, "bob");
    }),
    expected: refused("threshold"),
  },
  {
    name: "threshold: the second's tag under another name",
    make: people("ada", [], 2, async (lab) => {
      const name = await tag(lab, "bob");
      await lab.push(`refs/tags/${name}`, `refs/tags/${lab.name()}`);
      await lab.repository.git(
        "push",
        "--quiet",
        "origin",
        `:refs/tags/${name}`,
      );
    }),
    expected: refused("threshold"),
  },
  {
    name: "threshold: two keys of one person",
    make: async (lab) => {
      const { settings } = await people("ada", ["bob"])(lab);
      const { keys } = lab;
      const text = `ada@example.org ${keys.public("ada")}\nADA@example.org ${
        keys.public("bob")
      }\n`;
      return { settings: { ...settings, ...lab.signers(text) } };
    },
    expected: refused("threshold"),
  },
  ...Object.entries({
    "the second of one is the first of another": [
      "ada@example.org,ada@work.org",
      "ADA@work.org",
    ],
    "the last of both are the same": [
      'ada@example.org,"ada@work.org"',
      "bob@example.org,x@y.org,ada@work.org",
    ],
  }).map(([name, [first, second]]): Case => ({
    name: `threshold: two keys with several addresses: ${name}`,
    make: async (lab) => {
      const { settings } = await people("ada", ["bob"])(lab);
      const { keys } = lab;
      const text = `${first} ${keys.public("ada")}\n${second} ${
        keys.public("bob")
      }\n`;
      return { settings: { ...settings, ...lab.signers(text) } };
    },
    expected: refused("threshold"),
    says: "1 person has",
  })),
  {
    name: "threshold: two keys of one person over several lines",
    make: async (lab) => {
      const { settings } = await people("ada", ["bob"])(lab);
      const { keys } = lab;
      const text = [
        `ada@example.org ${keys.public("ada")}`,
        `ada@work.org ${keys.public("ada")}`,
        `ada@work.org ${keys.public("bob")}`,
      ].join("\n");
      return { settings: { ...settings, ...lab.signers(text) } };
    },
    expected: refused("threshold"),
  },
  {
    name: "threshold: an OpenPGP key with the address of another key",
    make: async (lab) => {
      const { settings } = await people("pgp-eve", ["bob"])(lab);
      const key = lab.keys.fingerprint("pgp-eve");
      const gpg = (...args: string[]) => output([lab.keys.gpg, ...args]);
      await gpg("--quick-add-uid", key, "Eve: at work <bob@example.org>");
      await gpg("--quick-set-primary-uid", key, "Eve <eve@example.net>");
      const file = lab.file(await gpg("--armor", "--export", key));
      return { settings: { ...settings, "verify.openpgpKeys": [file] } };
    },
    expected: refused("threshold"),
    says: "1 person has",
  },
  {
    name: "threshold: an OpenPGP key and an SSH key",
    make: async (lab) => {
      const { settings } = await people("pgp-ada", ["bob"])(lab);
      return { settings: { ...settings, ...lab.trustingPgp("pgp-ada") } };
    },
    expected: "evaluated",
  },
  {
    name: "threshold: a hundred tags without a signature sort before the good",
    make: people("ada", ["bob"], 2, junk(100)),
    expected: "evaluated",
  },
  {
    name: "threshold: forty tags of a stranger sort before the good one",
    make: people("ada", ["bob"], 2, async (lab) => {
      await junk(40, await byEve(lab))(lab);
    }),
    expected: "evaluated",
  },
  {
    name: "threshold: forty tags of a stranger, and no good one",
    make: people("ada", [], 2, async (lab) => {
      await junk(40, await byEve(lab))(lab);
    }),
    expected: refused("threshold"),
  },
  {
    name: "threshold: more tags than anybody would look at",
    make: people("ada", ["bob"], 2, async (lab) => {
      await junk(1100)(lab);
    }),
    expected: refused("too-many-tags"),
  },
  {
    name: "threshold: a tag that is broken sorts before the good one",
    make: people("ada", ["bob"], 2, async (lab) => {
      const head = await lab.repository.head();
      const text = `object ${head}\ntype commit\ntag x\ntagger Eve\n\nx\n`;
      const id = await lab.object("tag", text);
      await lab.repository.git(
        ...["--git-dir", lab.repository.bare],
        "config",
        "receive.fsckObjects",
        "false",
      );
      await lab.push(id, `refs/tags/0-${lab.name()}`);
    }),
    expected: "evaluated",
  },
  {
    name: "threshold: a key that the range itself brings",
    make: ownKey("range", ["ada"]),
    expected: refused("threshold"),
    says: "1 person has",
  },
  {
    name: "threshold: a key that came meanwhile, where the head counts",
    make: ownKey("head", ["ada"]),
    expected: refused("unknown-key"),
  },
  {
    name: "threshold: two people whose keys counted before the range",
    make: ownKey("range", ["ada", "bob"]),
    expected: "evaluated",
  },
];
