/**
 * `gitops-sync completions`: completions for bash, zsh and fish, made from the
 * list of commands.
 *
 * @module
 */
import { type ExitCode, exitCodes, usageError } from "../../base/errors.ts";
import { bash } from "../completions/bash.ts";
import { fish } from "../completions/fish.ts";
import { zsh } from "../completions/zsh.ts";
import { printJson } from "../output/json.ts";
import { printRaw } from "../output/print.ts";
import type { Call } from "../call.ts";

const shells = { bash, zsh, fish };

/** Runs the command. */
export function run(call: Call): Promise<ExitCode> {
  const [shell = ""] = call.operands;
  if (!Object.hasOwn(shells, shell)) {
    throw usageError(
      "unknown-shell",
      `Cannot make completions for "${shell}": expected bash, zsh or fish`,
      "Type, for example, `gitops-sync completions bash`.",
    );
  }
  const script = shells[shell as keyof typeof shells]();
  if (call.json) printJson("completions", exitCodes.ok, { shell, script });
  else printRaw(script);
  return Promise.resolve(exitCodes.ok);
}
