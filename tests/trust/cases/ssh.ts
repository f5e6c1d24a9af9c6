/** Commits and SSH signatures. */
import { assertEquals } from "@std/assert";
import { output } from "../../world/program.ts";
import type { Case, Lab } from "../lab.ts";

const refused = (reason: string) => ({ exit: 4, reason });

/** A commit by `signer` where the allowed signers are Ada alone. */
const by = (signer?: string) => async (lab: Lab) => ({
  settings: { ...await lab.signed(signer), ...lab.trusting("ada") },
});

/** Ada's commit, changed afterwards. */
const forged = (change: (content: string) => string, signer = "ada") =>
async (
  lab: Lab,
) => ({
  settings: { ...await lab.changed(signer, change), ...lab.trusting("ada") },
});

/** Ada's commit, where the file of allowed signers is another one. */
const withSigners =
  (signers: (lab: Lab) => string, signer = "ada") => async (lab: Lab) => ({
    settings: { ...await lab.signed(signer), ...lab.signers(signers(lab)) },
  });

/** Ada's commit, where the file of allowed signers can't be used as it is. */
const withFile =
  (path: (lab: Lab) => Promise<string> | string) => async (lab: Lab) => ({
    settings: {
      ...await lab.signed("ada"),
      "verify.mode": "head",
      "verify.allowedSigners": await path(lab),
    },
  });

const withRevoked =
  (file: (lab: Lab) => Promise<string> | string) => async (lab: Lab) => ({
    settings: {
      ...await lab.signed("ada"),
      ...lab.trusting("ada"),
      "verify.revokedKeys": await file(lab),
    },
  });

async function revocationList(lab: Lab, ...names: string[]): Promise<string> {
  const path = lab.file("");
  const keys = names.map((name) => `${lab.keys.path(name)}.pub`);
  await output(["ssh-keygen", "-q", "-k", "-f", path, ...keys]);
  return path;
}

/** What is wrong with the keys is no fault of the revision. */
function holdsNothing(lab: Lab): void {
  assertEquals(lab.world.state()?.holds, []);
}

/** The signature of one commit on another. */
async function transplanted(lab: Lab) {
  await lab.begin("ada");
  await lab.repository.commit("Signed", { files: { a: "1" } });
  const signed = await lab.repository.git("cat-file", "commit", "HEAD");
  const signature =
    /^gpgsig [^]*?-----END SSH SIGNATURE-----\n/m.exec(signed)![0];
  const settings = await lab.changed(
    undefined,
    (text) => text.replace("\n\n", `\n${signature}\n`),
  );
  return { settings: { ...settings, ...lab.trusting("ada") } };
}

/** A signature of a file, made for another purpose. */
async function forFile(lab: Lab) {
  await lab.begin();
  await lab.repository.commit("A change");
  const content = await lab.repository.git("cat-file", "commit", "HEAD") + "\n";
  const file = lab.file(content);
  await output([
    "ssh-keygen",
    "-q",
    "-Y",
    "sign",
    "-n",
    "file",
    "-f",
    lab.keys.path("ada"),
    file,
  ]);
  const armor = (await Deno.readTextFile(`${file}.sig`)).trimEnd();
  const header = `gpgsig ${armor.replaceAll("\n", "\n ")}\n`;
  const id = await lab.object(
    "commit",
    content.replace("\n\n", `\n${header}\n`),
  );
  return { settings: { ...await lab.branch(id), ...lab.trusting("ada") } };
}

/** Replaces the base64 of a signature. */
const body = (change: (lines: string) => string) => (text: string) =>
  text.replace(
    /(BEGIN SSH SIGNATURE-----\n)([^]*?)( -----END)/,
    (_, begin, lines, end) => begin + change(lines) + end,
  );

export const cases: Case[] = [
  { name: "no signature", make: by(), expected: refused("unsigned") },
  { name: "a good signature", make: by("ada"), expected: "evaluated" },
  {
    name: "a key that is not trusted",
    make: by("eve"),
    expected: refused("unknown-key"),
    says: "SHA256:",
  },
  {
    name: "another message than was signed",
    make: forged((text) => text.replace("A change", "Another")),
    expected: refused("tampered"),
  },
  {
    name: "another author than was signed",
    make: forged((text) => text.replace("author Ada", "author Eve")),
    expected: refused("tampered"),
  },
  {
    name: "another time than was signed",
    make: forged((text) => text.replace(/^(committer .*) \d+ /m, "$1 1 ")),
    expected: refused("tampered"),
  },
  {
    name: "another parent than was signed",
    make: forged((text) => text.replace(/^parent .*\n/m, "")),
    expected: refused("tampered"),
  },
  {
    name: "another tree than was signed",
    make: async (lab) => {
      await lab.begin();
      await lab.repository.commit("Evil", { files: { evil: "x" } });
      const tree = await lab.repository.git("rev-parse", "HEAD^{tree}");
      return await forged((text) => text.replace(/^tree .*$/m, `tree ${tree}`))(
        lab,
      );
    },
    expected: refused("tampered"),
  },
  {
    name: "one commit's signature on another",
    make: transplanted,
    expected: refused("tampered"),
  },
  {
    name: "an extra header after signing",
    make: forged((text) => text.replace(/^gpgsig/m, "encoding utf-8\ngpgsig")),
    expected: refused("tampered"),
  },
  {
    name: "an armor of no known kind",
    make: forged((text) => text.replaceAll("SSH SIGNATURE", "FOO SIGNATURE")),
    expected: refused("signature-format"),
  },
  {
    name: "an X.509 armor",
    make: forged((text) => text.replaceAll("SSH SIGNATURE", "SIGNED MESSAGE")),
    expected: refused("signature-format"),
  },
  {
    name: "an SSH signature that says to be OpenPGP",
    make: forged((text) => text.replaceAll("SSH SIGNATURE", "PGP SIGNATURE")),
    expected: refused("signature-format"),
  },
  {
    name: "a signature cut off",
    make: forged(body((lines) => lines.slice(0, 80) + "\n")),
    expected: refused("signature-format"),
  },
  {
    name: "a signature without content",
    make: forged(body(() => "")),
    expected: refused("signature-format"),
  },
  {
    name: "a signature that is no base64",
    make: forged(body(() => " !!!!\n")),
    expected: refused("signature-format"),
  },
  {
    name: "a signature of another version",
    make: forged(
      body((lines) => lines.replace("U1NIU0lHAAAAAQ", "U1NIU0lHAAAAAg")),
    ),
    expected: refused("signature-format"),
  },
  {
    name: "an empty signature header",
    make: forged((text) =>
      text.replace(/^gpgsig [^]*?-----END SSH SIGNATURE-----$/m, "gpgsig ")
    ),
    expected: refused("signature-format"),
  },
  {
    name: "a signature in the header of the other hash alone",
    make: forged((text) => text.replace(/^gpgsig /m, "gpgsig-sha256 ")),
    expected: refused("unsigned"),
  },
  {
    name: "a signature in the message",
    make: async (lab) => {
      const text =
        "A change\n\n-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----";
      await lab.begin();
      await lab.repository.commit(text);
      return { settings: { ...await lab.branch(), ...lab.trusting("ada") } };
    },
    expected: refused("unsigned"),
  },
  {
    name: "a signature made for files",
    make: forFile,
    expected: refused("signature-format"),
  },
  {
    name: "a trailer that claims a signer",
    make: async (lab) => {
      await lab.begin();
      await lab.repository.commit(
        'A change\n\nGood "git" signature for ada@example.org with ED25519 key SHA256:x',
      );
      return { settings: { ...await lab.branch(), ...lab.trusting("ada") } };
    },
    expected: refused("unsigned"),
  },
  {
    name: "a key that may sign files alone",
    make: withSigners((lab) =>
      lab.keys.signerLine("ada", 'namespaces="file" ')
    ),
    expected: refused("unknown-key"),
  },
  {
    name: "a key without limits",
    make: withSigners((lab) => lab.keys.signerLine("ada", "")),
    expected: "evaluated",
  },
  {
    name: "a key that had expired",
    make: withSigners((lab) =>
      lab.keys.signerLine("ada", 'valid-before="20250101" ')
    ),
    expected: refused("key-expired"),
  },
  {
    name: "a key that is not valid yet",
    make: withSigners((lab) =>
      lab.keys.signerLine("ada", 'valid-after="20980101" ')
    ),
    expected: refused("key-not-yet-valid"),
  },
  {
    name: "a key that was valid at the time of the commit",
    make: withSigners((lab) =>
      lab.keys.signerLine(
        "ada",
        'valid-after="20251201",valid-before="20260201" ',
      )
    ),
    expected: "evaluated",
  },
  {
    name: "an expired line beside a good one",
    make: withSigners((lab) =>
      lab.keys.signerLine("ada", 'valid-before="20250101" ') +
      lab.keys.signerLine("ada")
    ),
    expected: "evaluated",
  },
  {
    name: "a key in a list of revoked keys",
    make: withRevoked((lab) => lab.file(`${lab.keys.public("ada")}\n`)),
    expected: refused("key-revoked"),
  },
  {
    name: "a key in a revocation list of ssh-keygen",
    make: withRevoked((lab) => revocationList(lab, "ada")),
    expected: refused("key-revoked"),
  },
  {
    name: "another key is revoked",
    make: withRevoked((lab) => lab.file(`${lab.keys.public("eve")}\n`)),
    expected: "evaluated",
  },
  {
    name: "the list of revoked keys is missing",
    make: withRevoked((lab) => `${lab.inside}/none`),
    expected: refused("keys-missing"),
  },
  {
    name: "the list of revoked keys is empty",
    make: withRevoked((lab) => lab.file("")),
    expected: refused("keys-empty"),
  },
  {
    name: "another key is in a revocation list of ssh-keygen",
    make: withRevoked((lab) => revocationList(lab, "eve")),
    expected: "evaluated",
  },
  ...Object.entries<[string, (lab: Lab) => string]>({
    "comments alone": ["keys-empty", () => "# none\n"],
    "rubbish": ["keys-broken", () => "rubbish\n"],
    "a line of allowed signers": [
      "keys-broken",
      (lab) => lab.keys.signerLine("eve"),
    ],
    "a key that is none": [
      "keys-broken",
      () => `ssh-ed25519 ${"A".repeat(68)}\n`,
    ],
    "two keys in one line": [
      "keys-broken",
      (lab) => `${lab.keys.public("eve")} ${lab.keys.public("ada")}\n`,
    ],
  }).map(([name, [reason, text]]): Case => ({
    name: `the list of revoked keys: ${name}`,
    make: withRevoked((lab) =>
      lab.file(
        (reason === "keys-broken" ? `${lab.keys.public("bob")}\n` : "") +
          text(lab),
      )
    ),
    expected: refused(reason),
    says: reason === "keys-broken" ? "line 2 of /" : "contains no key",
    then: holdsNothing,
  })),
  {
    name: "the list of revoked keys: a revocation list that is cut off",
    make: withRevoked(async (lab) => {
      const path = await revocationList(lab, "eve");
      await Deno.truncate(path, 60);
      return path;
    }),
    expected: refused("keys-broken"),
    then: holdsNothing,
  },
  {
    name: "the list of revoked keys: a revocation list of nothing",
    make: withRevoked((lab) => revocationList(lab)),
    expected: refused("keys-empty"),
  },
  {
    name: "a certificate of a trusted authority",
    make: withSigners(
      (lab) => `carol@example.org cert-authority ${lab.keys.public("ca")}\n`,
      "certified",
    ),
    expected: "evaluated",
    then: () => {},
  },
  {
    name: "a certificate of a foreign authority",
    make: withSigners(
      (lab) => `carol@example.org cert-authority ${lab.keys.public("ca")}\n`,
      "foreign-certified",
    ),
    expected: refused("unknown-key"),
  },
  {
    name: "a certificate for another person",
    make: withSigners(
      (lab) => `ada@example.org cert-authority ${lab.keys.public("ca")}\n`,
      "certified",
    ),
    expected: refused("unknown-key"),
  },
  {
    name: "a certificate that has expired",
    make: withSigners(
      (lab) => `carol@example.org cert-authority ${lab.keys.public("ca")}\n`,
      "late-certified",
    ),
    expected: refused("unknown-key"),
  },
  {
    name: "an authority that is listed as a person",
    make: withSigners(
      (lab) => `carol@example.org ${lab.keys.public("ca")}\n`,
      "certified",
    ),
    expected: refused("unknown-key"),
  },
  {
    name: "a person who is listed as an authority",
    make: withSigners((lab) =>
      `ada@example.org cert-authority ${lab.keys.public("ada")}\n`
    ),
    expected: refused("unknown-key"),
  },
  {
    name: "an RSA key",
    make: withSigners((lab) => lab.keys.signerLine("rsa"), "rsa"),
    expected: "evaluated",
  },
  {
    name: "an ECDSA key",
    make: withSigners((lab) => lab.keys.signerLine("ecdsa"), "ecdsa"),
    expected: "evaluated",
  },
  {
    name: "an OpenPGP signature where SSH keys count",
    make: by("pgp-ada"),
    expected: refused("signature-format"),
  },
  {
    name: "allowed signers: missing",
    make: withFile((lab) => `${lab.inside}/none`),
    expected: refused("keys-missing"),
  },
  {
    name: "allowed signers: a link to nothing",
    make: withFile(async (lab) => {
      const path = `${lab.inside}/${lab.name()}`;
      await Deno.symlink("/none", path);
      return path;
    }),
    expected: refused("keys-missing"),
  },
  {
    name: "allowed signers: not configured",
    make: async (lab) => ({
      settings: { ...await lab.signed("ada"), "verify.mode": "head" },
    }),
    expected: { exit: 2, reason: "config-wrong" },
  },
  ...Object.entries({
    "empty": ["", "keys-empty"],
    "comments alone": ["# none\n\n", "keys-empty"],
    "rubbish": ["\u0000\u0001\u0002 rubbish\n", "keys-broken"],
    "a key without a person": [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAA\n",
      "keys-broken",
    ],
    "a key cut off": ["ada@example.org ssh-ed25519 AAAA\n", "keys-broken"],
    "a private key": [
      "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n",
      "keys-broken",
    ],
    "HTML": ["<!doctype html>\n", "keys-broken"],
    "a person without a key": ["ada@example.org\n", "keys-broken"],
  }).map(([name, [text, reason]]): Case => ({
    name: `allowed signers: ${name}`,
    make: withSigners(() => text!),
    expected: refused(reason!),
  })),
  {
    name: "allowed signers: a good line beside a broken one",
    make: withSigners((lab) =>
      lab.keys.signerLine("ada") + "bob ssh-ed25519\n"
    ),
    expected: refused("keys-broken"),
    says: "line 2",
  },
  ...Object.entries<(lab: Lab) => string>({
    "a word that is no option": (lab) =>
      lab.keys.signerLine("bob", 'namespace="git" '),
    "a time that is none": (lab) =>
      lab.keys.signerLine("bob", 'valid-after="soon" '),
    "a key that is none": () =>
      `bob@example.org ssh-ed25519 ${"A".repeat(68)}\n`,
    "a key of another kind than it says": (lab) =>
      lab.keys.signerLine("bob", "").replace("ssh-ed25519", "ssh-rsa"),
    "a quote that does not end": (lab) =>
      lab.keys.signerLine("bob", 'namespaces="git '),
    "two keys": (lab) =>
      `bob@example.org ${lab.keys.public("bob")} ${lab.keys.public("eve")}\n`,
  }).map(([name, line]): Case => ({
    name: `allowed signers: ${name} in one line`,
    make: withSigners((lab) =>
      `# Ours\n${lab.keys.signerLine("ada")}${line(lab)}`
    ),
    expected: refused("keys-broken"),
    says: "line 3 of /",
  })),
  {
    name: "allowed signers: all that ssh-keygen knows",
    make: withSigners((lab) =>
      `ada@example.org,"ada x" namespaces="git,file",valid-after="20200101",valid-before="20980101" ${
        lab.keys.public("ada")
      } Ada's key, ssh-ed25519\r\n*@example.net cert-authority ${
        lab.keys.public("ca")
      }`
    ),
    expected: "evaluated",
  },
  {
    name: "allowed signers: others may write to it",
    make: withFile((lab) => lab.file(lab.keys.signerLine("ada"), 0o666)),
    expected: refused("keys-unsafe"),
  },
  {
    name: "allowed signers: another user owns it",
    make: withFile(async (lab) => {
      const path = lab.file(lab.keys.signerLine("ada"));
      await Deno.chown(path, 65534, 65534);
      return path;
    }),
    expected: refused("keys-unsafe"),
  },
  {
    name: "allowed signers: a folder",
    make: withFile((lab) => lab.inside),
    expected: refused("keys-broken"),
  },
  {
    name: "allowed signers: a pipe",
    make: withFile(async (lab) => {
      const path = `${lab.inside}/${lab.name()}`;
      await output(["mkfifo", path]);
      return path;
    }),
    expected: refused("keys-broken"),
  },
  {
    name: "allowed signers: endless",
    make: withFile(() => "/dev/zero"),
    expected: refused("keys-broken"),
  },
  {
    name: "allowed signers: five megabytes",
    make: withFile((lab) => lab.file("#".repeat(5 * 2 ** 20))),
    expected: refused("keys-broken"),
  },
  {
    name: "a person with escapes in the name",
    make: withSigners((lab) =>
      `"\u001b[31mada\u202e" ${lab.keys.public("ada")}\n`
    ),
    expected: "evaluated",
  },
];
