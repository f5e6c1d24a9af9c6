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
  path,
  ref,
  remote,
  text,
  texts,
} from "./kinds.ts";
import { type Mirror, mirrors } from "./mirrors.ts";
import type { Option } from "./option.ts";
import { type Approval, attribute } from "./steering_kinds.ts";
import { inputOptions } from "./schema_inputs.ts";
import { deploymentOptions } from "./schema_deployment.ts";
import { gateOptions } from "./schema_gates.ts";
import { fleetOptions } from "./schema_fleet.ts";
import { isolationOptions } from "./schema_isolation.ts";
import { limitOptions } from "./schema_limits.ts";
import { lockOptions } from "./schema_locks.ts";
import { notifyOptions } from "./schema_notify.ts";
import { serveOptions } from "./schema_serve.ts";
import { secretOptions, verifyOptions } from "./schema_trust.ts";

export type { Approval, Option };

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
      "What this host follows: a branch, a tag (annotated or light), a full commit hash, or a pattern of tags. A name that is both a branch and a tag must be written in full, e.g. `refs/tags/v1`. `semver:` and a range (`semver:>=1.2 <2`) follows the tag with the highest version in it, pre-releases only where the range names one (`semver:>=1.2.0-0 <2`), `tags:` and a pattern (`tags:v*`) the one with the highest version in the place of the `*`; forward then means a higher version. Of several tags of that version the one that was deployed stays; before that it is the name that sorts last.",
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
  sshCertificateFile: {
    kind: path,
    text:
      "The certificate of `sshKeyFile`, where an authority signed it. Without it the file beside the key counts, `KEY-cert.pub`.",
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
  mirrors: {
    kind: mirrors,
    preset: [],
    text:
      "More URLs of the same repository, in the order of preference after `repository`, each with its own `sshKeyFile`, `knownHosts`, `tokenFile`, `username`, `certFile` and `keyFile` (as `tls.certFile` and `tls.keyFile`), or none: `[{url: ssh://git@backup.example.org/infra.git, sshKeyFile: /etc/gitops-sync/backup-key}]`. The first that answers counts; one that is behind what was deployed is passed over, and so is one that asked to be left alone (`Retry-After`), for as long as it asked. All that is remembered goes by `repository`, whichever served.",
    noFlag: true,
  } as Option<readonly Mirror[]>,
  "tls.certFile": {
    kind: path,
    text:
      "The certificate, in PEM, by which this host shows an `https://` server who it is.",
  } as Option<string | undefined>,
  "tls.keyFile": {
    kind: path,
    text:
      "The private key of `tls.certFile`, in PEM without a passphrase. Without it the file of the certificate holds the key, too.",
  } as Option<string | undefined>,
  ...inputOptions,
  stateDirectory: {
    kind: path,
    preset: "/var/lib/gitops-sync",
    text:
      "Where the program keeps its state, history, mirror of the repository and garbage-collection roots. Never holds a secret.",
  } as Option<string>,
  publishStatus: {
    kind: flag,
    preset: true,
    text:
      "Whether runs write `/run/gitops-sync-status/status.json`, by which `gitops-sync status` works for people who are not root: the state of the host, hashes and times, and no text of a commit, no message and no URL.",
  } as Option<boolean>,
  ...verifyOptions,
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
  ...secretOptions,
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
  "build.file": {
    kind: folder,
    preset: "",
    text:
      "For a repository without a flake: the file in `directory` that is built in place of one, e.g. `default.nix`. Such a file may ask for more than the revision holds, so it is only evaluated isolated from this host (`build.isolate`).",
  } as Option<string>,
  "build.attribute": {
    kind: attribute,
    preset: "",
    text:
      "The attribute of `build.file` that is the host's NixOS, e.g. `hosts.{host}`; `config.system.build.toplevel` is built of it. `{host}` is replaced.",
  } as Option<string>,
  "build.prebuilt": {
    kind: prebuilt,
    preset: "systems/{host}",
    text:
      "Where `build.from: cache` finds the store path of the system: a file in the repository, or a URL that answers with it. `{host}` and `{revision}` are replaced.",
  } as Option<string>,
  ...isolationOptions,
  ...deploymentOptions,
  ...gateOptions,
  ...lockOptions,
  ...notifyOptions,
  ...limitOptions,
  ...serveOptions,
  ...fleetOptions,
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
