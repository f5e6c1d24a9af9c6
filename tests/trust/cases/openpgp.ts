/** OpenPGP signatures and files of keys. */
import { assertStringIncludes } from "@std/assert";
import { output } from "../../world/program.ts";
import type { Case, Lab } from "../lab.ts";

const refused = (reason: string) => ({ exit: 4, reason });

/** A commit by `signer` where these OpenPGP keys count. */
const by = (signer: string, ...trusted: string[]) => async (lab: Lab) => ({
  settings: { ...await lab.signed(signer), ...lab.trustingPgp(...trusted) },
});

/** Ada's commit, changed afterwards. */
const forged = (change: (content: string) => string) => async (lab: Lab) => ({
  settings: {
    ...await lab.changed("pgp-ada", change),
    ...lab.trustingPgp("pgp-ada"),
  },
});

/** A commit that gpg signs with more arguments. */
const signedWith = (more: string) => async (lab: Lab) => {
  await lab.begin("pgp-ada");
  const script = lab.file(
    `#!/bin/sh\nGPG_MORE='${more}' exec '${lab.keys.gpg}' "$@"\n`,
    0o755,
  );
  await lab.signAs(script);
  await lab.repository.commit("A change");
  return { settings: { ...await lab.branch(), ...lab.trustingPgp("pgp-ada") } };
};

/** Ada's commit, where the file of keys is another one. */
const withFile =
  (file: (lab: Lab) => Promise<string> | string) => async (lab: Lab) => ({
    settings: {
      ...await lab.signed("pgp-ada"),
      "verify.mode": "head",
      "verify.openpgpKeys": [await file(lab)],
    },
  });

const exported = async (lab: Lab, ...args: string[]) =>
  lab.file(await output([lab.keys.gpg, "--armor", ...args]));

const armor = /-----BEGIN PGP SIGNATURE-----[^]*?-----END PGP SIGNATURE-----/;

/** Two signatures in one armor: Eve's beside Ada's. */
async function twoSigners(lab: Lab) {
  await lab.begin("pgp-ada");
  const { keys } = lab;
  const script = lab.file(
    `#!/bin/sh\nexec '${keys.gpg}' -u ${keys.fingerprint("pgp-eve")} "$@"\n`,
    0o755,
  );
  await lab.signAs(script);
  await lab.repository.commit("A change");
  return { settings: { ...await lab.branch(), ...lab.trustingPgp("pgp-ada") } };
}

/** A file with Eve's key, and Ada's after this change. */
const twoBlocks =
  (change: (block: string) => string, more = "") => async (lab: Lab) => ({
    settings: {
      ...await lab.signed("pgp-ada"),
      "verify.mode": "head",
      "verify.openpgpKeys": [
        lab.file(
          await Deno.readTextFile(lab.keys.publicPgp("pgp-eve")) +
            change(await Deno.readTextFile(lab.keys.publicPgp("pgp-ada"))) +
            more,
        ),
      ],
    },
  });

/** What gpg passes over without a word, or reads as if it were whole. */
const odd: Record<string, (block: string) => string> = {
  "a dash is missing": (block) => block.replace("-----BEGIN", "----BEGIN"),
  "a dash too many": (block) => block.replace("-----BEGIN", "------BEGIN"),
  "all of it is indented": (block) => block.replace(/^(?=.)/gm, "  "),
  "its first line is indented": (block) => ` ${block}`,
  "its first line is quoted": (block) => `> ${block}`,
  "it says KEY in place of KEY BLOCK": (block) =>
    block.replaceAll("KEY BLOCK", "KEY"),
  "it says to be a signature": (block) =>
    block.replaceAll("PUBLIC KEY BLOCK", "SIGNATURE"),
  "its end is missing": (block) => block.replace(/-----END.*\n/, ""),
  "its end is another's": (block) =>
    block.replace("-----END PGP PUBLIC KEY BLOCK", "-----END PGP SIGNATURE"),
  "its beginning is missing": (block) => block.replace(/-----BEGIN.*\n/, ""),
  "a line of it stands before": (block) => "QUJD".repeat(16) + `\n${block}`,
  "a letter in it is none of base64": (block) =>
    block.replace(/^([\w+/]{20})\w/m, "$1!"),
};

/** What people write around keys, and other programs. */
const usual: Record<string, (block: string) => string> = {
  "as gpg writes them": (block) => block,
  "a word before each": (block) => `\nAda's key, of 2026:\n\n${block}`,
  "with a comment in the armor": (block) =>
    block.replace("\n\n", "\nComment: Ada\n\n"),
  "lines end as on Windows": (block) => block.replaceAll("\n", "\r\n"),
  "blanks after the beginning": (block) => block.replace("BLOCK-----", "$& "),
};

const digests: Record<string, ReturnType<typeof refused> | "evaluated"> = {
  SHA1: refused("weak-hash"),
  RIPEMD160: refused("weak-hash"),
  MD5: refused("weak-hash"),
  SHA256: "evaluated",
  SHA512: "evaluated",
};

export const cases: Case[] = [
  ...Object.entries(digests).map(([digest, expected]): Case => ({
    name: `OpenPGP: a signature over ${digest}`,
    make: signedWith(`--digest-algo ${digest} --allow-weak-digest-algos`),
    expected,
  })),
  ...Object.entries(odd).map(([name, change]): Case => ({
    name: `OpenPGP keys: two blocks, of the second: ${name}`,
    make: twoBlocks(change),
    expected: refused("keys-broken"),
    says: "line ",
  })),
  {
    name: "OpenPGP keys: two blocks, and one of nobody",
    make: twoBlocks(
      (block) => block,
      "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAAAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n",
    ),
    expected: refused("keys-broken"),
  },
  ...Object.entries(usual).map(([name, change]): Case => ({
    name: `OpenPGP keys: two blocks: ${name}`,
    make: twoBlocks(change),
    expected: "evaluated",
  })),
  {
    name: "OpenPGP: a good signature",
    make: by("pgp-ada", "pgp-ada"),
    expected: "evaluated",
  },
  {
    name: "OpenPGP: one of two keys that count",
    make: by("pgp-ada", "pgp-eve", "pgp-ada"),
    expected: "evaluated",
  },
  {
    name: "OpenPGP: a key that is not trusted",
    make: by("pgp-eve", "pgp-ada"),
    expected: refused("unknown-key"),
  },
  {
    name: "OpenPGP: no signature",
    make: async (lab) => ({
      settings: { ...await lab.signed(), ...lab.trustingPgp("pgp-ada") },
    }),
    expected: refused("unsigned"),
  },
  {
    name: "OpenPGP: another message than was signed",
    make: forged((text) => text.replace("A change", "Another")),
    expected: refused("tampered"),
  },
  {
    name: "OpenPGP: another parent than was signed",
    make: forged((text) => text.replace(/^parent .*\n/m, "")),
    expected: refused("tampered"),
  },
  {
    name: "OpenPGP: a key that has expired",
    make: by("pgp-old", "pgp-old"),
    expected: refused("key-expired"),
  },
  {
    name: "OpenPGP: a key that was revoked",
    make: by("pgp-revoked", "pgp-revoked"),
    expected: refused("key-revoked"),
  },
  {
    name: "OpenPGP: a signature that has expired",
    make: signedWith(
      "--faked-system-time 20260201T000000 --default-sig-expire 1d",
    ),
    expected: refused("key-expired"),
  },
  {
    name: "OpenPGP: a signature from before its key",
    make: signedWith(
      "--faked-system-time 20251201T000000 --ignore-valid-from --ignore-time-conflict",
    ),
    expected: refused("key-not-yet-valid"),
  },
  {
    name: "OpenPGP: a signature by two",
    make: twoSigners,
    expected: refused("unknown-key"),
  },
  {
    name: "OpenPGP: an armor without content",
    make: forged((text) =>
      text.replace(
        armor,
        "-----BEGIN PGP SIGNATURE-----\n \n -----END PGP SIGNATURE-----",
      )
    ),
    expected: refused("signature-format"),
  },
  {
    name: "OpenPGP: rubbish in the armor",
    make: forged((text) =>
      text.replace(
        armor,
        "-----BEGIN PGP SIGNATURE-----\n \n AAAAAAAAAAAA\n -----END PGP SIGNATURE-----",
      )
    ),
    expected: refused("signature-format"),
  },
  {
    name: "OpenPGP: an armor that says to be a message",
    make: forged((text) => text.replaceAll("PGP SIGNATURE", "PGP MESSAGE")),
    expected: "evaluated",
  },
  {
    name: "OpenPGP: a key in place of a signature",
    make: async (lab) => {
      const key = await Deno.readTextFile(lab.keys.publicPgp("pgp-ada"));
      const lines = key.trimEnd().replaceAll("PUBLIC KEY BLOCK", "SIGNATURE")
        .replaceAll("\n", "\n ");
      return await forged((text) => text.replace(armor, lines))(lab);
    },
    expected: refused("signature-format"),
  },
  {
    name: "OpenPGP: an SSH signature where OpenPGP keys count",
    make: by("ada", "pgp-ada"),
    expected: refused("signature-format"),
  },
  {
    name: "OpenPGP: keys of both kinds, an SSH signature",
    make: async (lab) => ({
      settings: {
        ...await lab.signed("ada"),
        ...lab.trusting("ada"),
        ...lab.trustingPgp("pgp-ada"),
      },
    }),
    expected: "evaluated",
  },
  {
    name: "OpenPGP: a user id with escapes",
    make: by("pgp-escape", "pgp-escape"),
    expected: "evaluated",
  },
  {
    name: "OpenPGP: a user id that names another signer",
    make: async (lab) => ({
      settings: {
        ...lab.trusting("bob"),
        ...await by("pgp-two-lines", "pgp-two-lines")(lab).then((one) =>
          one.settings
        ),
      },
    }),
    expected: "evaluated",
    then: (lab, { all }) =>
      assertStringIncludes(all, `(${lab.keys.fingerprint("pgp-two-lines")})`),
  },
  {
    name: "OpenPGP: keys in the binary form",
    make: withFile(async (lab) => {
      const path = lab.file("");
      await output([
        lab.keys.gpg,
        "--yes",
        "--output",
        path,
        "--export",
        lab.keys.fingerprint("pgp-ada"),
      ]);
      return path;
    }),
    expected: "evaluated",
  },
  {
    name: "OpenPGP keys: missing",
    make: withFile((lab) => `${lab.inside}/none`),
    expected: refused("keys-missing"),
  },
  {
    name: "OpenPGP keys: empty",
    make: withFile((lab) => lab.file("")),
    expected: refused("keys-empty"),
  },
  {
    name: "OpenPGP keys: rubbish",
    make: withFile((lab) => lab.file("rubbish\n")),
    expected: refused("keys-broken"),
  },
  {
    name: "OpenPGP keys: an SSH key",
    make: withFile((lab) => lab.file(lab.keys.public("ada"))),
    expected: refused("keys-broken"),
  },
  {
    name: "OpenPGP keys: an armor cut off",
    make: withFile(async (lab) => {
      const text = await Deno.readTextFile(lab.keys.publicPgp("pgp-ada"));
      return lab.file(text.slice(0, 200));
    }),
    expected: refused("keys-broken"),
  },
  {
    name: "OpenPGP keys: a private key",
    make: withFile((lab) =>
      exported(lab, "--export-secret-keys", lab.keys.fingerprint("pgp-ada"))
    ),
    expected: refused("keys-private"),
  },
  {
    name: "OpenPGP keys: others may write to it",
    make: withFile(async (lab) =>
      lab.file(await Deno.readTextFile(lab.keys.publicPgp("pgp-ada")), 0o646)
    ),
    expected: refused("keys-unsafe"),
  },
  {
    name: "OpenPGP keys: one good file, one missing",
    make: async (lab) => ({
      settings: {
        ...await lab.signed("pgp-ada"),
        "verify.mode": "head",
        "verify.openpgpKeys": [
          lab.keys.publicPgp("pgp-ada"),
          `${lab.inside}/none`,
        ],
      },
    }),
    expected: refused("keys-missing"),
  },
];
