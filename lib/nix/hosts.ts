/**
 * Which hosts a revision has, asked of Nix in the way a build is.
 *
 * @module
 */
import { ensureDir } from "@std/fs";
import { SyncError } from "../base/errors.ts";
import { lastWords, oneLine, short } from "../base/text.ts";
import type { Run } from "../run/run.ts";
import type { Readable } from "../run/stages.ts";
import { requestFor } from "./build.ts";
import { evaluation } from "./evaluate.ts";
import { NixLog } from "./log.ts";
import { flakeReference } from "./nixos_rebuild.ts";
import { isOffline } from "./store.ts";

/**
 * The names below `nixosConfigurations` of a revision that may be evaluated.
 * No host is evaluated.
 *
 * @throws {SyncError} stage `build`: `no-hosts`, and those of
 * {@linkcode evaluation}.
 */
export async function hostsOf(run: Run, readable: Readable): Promise<string[]> {
  const log = new NixLog(isOffline);
  const request = requestFor(run, readable, (line) => log.line(line));
  await ensureDir(request.folder);
  const evaluating = await evaluation(run, readable, request);
  const { folder: cwd, env, timeout, onLine, nix } = request;
  const finished = await evaluating.run({
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
  const names = namesIn(new TextDecoder().decode(finished.stdout));
  if (finished.code === 0 && names) return names;
  const { summary, details } = log.failure();
  const revision = short(readable.commit.revision);
  throw new SyncError(
    `Cannot read the hosts of ${revision}: ${
      oneLine(summary || "Nix does not answer", 300)
    }`,
    {
      stage: "build",
      reason: "no-hosts",
      next: "retry",
      details: details.length > 0 ? details : lastWords(finished),
      hints: [
        "the repository needs a flake.nix with nixosConfigurations; directory names the folder that it is in",
      ],
    },
  );
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
