/**
 * The options of what is trusted and what is secret (docs/security.md): parts of
 * the list in schema.ts.
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
      "Which signatures a revision needs before anything of it is evaluated. `none`: no signature. `head`: the commit itself is signed. `range`: every commit since the one deployed last is signed, those that merges bring in included; fetches the whole history. `tag`: `ref` is a signed tag. `tag-and-head`: the tag and its commit are signed.",
  } as Option<"none" | "head" | "range" | "tag" | "tag-and-head">,
  "verify.allowedSigners": {
    kind: path,
    text:
      "The SSH keys that are trusted: a file as ssh-keygen(1) describes it under ALLOWED SIGNERS, with `namespaces`, `valid-after`, `valid-before` and `cert-authority` as there. Only its owner or root may write to it.",
  } as Option<string | undefined>,
  "verify.revokedKeys": {
    kind: path,
    text:
      "SSH keys that are trusted no longer, whatever `verify.allowedSigners` says: a key revocation list or public keys, one a line.",
  } as Option<string | undefined>,
  "verify.openpgpKeys": {
    kind: paths,
    preset: [],
    text:
      "The OpenPGP keys that are trusted: files of public keys, armored or not. No keyring of a user counts.",
  } as Option<readonly string[]>,
  "verify.keysFrom": {
    kind: folder,
    preset: "",
    text:
      "A folder of the repository that holds the trusted keys: `allowed_signers` for SSH, `*.asc` and `*.gpg` for OpenPGP. They are read from the revision deployed last and never from the new one, so a commit that changes them must be signed with a key of the old set. Until a revision with that folder is deployed, the files of `verify.allowedSigners` and `verify.openpgpKeys` count. Empty: the keys are those files alone.",
  } as Option<string>,
  "verify.threshold": {
    kind: positive,
    preset: 1,
    text:
      "How many different people must have signed the revision: the one who signed the commit, and those who signed tags that point to it.",
  } as Option<number>,
  "verify.firstTrusted": {
    kind: revision,
    text:
      "With `verify.mode: range`, the commit whose history needs no check; every later one must descend from it. Without it the first signed revision that this host sees is that commit, and is remembered.",
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
      "those that the running and the built system name for sops-nix and agenix; before the build also those of `/etc/ssh/age.key`, `/var/lib/sops-nix/key.txt` and `/etc/ssh/ssh_host_ed25519_key` that exist",
    text:
      "What this host decrypts with: age identity files, SSH ed25519 private keys, and folders that are homes of GnuPG. One that can't be used is told and passed over. Where it is set, it also takes the place of what the built system names.",
  } as Option<readonly string[] | undefined>,
  "secrets.ignore": {
    kind: texts,
    preset: [],
    text:
      "Files and folders of the repository that the check leaves alone, e.g. `[examples, docs/sample.yaml]`.",
  } as Option<readonly string[]>,
  "vault.address": {
    kind: vaultAddress,
    text:
      "The Vault or OpenBao server whose transit engine decrypts this host's files. It is the only one that is spoken to, whatever address a file names.",
  } as Option<string | undefined>,
  "vault.socket": {
    kind: path,
    preset: "/run/gitops-sync-vault/agent.sock",
    text:
      "The Unix socket of `gitops-sync vault-agent`, through which sops decrypts. Its folder belongs to the agent alone.",
  } as Option<string>,
  "vault.engines": {
    kind: mounts,
    preset: ["sops", "transit"],
    text: "The mounts of transit engines that decrypt calls may go to.",
  } as Option<readonly string[]>,
  "vault.namespace": {
    kind: text,
    text: "The namespace of Vault in which the mounts are.",
  } as Option<string | undefined>,
  "vault.caFile": {
    kind: path,
    text:
      "The certificates (PEM) that the server is trusted by. Without it the usual ones count.",
  } as Option<string | undefined>,
  "vault.tokenFile": {
    kind: path,
    text:
      "A file that holds a token of Vault. It is renewed while that is possible, and never revoked.",
  } as Option<string | undefined>,
  "vault.appRole.mount": {
    kind: mount,
    preset: "approle",
    text: "Where the AppRole login is mounted, below `auth/`.",
  } as Option<string>,
  "vault.appRole.roleId": {
    kind: text,
    text: "The role id, which is no secret.",
  } as Option<string | undefined>,
  "vault.appRole.roleIdFile": {
    kind: path,
    text: "A file that holds the role id, in place of `vault.appRole.roleId`.",
  } as Option<string | undefined>,
  "vault.appRole.secretIdFile": {
    kind: path,
    text: "A file that holds the secret id, or the token that wraps it.",
  } as Option<string | undefined>,
  "vault.appRole.wrapped": {
    kind: flag,
    preset: false,
    text:
      "Whether the file holds a wrapping token, which gives the secret id once: each start of the agent needs a new one.",
  } as Option<boolean>,
} as const;
