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
  return {
    program: "nixos-rebuild",
    args: [
      "build",
      "--flake",
      `${flakeReference(request)}#${request.host}`,
      "--log-format",
      "internal-json",
      "--no-update-lock-file",
      // Only so does Nix mark which errors are the evaluator's.
      "--show-trace",
      ...request.refresh ? ["--refresh"] : [],
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
 * The command that evaluates a host and builds nothing: it prints the path of
 * the derivation. For builds by somebody else.
 */
export function drvCommand(request: BuildRequest): Command {
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
