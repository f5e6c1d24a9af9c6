/**
 * Builds the commands for `nixos-rebuild build`, which changes nothing.
 *
 * @module
 */
import type { Command } from "../base/effects.ts";

/** What to build, and where to put the result link. */
export interface BuildRequest {
  /** The mirror's folder. */
  mirror: string;
  revision: string;
  /** The flake's folder in the repository, or empty. */
  directory: string;
  host: string;
  /** A file that is built instead of a flake. */
  source?: Source;
  submodules: boolean;
  shallow: boolean;
  /** Whether to ignore Nix's caches of downloads. */
  refresh: boolean;
  /** Settings of Nix, which override nix.conf. */
  nix: readonly (readonly [string, string])[];
  /** More arguments from the configuration. */
  options: readonly string[];
  /** The folder of the link `result`. */
  folder: string;
  /** Milliseconds. */
  timeout: number;
  /** The settings of Git for the inputs that Nix fetches. */
  env: Readonly<Record<string, string>>;
  onLine: (line: string) => void;
}

/** A file of the revision that is built instead of a flake. */
export interface Source {
  /** The file, in the store. */
  file: string;
  /** The attribute that is a NixOS system; empty for the whole file. */
  attribute: string;
}

/**
 * Returns the flake reference of exactly one revision (nix3-flake(1),
 * "git+file"). It always has `rev`: with only a ref, Nix may use an older
 * commit from its cache.
 */
export function flakeReference(
  request: Pick<
    BuildRequest,
    "mirror" | "revision" | "directory" | "submodules" | "shallow"
  >,
): string {
  const parameters = [`rev=${request.revision}`];
  if (request.directory) {
    parameters.push(`dir=${encodeURIComponent(request.directory)}`);
  }
  if (request.submodules) parameters.push("submodules=1");
  if (request.shallow) parameters.push("shallow=1");
  const path = encodeURI(request.mirror).replace(/[?#]/g, encodeURIComponent);
  return `git+file://${path}?${parameters.join("&")}`;
}

/**
 * Returns the command that builds a host. An outdated lock file is an error, so
 * that a revision gives the same system on every host and every day.
 */
export function buildCommand(request: BuildRequest): Command {
  const { source } = request;
  return {
    program: "nixos-rebuild",
    args: [
      "build",
      ...source
        ? fileArguments(source)
        : ["--flake", `${flakeReference(request)}#${request.host}`],
      "--log-format",
      "internal-json",
      // nix-build, which builds a file, has neither of the two flags for
      // flakes.
      ...source ? [] : ["--no-update-lock-file"],
      // Only with this flag, Nix marks the errors of the evaluator.
      "--show-trace",
      ...request.refresh && !source ? ["--refresh"] : [],
      ...request.nix.flatMap(([name, value]) => ["--option", name, value]),
      ...request.options,
    ],
    cwd: request.folder,
    env: request.env,
    timeout: request.timeout,
    capture: false,
    onLine: request.onLine,
  };
}

/**
 * Returns the arguments of nixos-rebuild for a file. The version in Bash
 * refuses an empty attribute, and first builds the Nix of the file, unless this
 * flag is given. The version in Python never does.
 */
function fileArguments({ file, attribute }: Source): string[] {
  return [
    ...["--file", file],
    ...attribute === "" ? [] : ["--attr", attribute],
    "--no-build-nix",
  ];
}

/** Returns the attribute that is built, as nixos-rebuild does. */
export function toplevelOf({ attribute }: Source): string {
  const toplevel = "config.system.build.toplevel";
  return attribute === "" ? toplevel : `${attribute}.${toplevel}`;
}

/**
 * Returns the command that copies the files of a revision to the store, as they
 * are in Git, with the same part of Nix as flakes.
 */
export function sourceCommand(request: BuildRequest): Command {
  return {
    ...buildCommand(request),
    program: "nix",
    args: [
      ...["--extra-experimental-features", "nix-command flakes"],
      ...["flake", "prefetch", "--json", "--log-format", "internal-json"],
      ...["--option", "flake-registry", ""],
      flakeReference({ ...request, directory: "" }),
    ],
  };
}

/**
 * Returns the command that evaluates a host without building it. It prints the
 * path of the derivation, for a build by somebody else.
 */
export function drvCommand(request: BuildRequest): Command {
  const { source } = request;
  if (source) {
    return {
      ...buildCommand(request),
      program: "nix-instantiate",
      args: [
        ...["--log-format", "internal-json", "--show-trace"],
        ...[source.file, "--attr", toplevelOf(source)],
        ...request.nix.flatMap(([name, value]) => ["--option", name, value]),
        ...request.options,
      ],
    };
  }
  return {
    ...buildCommand(request),
    program: "nix",
    args: [
      ...["--extra-experimental-features", "nix-command flakes"],
      ...["eval", "--raw", "--log-format", "internal-json"],
      ...["--no-update-lock-file", "--show-trace"],
      ...request.refresh ? ["--refresh"] : [],
      `${
        flakeReference(request)
      }#nixosConfigurations."${request.host}".config.system.build.toplevel.drvPath`,
      ...request.nix.flatMap(([name, value]) => ["--option", name, value]),
      ...request.options,
    ],
  };
}
