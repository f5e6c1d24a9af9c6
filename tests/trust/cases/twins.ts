/**
 * Signed commits that a stranger has given another hash: what Git leaves out of
 * what is signed was changed after the real programs had signed it.
 */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import type { Settings } from "../../world/host.ts";
import type { Case, Lab } from "../lab.ts";

const refused = (reason: string) => ({ exit: 4, reason });

type Change = (content: string) => string;

/** More lines in the header that holds the signature. */
const afterSignature = (...lines: string[]): Change => (text) =>
  text.replace(
    /^( -----END \w+ SIGNATURE-----\n)/m,
    (end) => end + lines.map((line) => ` ${line}\n`).join(""),
  );

/** More in the line that an OpenPGP signature begins with. */
const begunWith = (more: string): Change => (text) =>
  text.replace(/^(gpgsig -----BEGIN PGP SIGNATURE-----)$/m, `$1${more}`);

/** More headers beside the signature. */
const moreHeaders = (...lines: string[]): Change => (text) =>
  text.replace("\n\n", () => `\n${lines.join("\n")}\n\n`);

/** A second copy of the signature, under this name. */
const again = (name: string): Change => (text) => {
  const signature = /^gpgsig ([^]*?-----END \w+ SIGNATURE-----)$/m.exec(text)!;
  return text.replace("\n\n", () => `\n${name} ${signature[1]}\n\n`);
};

/** A comment in the armor of OpenPGP. */
const comment = (line: string): Change => (text) =>
  text.replace(/^(gpgsig -----BEGIN PGP SIGNATURE-----\n)/m, `$1 ${line}\n`);

/** The same base64, in lines of another length. */
const rewrapped = (length: number): Change => (text) =>
  text.replace(
    /(BEGIN SSH SIGNATURE-----\n)([^]*?)( -----END)/,
    (_, begin, lines, end) => {
      const all = lines.replace(/\s/g, "");
      const wrapped = all.match(new RegExp(`.{1,${length}}`, "g"))!;
      return begin + wrapped.map((one: string) => ` ${one}\n`).join("") + end;
    },
  );

/**
 * Another byte in OpenPGP's unhashed part, where GnuPG puts the number of the
 * key (RFC 4880, 5.2.3): a packet of version 4 is tag, length, version, type,
 * two algorithms, the hashed part with its length, the unhashed one with its.
 */
const unhashed = (more: number): Change => (text) =>
  text.replace(
    /(BEGIN PGP SIGNATURE-----\n \n)([^]*?) =\S+\n/,
    (_, begin, lines) => {
      const old = Buffer.from(lines.replace(/\s/g, ""), "base64");
      assertEquals([old[0], old[2]], [0x88, 4], "a short packet, version 4");
      const at = 2 + 4 + 2 + old.readUInt16BE(6);
      const length = old.readUInt16BE(at);
      // A private subpacket (type 100) that nobody reads.
      const extra = Buffer.from([2, 100, more]);
      const bytes = Buffer.concat([
        old.subarray(0, at),
        Buffer.from([0, length + extra.length]),
        old.subarray(at + 2, at + 2 + length),
        extra,
        old.subarray(at + 2 + length),
      ]);
      bytes[1] = bytes.length - 2;
      return begin + wrap(bytes);
    },
  );

/** The other solution of an ECDSA signature: s becomes the order less s. */
const mirrored: Change = (text) =>
  text.replace(
    /(BEGIN SSH SIGNATURE-----\n)([^]*?)( -----END)/,
    (_, begin, lines, end) => {
      const bytes = Buffer.from(lines.replace(/\s/g, ""), "base64");
      const s = lastNumber(bytes);
      const other = order - BigInt(`0x${s.toString("hex")}`);
      const digits = other.toString(16).padStart(64, "0");
      const raw = Buffer.from(digits, "hex");
      const mpint = raw[0]! & 0x80
        ? Buffer.concat([Buffer.from([0]), raw])
        : raw;
      return begin + wrap(withLast(bytes, s.length, mpint)) + end;
    },
  );

/** Of the curve nistp256 (FIPS 186-4, D.1.2.3). */
const order =
  0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The last number of an ECDSA signature of SSH (RFC 5656, 3.1.2). */
function lastNumber(bytes: Uint8Array): Buffer {
  const all = Buffer.from(bytes);
  for (const length of [33, 32, 31]) {
    const at = all.length - length - 4;
    if (all.readUInt32BE(at) === length) return all.subarray(at + 4);
  }
  throw new Error("no signature of ECDSA");
}

/** Replaces it, in the three lengths that it is within as well. */
function withLast(bytes: Uint8Array, old: number, last: Buffer): Buffer {
  const begin = Buffer.from(bytes.subarray(0, bytes.length - old - 4));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(last.length);
  const all = Buffer.concat([begin, length, last]);
  const differs = last.length - old;
  // The signature, of it the blob of two numbers: each after its name.
  const name = all.lastIndexOf("ecdsa-sha2-nistp256");
  const outer = name - 8, inner = name + "ecdsa-sha2-nistp256".length;
  for (const at of [outer, inner]) {
    all.writeUInt32BE(all.readUInt32BE(at) + differs, at);
  }
  return all;
}

function wrap(bytes: Buffer): string {
  return bytes.toString("base64").match(/.{1,70}/g)!
    .map((one) => ` ${one}\n`).join("");
}

/** Ada's commit with another hash. */
const twin = (change: Change, signer = "ada") => async (lab: Lab) => ({
  settings: {
    ...await lab.changed(signer, change),
    ...trusting(lab, signer),
  },
});

const trusting = (lab: Lab, signer: string) =>
  signer.startsWith("pgp-") ? lab.trustingPgp(signer) : lab.trusting(signer);

/** What Git itself takes for well signed, and we do not. */
const odd = {
  "text after the signature": [afterSignature("more"), "ada"],
  "a line of a dash after the signature": [afterSignature("-"), "ada"],
  "text after an empty line after the signature": [
    afterSignature("", "more"),
    "ada",
  ],
  "a second signature after the first": [
    afterSignature(
      "-----BEGIN SSH SIGNATURE-----",
      "-----END SSH SIGNATURE-----",
    ),
    "ada",
  ],
  "text after an OpenPGP signature": [afterSignature("more"), "pgp-ada"],
  // gpg passes over both.
  "a blank after its first line, and text after its last": [
    (text: string) => afterSignature("more")(begunWith(" ")(text)),
    "pgp-ada",
  ],
  "a tab after its first line": [begunWith("\t"), "pgp-ada"],
  "a second gpgsig": [again("gpgsig"), "ada"],
  "a second gpgsig of OpenPGP": [again("gpgsig"), "pgp-ada"],
  "an empty second gpgsig": [moreHeaders("gpgsig "), "ada"],
  "a gpgsig-sha256 beside it": [again("gpgsig-sha256"), "ada"],
  "an empty gpgsig-sha256 beside it": [moreHeaders("gpgsig-sha256 x"), "ada"],
  "a gpgsig-sha256 beside one of OpenPGP": [again("gpgsig-sha256"), "pgp-ada"],
  "a gpgsig-sha256 of two lines": [
    moreHeaders("gpgsig-sha256 x", " y"),
    "ada",
  ],
  "a word between the lines of the signature": [
    (text: string) => text.replace(/^( [\w+/]{60,})$/m, "$1\n not base64!"),
    "pgp-ada",
  ],
} as const satisfies Record<string, readonly [Change, string]>;

/** What signers write in different ways. */
const usual = {
  "a comment in its armor": [comment("Comment: made by hand"), "pgp-ada"],
  "a version in its armor": [comment("Version: GnuPG v2"), "pgp-ada"],
  "a charset in its armor": [comment("Charset: UTF-8"), "pgp-ada"],
  // So do commits that GitHub signs.
  "an empty line after the signature": [afterSignature(""), "pgp-ada"],
  "an empty line after an SSH signature": [afterSignature(""), "ada"],
  "lines of another length": [rewrapped(40), "ada"],
  "one long line": [rewrapped(2000), "ada"],
  "another unhashed part": [unhashed(1), "pgp-ada"],
  "the other solution of ECDSA": [mirrored, "ecdsa"],
} as const satisfies Record<string, readonly [Change, string]>;

/** The genuine commit and the same one with another hash. */
interface Pair {
  genuine: string;
  twin: string;
  settings: Settings;
}

async function pair(
  lab: Lab,
  [change, signer]: readonly [Change, string],
): Promise<Pair> {
  await lab.begin(signer);
  const genuine = await lab.repository.commit(`A change: ${lab.name()}`);
  const text = await lab.repository.git("cat-file", "commit", genuine) + "\n";
  const twin = await lab.object("commit", change(text));
  assert(twin !== genuine, "the twin is the same");
  const followed = await lab.branch(genuine);
  return { genuine, twin, settings: { ...followed, ...trusting(lab, signer) } };
}

/** Moves the ref of a pair. */
const move = (lab: Lab, { settings }: Pair, revision: string) =>
  lab.push(revision, `refs/heads/${settings.ref}`);

/** The genuine one is held for how its build ended. */
const heldBefore = (how: readonly [Change, string], swap = false) =>
async (
  lab: Lab,
) => {
  const both = await pair(lab, how);
  const { settings } = both;
  const [first, second] = swap
    ? [both.twin, both.genuine]
    : [both.genuine, both.twin];
  const deployed = lab.deployment(lab.base, settings);
  lab.deployed(lab.base, settings, {
    holds: [{
      revision: first,
      digest: await digestOf(lab, first),
      target: deployed.target,
      stage: "health",
      reason: "unit-failed",
      message: "nginx.service failed",
      hints: [],
      since: deployed.at,
    }],
  });
  await move(lab, both, second);
  return { settings };
};

/** What a signature covers, as gpg and ssh-keygen are given it. */
async function digestOf(lab: Lab, revision: string): Promise<string> {
  const text = await lab.repository.git("cat-file", "commit", revision);
  const part = text.replace(/^gpgsig [^]*?-----END .*\n(?: .*\n)*/m, "") + "\n";
  const bytes = new TextEncoder().encode(part);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Buffer.from(digest).toString("hex");
}

/** The host took the twin; then comes what is given. */
const tookTwin = (
  how: readonly [Change, string],
  next: (lab: Lab, both: Pair) => Promise<string>,
  more: Settings = {},
) =>
async (lab: Lab) => {
  const both = await pair(lab, how);
  const settings = { ...both.settings, ...more };
  await move(lab, both, both.twin);
  lab.world.configure(lab.repository, { ...settings, retries: 0 });
  // So that the mirror has it, as after a deployment.
  assert((await lab.call("sync", "--json")).evaluated);
  lab.deployed(both.twin, settings);
  await move(lab, both, await next(lab, both));
  return { settings };
};

const child =
  (signer: string) => async (lab: Lab, { genuine }: Pick<Pair, "genuine">) => {
    await lab.begin(signer, genuine);
    return await lab.repository.commit(`The next: ${lab.name()}`);
  };

export const cases: Case[] = [
  ...Object.entries(odd).map(([name, [change, signer]]): Case => ({
    name: `twin: ${name}`,
    make: twin(change, signer),
    expected: refused("signature-format"),
  })),
  ...Object.entries(usual).map(([name, [change, signer]]): Case => ({
    name: `twin: ${name}`,
    make: twin(change, signer),
    expected: "evaluated",
  })),
  ...Object.entries(usual).map(([name, how]): Case => ({
    name: `twin of a held commit: ${name}`,
    make: heldBefore(how),
    expected: { exit: 9, reason: "held-twin" },
    says: "is blocked",
  })),
  {
    name: "twin that is held: the genuine commit is no other",
    make: heldBefore(usual["another unhashed part"], true),
    expected: { exit: 9, reason: "held-twin" },
  },
  {
    name: "twin of a held commit: a fix on top of it comes",
    make: async (lab) => {
      const { settings } = await heldBefore(usual["one long line"])(lab);
      await child("ada")(lab, { genuine: await lab.repository.head() });
      await lab.push("HEAD", `refs/heads/${settings.ref}`);
      return { settings };
    },
    expected: "evaluated",
  },
  ...["head", "range"].flatMap((mode) => [
    {
      name: `twin that was deployed, ${mode}: the genuine commit comes`,
      make: tookTwin(
        usual["another unhashed part"],
        (_, { genuine }) => Promise.resolve(genuine),
        { "verify.mode": mode },
      ),
      expected: "evaluated" as const,
    },
    {
      name: `twin that was deployed, ${mode}: what follows the genuine one`,
      make: tookTwin(usual["another unhashed part"], child("pgp-ada"), {
        "verify.mode": mode,
      }),
      expected: "evaluated" as const,
    },
    {
      name: `twin that was deployed, ${mode}: what is older than both`,
      make: tookTwin(
        usual["another unhashed part"],
        async (lab) => {
          await lab.begin("pgp-ada");
          return await lab.repository.commit(`Aside: ${lab.name()}`);
        },
        { "verify.mode": mode },
      ),
      expected: refused("not-forward"),
    },
  ]),
  {
    name: "twin that was deployed: a tag is moved to the genuine commit",
    make: async (lab) => {
      const both = await pair(lab, usual["one long line"]);
      const ref = lab.name();
      const settings = { ...both.settings, ref };
      await lab.push(both.twin, `refs/tags/${ref}`);
      lab.world.configure(lab.repository, { ...settings, retries: 0 });
      assert((await lab.call("sync", "--json")).evaluated);
      lab.deployed(both.twin, settings);
      await lab.push(both.genuine, `refs/tags/${ref}`);
      return { settings };
    },
    expected: "evaluated",
  },
];
