/** The folder of `verify.keysFrom` is deleted, emptied, or replaced. */
import type { Settings } from "../../world/host.ts";
import type { Case, Lab } from "../lab.ts";

const refused = (reason: string) => ({ exit: 4, reason });

/**
 * A host of Eve's old keys follows a repository whose folder names Ada; then
 * each of some commits changes it.
 */
const folder = (
  mode: string,
  changes: readonly ((lab: Lab) => Promise<unknown>)[],
  more: Settings = {},
) =>
async (lab: Lab) => {
  await lab.begin("ada");
  const deployed = await lab.repository.commit(`Keys: ${lab.name()}`, {
    files: { "keys/allowed_signers": lab.keys.signerLine("ada") },
  });
  for (const change of changes) await change(lab);
  const followed = await lab.branch();
  lab.deployed(deployed, followed);
  return {
    settings: {
      ...followed,
      ...lab.trusting("eve"),
      "verify.mode": mode,
      "verify.keysFrom": "keys",
      ...more,
    },
  };
};

const removed = (signer: string) => async (lab: Lab) => {
  await lab.signWith(signer);
  await lab.repository.git("rm", "-rq", "keys");
  await lab.repository.commit(`Without: ${lab.name()}`);
};

const files = (signer: string, files: Record<string, string>) =>
async (
  lab: Lab,
) => {
  await lab.signWith(signer);
  await lab.repository.commit(`Files: ${lab.name()}`, { files });
};

const asFile = (signer: string) => async (lab: Lab) => {
  await lab.signWith(signer);
  await lab.repository.git("rm", "-rq", "keys");
  await lab.repository.commit(`A file: ${lab.name()}`, {
    files: { keys: "none" },
  });
};

const asLink = (signer: string) => async (lab: Lab) => {
  await lab.signWith(signer);
  await lab.repository.git("mv", "keys", "others");
  await Deno.symlink("others", `${lab.repository.folder}/keys`);
  await lab.repository.commit(`A link: ${lab.name()}`);
};

const next = (signer: string) => (lab: Lab) =>
  files(signer, { more: lab.name() })(lab);

const back = (signer: string) => (lab: Lab) =>
  files(signer, { "keys/allowed_signers": lab.keys.signerLine(signer) })(lab);

export const cases: Case[] = ["head", "range"].flatMap((mode): Case[] => [
  {
    name: `keys' folder, ${mode}: it stays`,
    make: folder(mode, [next("ada")]),
    expected: "evaluated",
  },
  {
    name: `keys' folder, ${mode}: a key of this host while it is there`,
    make: folder(mode, [next("eve")]),
    expected: refused("unknown-key"),
  },
  {
    name: `keys' folder, ${mode}: it is deleted`,
    make: folder(mode, [removed("ada")]),
    expected: refused("keys-removed"),
    says: "verify.keysFrom",
  },
  {
    name: `keys' folder, ${mode}: it is a file now`,
    make: folder(mode, [asFile("ada")]),
    expected: refused("keys-removed"),
  },
  {
    name: `keys' folder, ${mode}: it is a link now`,
    make: folder(mode, [asLink("ada")]),
    expected: refused("keys-removed"),
  },
  {
    name:
      `keys' folder, ${mode}: deleted, and another commit by this host's key`,
    make: folder(mode, [removed("ada"), next("eve")]),
    expected: refused(mode === "head" ? "unknown-key" : "keys-removed"),
  },
  {
    name: `keys' folder, ${mode}: deleted, and made again by this host's key`,
    make: folder(mode, [removed("ada"), back("eve")]),
    expected: refused(mode === "head" ? "unknown-key" : "keys-removed"),
  },
  {
    name: `keys' folder, ${mode}: it holds other files alone`,
    make: folder(mode, [async (lab) => {
      await lab.signWith("ada");
      await lab.repository.git("rm", "-rq", "keys");
      await files("ada", { "keys/README": "none" })(lab);
    }]),
    expected: refused("keys-missing"),
  },
  {
    name: `keys' folder, ${mode}: it is of no use any more, a person says`,
    make: folder(mode, [removed("ada"), next("eve")], {
      "verify.keysFrom": "",
      "verify.mode": "head",
    }),
    expected: "evaluated",
  },
]);
