/**
 * sops files: what they are, whom they name, and whether they open here.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { oneLine } from "../base/text.ts";
import type { Identity, Opened } from "./age.ts";
import { type SopsFormat, sopsFormat } from "./sops_formats.ts";

const metadata: Readonly<Record<SopsFormat, RegExp>> = {
  yaml: /^sops:/m,
  json: /"sops"\s*:/,
  dotenv: /^sops_/m,
  ini: /^\[sops\]/m,
  // Files without a known extension are JSON inside; prose that quotes an
  // encrypted value does not start like it.
  binary: /^\s*\{[^]*"sops"\s*:/,
};

/** Whether a file is encrypted by sops, as far as its text shows. */
export function isSopsFile(path: string, content: string): boolean {
  return content.includes("ENC[AES256_GCM,") &&
    metadata[sopsFormat(path)].test(content);
}

/** The identity that a sops file names, if it names one of these. */
export function namedIdentity(
  content: string,
  identities: readonly Identity[],
): Identity | undefined {
  return identities.find(({ recipients }) =>
    recipients.some((recipient) => content.includes(recipient))
  );
}

/** What the exit codes of sops mean (sops, `cmd/sops/codes/codes.go`). */
const meanings: Readonly<Record<number, string>> = {
  25: "a value in it does not decrypt: it was changed by hand or cut off",
  51: "its MAC does not match: it was changed without sops",
  52: "it has no MAC",
  128: "the data key can't be recovered with this identity",
};

/**
 * Tries to decrypt a sops file with one identity and no other; the plaintext
 * is thrown away unread.
 *
 * @param content The encrypted bytes.
 */
export async function openSops(
  effects: Effects,
  path: string,
  content: Uint8Array,
  identity: Identity,
): Promise<Opened> {
  const format = sopsFormat(path);
  const finished = await effects.run({
    program: "sops",
    args: [
      "decrypt",
      "--input-type",
      format,
      "--output-type",
      format,
      "/dev/stdin",
    ],
    env: {
      [
        identity.kind === "age"
          ? "SOPS_AGE_KEY_FILE"
          : "SOPS_AGE_SSH_PRIVATE_KEY_FILE"
      ]: identity.path,
      SOPS_DISABLE_VERSION_CHECK: "1",
      // The keys of the user who runs this are not the host's: a file that
      // only they open would be missing after the next boot.
      HOME: "/var/empty",
      XDG_CONFIG_HOME: "/var/empty",
    },
    input: content,
    capture: false,
    timeout: 60_000,
  });
  if (finished.code === 0) return { ok: true };
  const why = meanings[finished.code] ?? oneLine(finished.stderr, 200);
  return { ok: false, foreign: false, why };
}
