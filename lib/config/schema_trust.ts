/**
 * The options of trust and secrets (docs/security.md): parts of the list in
 * schema.ts.
 *
 * @module
 */
import {
  choice,
  flag,
  folder,
  mount,
  mounts,
  path,
  paths,
  positive,
  revision,
  text,
  texts,
  vaultAddress,
} from "./kinds.ts";
import type { Option } from "./option.ts";

/** The options of signatures, in the order of the documentation. */
export const verifyOptions = {
  "verify.mode": {
    kind: choice("none", "head", "range", "tag", "tag-and-head"),
    preset: "none",
    text:
      "Which signatures a revision needs before anything of it is evaluated. `none`: no signature. `head`: the commit itself is signed. `range`: every commit since the last deployed one is signed, including those that merges bring in; this fetches the whole history. `tag`: `ref` is a signed tag. `tag-and-head`: the tag and its commit are signed.",
  } as Option<"none" | "head" | "range" | "tag" | "tag-and-head">,
  "verify.allowedSigners": {
    kind: path,
    text:
      "The trusted SSH keys, as a file in the format that ssh-keygen(1) describes under ALLOWED SIGNERS. `namespaces`, `valid-after`, `valid-before` and `cert-authority` work as described there. Only its owner or root may be able to write to it.",
  } as Option<string | undefined>,
  "verify.revokedKeys": {
    kind: path,
    text:
      "SSH keys that are no longer trusted, even if `verify.allowedSigners` lists them: a key revocation list, or public keys, one per line.",
  } as Option<string | undefined>,
  "verify.openpgpKeys": {
    kind: paths,
    preset: [],
    text:
      "The trusted OpenPGP keys, as files of public keys, armored or not. The keyrings of users are not used.",
  } as Option<readonly string[]>,
  "verify.keysFrom": {
    kind: folder,
    preset: "",
    text:
      "A folder of the repository that contains the trusted keys: `allowed_signers` for SSH, `*.asc` and `*.gpg` for OpenPGP. They are read from the last deployed revision and never from the new one. So a commit that changes them must be signed with a key of the old set. Until a revision with that folder is deployed, the files of `verify.allowedSigners` and `verify.openpgpKeys` are used. If it is empty, only those files are used.",
  } as Option<string>,
  "verify.threshold": {
    kind: positive,
    preset: 1,
    text:
      "How many different people must have signed the revision. The person who signed the commit counts, and so do those who signed tags that point to it.",
  } as Option<number>,
  "verify.firstTrusted": {
    kind: revision,
    text:
      "The commit whose history needs no check, with `verify.mode: range`. Every later commit must descend from it. If it is not set, the host stores the first signed revision that it sees as that commit.",
  } as Option<string | undefined>,
} as const;

/** The options of secrets, in the order of the documentation. */
export const secretOptions = {
  "secrets.check": {
    kind: flag,
    preset: true,
    text:
      "Whether every encrypted file in the repository that names this host must decrypt before anything is built.",
  } as Option<boolean>,
  "secrets.identities": {
    kind: paths,
    presetText:
      "the keys that the running and the built system name for sops-nix and agenix; before the build, also those of `/etc/ssh/age.key`, `/var/lib/sops-nix/key.txt` and `/etc/ssh/ssh_host_ed25519_key` that exist",
    text:
      "The keys with which this host decrypts: age identity files, SSH ed25519 private keys, and GnuPG home folders. A key that cannot be used is reported and skipped. If this option is set, it also replaces the keys that the built system names.",
  } as Option<readonly string[] | undefined>,
  "secrets.ignore": {
    kind: texts,
    preset: [],
    text:
      "Files and folders of the repository that the check skips, e.g. `[examples, docs/sample.yaml]`.",
  } as Option<readonly string[]>,
  "vault.address": {
    kind: vaultAddress,
    text:
      "The Vault or OpenBao server whose transit engine decrypts this host's files. No other server is contacted, whatever address a file names.",
  } as Option<string | undefined>,
  "vault.socket": {
    kind: path,
    preset: "/run/gitops-sync-vault/agent.sock",
    text:
      "The Unix socket of `gitops-sync vault-agent`, through which sops decrypts. Its folder belongs only to the agent.",
  } as Option<string>,
  "vault.engines": {
    kind: mounts,
    preset: ["sops", "transit"],
    text: "The mounts of transit engines to which decrypt calls may go.",
  } as Option<readonly string[]>,
  "vault.namespace": {
    kind: text,
    text: "The Vault namespace that contains the mounts.",
  } as Option<string | undefined>,
  "vault.caFile": {
    kind: path,
    text:
      "The certificates (PEM) to trust for the server. If it is not set, the usual ones are trusted.",
  } as Option<string | undefined>,
  "vault.tokenFile": {
    kind: path,
    text:
      "A file with a Vault token. The token is renewed while that is possible, and never revoked.",
  } as Option<string | undefined>,
  "vault.appRole.mount": {
    kind: mount,
    preset: "approle",
    text: "The mount of the AppRole login, below `auth/`.",
  } as Option<string>,
  "vault.appRole.roleId": {
    kind: text,
    text: "The role id of AppRole. It is not a secret.",
  } as Option<string | undefined>,
  "vault.appRole.roleIdFile": {
    kind: path,
    text: "A file with the role id, instead of `vault.appRole.roleId`.",
  } as Option<string | undefined>,
  "vault.appRole.secretIdFile": {
    kind: path,
    text: "A file with the secret id, or with the token that wraps it.",
  } as Option<string | undefined>,
  "vault.appRole.wrapped": {
    kind: flag,
    preset: false,
    text:
      "Whether `vault.appRole.secretIdFile` contains a wrapping token. Such a token gives the secret id only once, so each start of the agent needs a new one.",
  } as Option<boolean>,
} as const;
