/**
 * Explains why a sops file does not open, after a program has failed to open
 * it, and what to do about that.
 *
 * @module
 */
import { type Problem, quoted } from "./problems.ts";
import type { Facts, SopsFacts } from "./reading/facts.ts";
import { recipientsOf, type SopsFile } from "./sops/metadata.ts";
import {
  type Access,
  isSameAddress,
  type Keys,
  type SopsReason,
} from "./sops/sops.ts";

type Found = Omit<Problem, "file">;

/** Returns a problem that the text alone shows. */
export function textProblem(
  name: string,
  file: SopsFacts,
  { groupsAtMost }: Access,
  keys: Keys,
): Found | undefined {
  if (groupsAtMost < file.needed) {
    const other = otherVault(file, keys);
    return other === undefined
      ? {
        reason: "key-groups" as const,
        why:
          `opening it takes ${file.needed} key groups, and this host is in ${groupsAtMost}`,
        fix:
          `add this host to more groups in .sops.yaml, then run: sops updatekeys ${
            quoted(name)
          }`,
      }
      : vaultAddress(name, other, keys);
  }
  if (file.plain.length > 0) {
    return {
      reason: "plaintext-value",
      why: "a value in it is not encrypted, but should be",
      key: file.plain.slice(0, 5).join(", "),
      fix: `replace the value by a new one: sops edit ${quoted(name)}`,
    };
  }
  if (!file.hasMac) {
    return {
      reason: "no-mac",
      why: "it has no MAC, so nobody can tell whether it was changed",
      fix: restoreFix(name),
    };
  }
  return file.unread === undefined ? undefined : {
    reason: "broken",
    why:
      `it was encrypted by sops, but it is no longer valid ${file.format}: ${file.unread}`,
    fix: restoreFix(name),
  };
}

/** Returns the problem of a file whose metadata can't be read. */
export function unreadableProblem(
  name: string,
  facts: Exclude<Facts, SopsFacts>,
): Found {
  switch (facts.kind) {
    case "plain":
      return {
        reason: "plaintext",
        why: ".sops.yaml has a rule for it, but it is not encrypted",
        fix: `sops encrypt --in-place ${
          quoted(name)
        }, and replace the secrets in it, because Git still has them; or list it in secrets.ignore`,
      };
    case "headless":
      return {
        reason: "cut-off",
        why: "it has encrypted values, but the metadata of sops is missing",
        fix: restoreFix(name),
      };
    case "broken":
      return {
        reason: "broken",
        why:
          `it was encrypted by sops, but it is no longer valid ${facts.format}: ${facts.why}`,
        fix: restoreFix(name),
      };
    case "unread":
      return { reason: "unread", why: facts.why, fix: restoreFix(name) };
  }
}

/**
 * Returns the problem of a file that lacks this host, although the rules name
 * it.
 */
export function forgottenProblem(name: string): Found {
  return {
    reason: "updatekeys-forgotten",
    why: ".sops.yaml names this host for it, but the file itself does not",
    fix: `sops updatekeys ${quoted(name)}`,
  };
}

/** Returns what to do about a failure of sops. */
export function fixFor(
  reason: SopsReason,
  name: string,
): Pick<Problem, "fix" | "transient"> {
  switch (reason) {
    case "vault-sealed":
      return { fix: "unseal Vault: vault operator unseal", transient: true };
    case "vault-unreachable":
      return {
        fix: "check Vault, the network, and the service behind vault.socket",
        transient: true,
      };
    case "vault-refused":
      return {
        fix: "do in Vault what its answer says; the next run tries again",
        transient: true,
      };
    case "timed-out":
      return {
        fix: "the next run tries again; or raise timeouts.secrets",
        transient: true,
      };
    case "program-ended":
      return {
        fix: "check this host's memory, and check that sops is installed",
        transient: true,
      };
    case "data-key":
      return { fix: `sops updatekeys ${quoted(name)}` };
    case "value-changed":
    case "tampered":
    case "no-mac":
    case "sops-failed":
      return { fix: restoreFix(name) };
  }
}

/** The fix for a plugin of age that fails or is missing. */
export const pluginFix =
  "add the plugin to the service's PATH: services.gitops.secrets.plugins";

/** Returns the fix that restores an earlier version of a file. */
export const restoreFix = (name: string): string =>
  `restore it: git checkout REVISION -- ${quoted(name)}`;

/** Returns a Vault address in the file that is not the configured one. */
function otherVault(
  file: Pick<SopsFile, "groups">,
  { vault }: Keys,
): string | undefined {
  if (!vault) return undefined;
  return recipientsOf(file).map(({ vault }) => vault?.address)
    .find((address) =>
      address !== undefined && !isSameAddress(address, vault.address)
    );
}

/** Whether only Vault can open a file. */
export const isVaultAlone = (file: Pick<SopsFile, "groups">): boolean =>
  recipientsOf(file).every(({ kind }) => kind === "hc_vault");

function vaultAddress(name: string, address: string, { vault }: Keys) {
  return {
    reason: "vault-address" as const,
    why:
      `it names the Vault at ${address}, but this host may only use ${vault?.address}`,
    fix: `write the right address to .sops.yaml, then run: sops updatekeys ${
      quoted(name)
    }`,
  };
}

/** Returns the problem of a file that only another Vault can open. */
export function vaultNote(
  name: string,
  file: Pick<SopsFile, "groups">,
  keys: Keys,
): Problem | undefined {
  const other = otherVault(file, keys);
  return other === undefined
    ? undefined
    : { file: name, ...vaultAddress(name, other, keys) };
}
