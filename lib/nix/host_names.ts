/**
 * Queries Nix for the names of the hosts that a flake has.
 *
 * @module
 */
import type { Effects, Finished } from "../base/effects.ts";
import { type BuildRequest, flakeReference } from "./nixos_rebuild.ts";

/** The answer of Nix. */
export interface HostNames {
  /** The names below `nixosConfigurations`; `undefined` if Nix failed. */
  names: string[] | undefined;
  finished: Finished;
}

/** Reads the names below `nixosConfigurations`. It evaluates no host. */
export async function hostNames(
  effects: Pick<Effects, "run">,
  request: BuildRequest,
  onLine: (line: string) => void = () => {},
): Promise<HostNames> {
  const { folder: cwd, env, timeout, nix } = request;
  const finished = await effects.run({
    program: "nix",
    args: [
      ...["--extra-experimental-features", "nix-command flakes"],
      ...["eval", "--json", "--log-format", "internal-json"],
      "--no-update-lock-file",
      `${flakeReference(request)}#nixosConfigurations`,
      ...["--apply", "builtins.attrNames"],
      ...nix.flatMap(([name, value]) => ["--option", name, value]),
    ],
    cwd,
    env,
    timeout,
    onLine,
  });
  const answer = new TextDecoder().decode(finished.stdout);
  const names = finished.code === 0 ? namesIn(answer) : undefined;
  return { names, finished };
}

function namesIn(answer: string): string[] | undefined {
  try {
    const names = JSON.parse(answer);
    return Array.isArray(names) && names.every((one) => typeof one === "string")
      ? names
      : undefined;
  } catch {
    return undefined;
  }
}
