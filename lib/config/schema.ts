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
      "The Git repository that contains the flake. The URL must not contain a token or, over HTTP, a user name: use `tokenFile` and `username`.",
  } as Option<string>,
  ref: {
    kind: ref,
    preset: "main",
    text:
      "The revision that this host follows: a branch, a tag (annotated or lightweight), a full commit hash, or a tag pattern. If a branch and a tag have the same name, write the full name, e.g. `refs/tags/v1`. `semver:` and a range (`semver:>=1.2 <2`) selects the tag with the highest version in the range. A pre-release matches only if the range names a pre-release (`semver:>=1.2.0-0 <2`). `tags:` and a pattern (`tags:v*`) selects the tag with the highest version in the place of the `*`. If more than one tag has that version, the deployed tag is kept; if none is deployed, the name that sorts last is selected. With a tag pattern, moving forward means a higher version.",
  } as Option<string>,
  host: {
    kind: host,
    preset: () => Deno.hostname(),
    presetText: "the host name of the machine",
    text: "The name of this host in the flake's `nixosConfigurations`.",
  } as Option<string>,
  directory: {
    kind: folder,
    preset: "",
    text:
      "The folder of the flake inside the repository. An empty value means the top folder.",
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
      "What a sync does with a system that it built. `switch` activates it, checks its health, then makes it the boot default. `boot` only makes it the boot default. `test` activates it without changing the boot default. `build` only builds it.",
  } as Option<"switch" | "boot" | "test" | "build">,
  drift: {
    kind: choice("report", "correct"),
    preset: "report",
    text:
      "What to do if somebody switched the host by hand. `report` only reports it. `correct` activates the last good system again.",
  } as Option<"report" | "correct">,
  allowForcePush: {
    kind: flag,
    preset: false,
    text:
      "Whether a branch or tag may move to a revision that does not descend from the last deployed one.",
  } as Option<boolean>,
  shallow: {
    kind: flag,
    preset: true,
    text:
      "Whether to fetch only the commits since the last deployed one. `false` fetches the whole history, which a flake needs if it uses `self.revCount`.",
  } as Option<boolean>,
  sshKeyFile: {
    kind: path,
    text:
      "The private key for `ssh://` and scp-form remotes. Only root may be able to read it.",
  } as Option<string | undefined>,
  sshCertificateFile: {
    kind: path,
    text:
      "The certificate of `sshKeyFile`, if an authority signed the key. If it is not set, the file beside the key (`KEY-cert.pub`) is used.",
  } as Option<string | undefined>,
  knownHosts: {
    kind: path,
    text:
      "A `known_hosts` file that pins the keys of the Git server. If it is not set, the system's own files are used. An unknown key is refused in both cases.",
  } as Option<string | undefined>,
  tokenFile: {
    kind: path,
    text:
      "A file with the access token for `https://` remotes. Git reads the token through a credential helper. It never appears in an argument, a URL or a Git configuration.",
  } as Option<string | undefined>,
  username: {
    kind: text,
    preset: "git",
    text:
      "The user name that goes with the token. Most forges accept any name.",
  } as Option<string>,
  mirrors: {
    kind: mirrors,
    preset: [],
    text:
      "More URLs of the same repository, in order of preference after `repository`. Each item may have its own `sshKeyFile`, `knownHosts`, `tokenFile`, `username`, `certFile` and `keyFile` (like `tls.certFile` and `tls.keyFile`), e.g. `[{url: ssh://git@backup.example.org/infra.git, sshKeyFile: /etc/gitops-sync/backup-key}]`. The first URL that answers is used. A URL that is behind the deployed revision is skipped. A URL that asked for a pause (`Retry-After`) is skipped until the pause is over. All stored state refers to `repository`, whichever URL answered.",
    noFlag: true,
  } as Option<readonly Mirror[]>,
  "tls.certFile": {
    kind: path,
    text:
      "The certificate (PEM) with which this host identifies itself to an `https://` server.",
  } as Option<string | undefined>,
  "tls.keyFile": {
    kind: path,
    text:
      "The private key of `tls.certFile`, in PEM without a passphrase. If it is not set, the certificate file must also contain the key.",
  } as Option<string | undefined>,
  ...inputOptions,
  stateDirectory: {
    kind: path,
    preset: "/var/lib/gitops-sync",
    text:
      "The folder for state, history, the mirror of the repository and garbage-collection roots. It never contains a secret.",
  } as Option<string>,
  publishStatus: {
    kind: flag,
    preset: true,
    text:
      "Whether runs write `/run/gitops-sync-status/status.json`, with which `gitops-sync status` works for users other than root. The file contains the state of the host, hashes and times. It contains no text of a commit, no message and no URL.",
  } as Option<boolean>,
  ...verifyOptions,
  "nix.acceptFlakeConfig": {
    kind: flag,
    preset: false,
    text:
      "Whether to apply the flake's `nixConfig`. It can set other substituters and their keys, and further settings as root's own configuration of Nix can.",
  } as Option<boolean>,
  "nix.importFromDerivation": {
    kind: flag,
    preset: true,
    text:
      "Whether the evaluation may build derivations and read their results. If nix.conf forbids this (`allow-import-from-derivation`), it stays forbidden.",
  } as Option<boolean>,
  ...secretOptions,
  "build.options": {
    kind: texts,
    preset: [],
    text:
      'More arguments for `nixos-rebuild build`, e.g. `[--max-jobs, "1"]`. Each item is one argument; no shell is used.',
  } as Option<readonly string[]>,
  "build.from": {
    kind: choice("flake", "cache"),
    preset: "flake",
    text:
      "Where the system comes from. `flake` evaluates and builds it on this host. `cache` only fetches a system that was built elsewhere, whose store path `build.prebuilt` gives. Nix fetches it from its configured substituters and checks its signatures. With `cache`, this host evaluates and builds nothing.",
  } as Option<"flake" | "cache">,
  "build.file": {
    kind: folder,
    preset: "",
    text:
      "The file in `directory` to build instead of a flake, e.g. `default.nix`. Use it for a repository without a flake. Such a file can read more than the revision contains, so it is evaluated only in isolation from this host (`build.isolate`).",
  } as Option<string>,
  "build.attribute": {
    kind: attribute,
    preset: "",
    text:
      "The attribute of `build.file` that contains the host's NixOS configuration, e.g. `hosts.{host}`. Its `config.system.build.toplevel` is built. `{host}` is replaced with the value of `host`.",
  } as Option<string>,
  "build.prebuilt": {
    kind: prebuilt,
    preset: "systems/{host}",
    text:
      "Where `build.from: cache` finds the store path of the system. It is a file in the repository, or a URL whose response is the store path. `{host}` and `{revision}` are replaced.",
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

/** The options that are also flags. */
export const flagOptions: readonly OptionName[] = optionNames.filter((name) =>
  !options[name].noFlag
);

/**
 * Returns the flag of an option.
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
