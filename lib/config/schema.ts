/**
 * The only list of options: validation, flags, `--help`, `docs/options.md` and
 * the NixOS module all come from it.
 *
 * @module
 */
import { prebuilt } from "./checks.ts";
import {
  choice,
  duration,
  flag,
  folder,
  host,
  number,
  path,
  ref,
  remote,
  size,
  text,
  texts,
} from "./kinds.ts";
import type { Option } from "./option.ts";
import { deploymentOptions } from "./schema_deployment.ts";
import { secretOptions, verifyOptions } from "./schema_trust.ts";

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
  "build.prebuilt": {
    kind: prebuilt,
    preset: "systems/{host}",
    text:
      "Where `build.from: cache` finds the store path of the system: a file in the repository, or a URL that answers with it. `{host}` and `{revision}` are replaced.",
  } as Option<string>,
  ...deploymentOptions,
  keep: {
    kind: number,
    preset: 5,
    text:
      "How many earlier good systems stay protected from garbage collection, so that `rollback --to` can reach them.",
  } as Option<number>,
  retries: {
    kind: number,
    preset: 2,
    text:
      "How often a run asks the remote again, with a growing pause, before it gives up until the next run.",
  } as Option<number>,
  "limits.fetch": {
    kind: size,
    preset: "8G",
    text:
      "How large the mirror of the repository may grow while something is fetched into it.",
  } as Option<number>,
  "preflight.freeSpace": {
    kind: size,
    preset: "1G",
    text:
      "The free space that the file system of `/nix` must have, and must keep beside all that Nix says it will fetch (Nix 2.26 and newer do), or nothing is fetched and built.",
  } as Option<number>,
  "preflight.battery": {
    kind: number,
    preset: 20,
    text:
      "The charge in percent below which nothing is deployed while the machine runs on its battery; `0`: whatever the charge.",
  } as Option<number>,
  "timeouts.remote": {
    kind: duration,
    preset: "1m",
    text: "The longest that asking the remote may take.",
  } as Option<number>,
  "timeouts.fetch": {
    kind: duration,
    preset: "30m",
    text: "The longest that fetching may take.",
  } as Option<number>,
  "timeouts.secrets": {
    kind: duration,
    preset: "5m",
    text: "The longest that the check of all secrets may take.",
  } as Option<number>,
  "timeouts.vault": {
    kind: duration,
    preset: "15s",
    text:
      "How long `vault-agent` asks a server again that is sealed, busy or out of reach, before a decrypt call fails.",
  } as Option<number>,
  "timeouts.build": {
    kind: duration,
    preset: "6h",
    text: "The longest that evaluating and building may take.",
  } as Option<number>,
  "timeouts.activate": {
    kind: duration,
    preset: "15m",
    text: "The longest that one activation may take before it is rolled back.",
  } as Option<number>,
  "timeouts.health": {
    kind: duration,
    preset: "2m",
    text:
      "How long after an activation units may take to start, and everything else that is looked at to be well.",
  } as Option<number>,
  "timeouts.hooks": {
    kind: duration,
    preset: "5m",
    text: "The longest that one command of a hook may take.",
  } as Option<number>,
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
