/**
 * `nixos-rebuild build`, which evaluates and builds and changes nothing.
 *
 * @module
 */
import type { Command } from "../base/effects.ts";

/** What to build, and where its result link goes. */
export interface BuildRequest {
  /** The mirror's folder. */
  mirror: string;
  revision: string;
  /** The flake's folder in the repository, or empty. */
  directory: string;
  host: string;
  /** What is built in place of a flake. */
  source?: Source;
  submodules: boolean;
  shallow: boolean;
  /** Whether to take nothing from Nix's caches of what it downloaded. */
  refresh: boolean;
  /** Settings of Nix, which beat those of nix.conf. */
  nix: readonly (readonly [string, string])[];
  /** More arguments from the configuration. */
  options: readonly string[];
  /** The folder in which `result` is made. */
  folder: string;
  /** Milliseconds. */
  timeout: number;
  /** Git's settings for the inputs that Nix fetches. */
  env: Readonly<Record<string, string>>;
  onLine: (line: string) => void;
}

/** A file of the revision that is built in place of a flake. */
export interface Source {
  /** The file, in the store. */
  file: string;
  /** Which of its attributes is a NixOS; empty: the whole. */
  attribute: string;
}

/**
 * The flake reference of exactly one revision (nix3-flake(1), "git+file").
 * `rev` is always given: with a name alone Nix may serve an older commit from
 * its cache.
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
 * The command that builds a host. The lock file is taken as it stands: one
 * that is out of date is an error, so that the same revision is the same
 * system on every host and every day.
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
      // nix-build, which builds a file, knows neither of the two for flakes.
      ...source ? [] : ["--no-update-lock-file"],
      // Only so does Nix mark which errors are the evaluator's.
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
 * What nixos-rebuild gets for a file. The one in Bash refuses an empty
 * attribute, and builds the Nix that the file names before anything else,
 * unless it is told not to; the one in Python never does.
 */
function fileArguments({ file, attribute }: Source): string[] {
  return [
    ...["--file", file],
    ...attribute === "" ? [] : ["--attr", attribute],
    "--no-build-nix",
  ];
}

/** The attribute that is built, as nixos-rebuild makes it. */
export function toplevelOf({ attribute }: Source): string {
  const toplevel = "config.system.build.toplevel";
  return attribute === "" ? toplevel : `${attribute}.${toplevel}`;
}

/**
 * The command that brings the files of a revision to the store, as they are in
 * Git: a part of Nix that flakes and their files go through, too.
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
 * The command that evaluates a host and builds nothing: it prints the path of
 * the derivation. For builds by somebody else.
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
