/**
 * Queries Nix whether the flake's own code failed by `throw` or `assert`.
 *
 * Nix before 2.12 does not mark such an error, and its text may come from
 * anywhere. So Nix evaluates again with `builtins.tryEval`, which only catches
 * these two (Nix manual, "Built-in Functions").
 *
 * @module
 */
import type { Command, Effects } from "../base/effects.ts";
import {
  type BuildRequest,
  flakeReference,
  toplevelOf,
} from "./nixos_rebuild.ts";

/** Returns whether the code of this revision certainly throws. */
export async function isThrown(
  effects: Pick<Effects, "run">,
  request: BuildRequest,
): Promise<boolean> {
  const { code, stdout } = await effects.run(question(request));
  return code === 0 && new TextDecoder().decode(stdout).trim() === "false";
}

function question(request: BuildRequest): Command {
  const { nix, env, folder, timeout, source } = request;
  const options = [
    ["extra-experimental-features", "nix-command flakes"],
    ["pure-eval", source ? "false" : "true"],
    ...nix,
  ].flatMap((option) => ["--option", ...option]);
  return {
    program: "nix-instantiate",
    args: [
      "--eval",
      "--json",
      ...options,
      "--expr",
      `(builtins.tryEval ${toplevelIn(request)}.drvPath).success`,
    ],
    cwd: folder,
    env,
    timeout,
  };
}

/** Returns the system as an expression of the Nix language. */
function toplevelIn(request: BuildRequest): string {
  const { source, host } = request;
  if (source) {
    // As nix-build calls a function: only with its defaults.
    const whole = `(let it = import ${
      inNix(source.file)
    }; in if builtins.isFunction it then it { } else it)`;
    return `${whole}.${toplevelOf(source)}`;
  }
  const flake = inNix(flakeReference(request));
  return `(builtins.getFlake ${flake}).nixosConfigurations.${
    inNix(host)
  }.config.system.build.toplevel`;
}

/** Returns a text as a string of the Nix language. */
function inNix(text: string): string {
  return `"${text.replace(/["\\]|\$\{/g, "\\$&")}"`;
}
