/**
 * Lists the hosts of a revision. Nix evaluates it in the same way as a build.
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
import { hostNames } from "./host_names.ts";
import { NixLog } from "./log.ts";
import { isOffline } from "./store.ts";

/**
 * Returns the names below `nixosConfigurations` of a revision that may be
 * evaluated. It evaluates no host.
 *
 * @throws {SyncError} stage `build`: `no-hosts`, and those of
 * {@linkcode evaluation}.
 */
export async function hostsOf(run: Run, readable: Readable): Promise<string[]> {
  const log = new NixLog(isOffline);
  const request = requestFor(run, readable, (line) => log.line(line));
  await ensureDir(request.folder);
  const evaluating = await evaluation(run, readable, request);
  const { names, finished } = await hostNames(
    evaluating,
    request,
    request.onLine,
  );
  if (names) return names;
  const { summary, details } = log.failure();
  const revision = short(readable.commit.revision);
  throw new SyncError(
    `Cannot list the hosts of ${revision}: ${
      oneLine(summary || "Nix printed no answer", 300)
    }`,
    {
      stage: "build",
      reason: "no-hosts",
      next: "retry",
      details: details.length > 0 ? details : lastWords(finished),
      hints: [
        "Add a flake.nix with nixosConfigurations to the repository. If it is in a folder, set `directory` to that folder.",
      ],
    },
  );
}
