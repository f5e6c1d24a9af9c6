/**
 * What comes from the remote into the mirror, within bounds of time, memory
 * and space: a server may send what it likes.
 *
 * @module
 */
import type { Command, Finished } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { gitEnvironment, mostMemory } from "../tools/git.ts";
import { remoteFailure } from "../tools/git_failure.ts";
import { sizeOf } from "../tools/watch.ts";
import type { Run } from "./run.ts";

/**
 * Fetches into the mirror, within the bounds of time and space.
 *
 * @param args Options and, without dashes, what to fetch.
 * @throws {SyncError} exit 3.
 */
export async function fetch(
  run: Run,
  mirror: string,
  args: readonly string[],
): Promise<void> {
  const { config } = run;
  const finished = await bounded(run, {
    program: "git",
    args: [
      "-C",
      mirror,
      "fetch",
      "--quiet",
      "--no-tags",
      "--no-write-fetch-head",
      "--no-recurse-submodules",
      // From a server whose own history is cut off, too.
      "--update-shallow",
      ...args.filter((arg) => arg.startsWith("--")),
      "--",
      config.repository,
      ...args.filter((arg) => !arg.startsWith("--")),
    ],
    env: gitEnvironment(config, [["safe.directory", mirror]]),
    timeout: config["timeouts.fetch"],
    limits: {
      memory: mostMemory,
      disk: {
        folder: `${mirror}/.git/objects/pack`,
        most: config["limits.fetch"],
      },
    },
  });
  if (finished.code !== 0) throw remoteFailure(finished, config, "fetch");
}

/** Ends what grows too large, and looks at what was fast. */
async function bounded(run: Run, command: Command): Promise<Finished> {
  const { folder, most } = command.limits!.disk!;
  try {
    const finished = await run.effects.run(command);
    if (sizeOf(folder) <= most) return finished;
  } catch (error) {
    if (!(error instanceof SyncError && error.reason === "limit")) throw error;
    // What was cut off has left files that nobody needs.
    for await (const { name } of Deno.readDir(folder)) {
      if (name.startsWith("tmp_")) await Deno.remove(`${folder}/${name}`);
    }
  }
  throw new SyncError(
    `Cannot fetch from ${run.config.repository}: it sends more than limits.fetch, or what takes too much memory`,
    {
      stage: "fetch",
      reason: "too-large",
      next: "retry",
      hints: ["if the repository is meant to be so large, raise limits.fetch"],
    },
  );
}
