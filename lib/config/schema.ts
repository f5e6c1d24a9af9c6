/**
 * The only list of options: validation, flags, `--help`, `docs/options.md` and
 * the NixOS module all come from it.
 *
 * @module
 */
import { prebuilt } from "./checks.ts";
import {
  choice,
  flag,
  folder,
  host,
  mount,
  mounts,
  path,
  paths,
  positive,
  ref,
  remote,
  revision,
  text,
  texts,
  vaultAddress,
} from "./kinds.ts";
import type { Option } from "./option.ts";
import { deploymentOptions } from "./schema_deployment.ts";
import { limitOptions } from "./schema_limits.ts";

export type { Option };

/** Every option, in the order of the documentation. */
export const options = {
  repository: {
    kind: remote,
    required: true,
    text:
      "The Git repository that holds the flake. No token and, over HTTP, no user name belongs in the URL: use `tokenFile` and `username`.",
  } as Option<string>,
  ref: {
    kind: ref,
    preset: "main",
    text:
      "What this host follows: a branch, a tag (annotated or light), or a full commit hash. A name that is both a branch and a tag must be written in full, e.g. `refs/tags/v1`.",
  } as Option<string>,
  host: {
    kind: host,
    preset: () => Deno.hostname(),
    presetText: "the host name of the machine",
    text: "Which of the flake's `nixosConfigurations` this host runs.",
  } as Option<string>,
  directory: {
    kind: folder,
    preset: "",
    text: "The folder of the flake inside the repository.",
  } as Option<string>,
  submodules: {
    kind: flag,
    preset: false,
    text: "Whether the flake needs the repository's submodules.",
  } as Option<boolean>,
  operation: {
    kind: choice("switch", "boot", "test", "build"),
    preset: "switch",
    text:
      "`switch`: activate, check health, then make it the boot default. `boot`: only make it the boot default. `test`: activate without changing the boot default. `build`: only build.",
  } as Option<"switch" | "boot" | "test" | "build">,
  drift: {
    kind: choice("report", "correct"),
    preset: "report",
    text:
      "What to do when somebody switched the host by hand: `report` it, or `correct` it by activating the last good system again.",
  } as Option<"report" | "correct">,
  allowForcePush: {
    kind: flag,
    preset: false,
    text:
      "Whether a branch or tag may move to a revision that does not descend from the one deployed last.",
  } as Option<boolean>,
  shallow: {
    kind: flag,
    preset: true,
    text:
      "Fetch only the commits since the one deployed last. `false` fetches the whole history, for flakes that use `self.revCount`.",
  } as Option<boolean>,
  sshKeyFile: {
    kind: path,
    text:
      "The private key for `ssh://` and scp-form remotes, readable by root alone.",
  } as Option<string | undefined>,
  knownHosts: {
    kind: path,
    text:
      "A `known_hosts` file that pins the keys of the Git server. Without it the system's own files count; an unknown key is refused either way.",
  } as Option<string | undefined>,
  tokenFile: {
    kind: path,
    text:
      "A file that holds the access token for `https://` remotes. Git reads it through a credential helper: it is never in an argument, a URL or a Git configuration.",
  } as Option<string | undefined>,
  username: {
    kind: text,
    preset: "git",
    text: "The user name that goes with the token. Most forges take any.",
  } as Option<string>,
  stateDirectory: {
    kind: path,
    preset: "/var/lib/gitops-sync",
    text:
      "Where the program keeps its state, history, mirror of the repository and garbage-collection roots. Never holds a secret.",
  } as Option<string>,
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
  "nix.acceptFlakeConfig": {
    kind: flag,
    preset: false,
    text:
      "Whether the flake's `nixConfig` counts. It can name other substituters and their keys, and more that makes it root's own configuration of Nix.",
  } as Option<boolean>,
  "nix.importFromDerivation": {
    kind: flag,
    preset: true,
    text:
      "Whether the evaluation may build and read what it built, unless nix.conf forbids it (`allow-import-from-derivation`).",
  } as Option<boolean>,
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
      "What this host decrypts with: age identity files, SSH ed25519 private keys, and folders that are homes of GnuPG. Where it is set, it also takes the place of what the built system names.",
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
  "build.options": {
    kind: texts,
    preset: [],
    text:
      'More arguments for `nixos-rebuild build`, e.g. `[--max-jobs, "1"]`. Each is one argument; no shell sees them.',
  } as Option<readonly string[]>,
  "build.from": {
    kind: choice("flake", "cache"),
    preset: "flake",
    text:
      "`flake`: evaluate and build on this host. `cache`: only fetch a system that was built elsewhere, named by `build.prebuilt`, from the substituters that Nix knows; Nix checks its signatures, and nothing is evaluated or built here.",
  } as Option<"flake" | "cache">,
  "build.prebuilt": {
    kind: prebuilt,
    preset: "systems/{host}",
    text:
      "Where `build.from: cache` finds the store path of the system: a file in the repository, or a URL that answers with it. `{host}` and `{revision}` are replaced.",
  } as Option<string>,
  ...deploymentOptions,
  ...limitOptions,
} as const;

/** The name of an option, with a dot for each level in the file. */
export type OptionName = keyof typeof options;

type ValueOf<O> = O extends Option<infer T> ? T : never;

/** A checked configuration: one value for each option, durations in ms. */
export type Config = {
  readonly [K in OptionName]: ValueOf<(typeof options)[K]>;
};

/** All option names in the order of the documentation. */
export const optionNames = Object.keys(options) as OptionName[];

/** Those that are flags too. */
export const flagOptions: readonly OptionName[] = optionNames.filter((name) =>
  !options[name].noFlag
);

/**
 * The flag of an option.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { flagOf } from "./schema.ts";
 *
 * assertEquals(flagOf("timeouts.build"), "timeouts-build");
 * assertEquals(flagOf("allowForcePush"), "allow-force-push");
 * ```
 */
export function flagOf(name: OptionName): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    .replaceAll(".", "-");
}
