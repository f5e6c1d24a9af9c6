/**
 * Fetches from the remote into the mirror, with limits on time, memory and
 * space: a server may send anything.
 *
 * @module
 */
import { exists } from "@std/fs";
import { type Command, type Finished, say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { writeWhole } from "../host/files.ts";
import { gitEnvironment, mostMemory } from "./git.ts";
import { headersOf } from "./headers.ts";
import { remoteFailure, unchecked } from "./failure.ts";
import { sizeOf } from "../process/watch.ts";
import { damaged, dropPartialPacks } from "./mirror.ts";
import type { Run } from "../run/run.ts";

/** The part of a run that a fetch needs. */
export type Fetching = Pick<Run, "effects" | "folder" | "remote">;

/** The file in which Git records how it spoke to the remote, during a fetch. */
const traceOf = ({ folder }: Pick<Run, "folder">) => `${folder}/fetch.trace`;

/**
 * Git's record that the remote spoke its protocol (trace2, since Git 2.34). A
 * remote can't write it: quotes in its messages are escaped there.
 */
const spokeGit = /"key":"negotiated-version"/;

const objectsOf = (mirror: string) => `${mirror}/.git/objects`;

/**
 * Fetches into the mirror, with limits on time and space.
 *
 * @param args Options and, without dashes, what to fetch.
 * @throws {SyncError} exit 3.
 */
export async function fetch(
  run: Fetching,
  mirror: string,
  args: readonly string[],
): Promise<void> {
  const { remote: config } = run;
  const command: Command = {
    program: "git",
    args: [
      "-C",
      mirror,
      "fetch",
      "--quiet",
      "--no-tags",
      "--no-write-fetch-head",
      "--no-recurse-submodules",
      // It would remove objects while their size is measured.
      "--no-auto-maintenance",
      // Also from a server with a shallow history.
      "--update-shallow",
      ...args.filter((arg) => arg.startsWith("--")),
      "--",
      config.repository,
      ...args.filter((arg) => !arg.startsWith("--")),
    ],
    env: {
      ...gitEnvironment(config, [["safe.directory", mirror]]),
      ...headersOf(config.repository),
      GIT_TRACE2_EVENT: traceOf(run),
    },
    timeout: config["timeouts.fetch"],
    limits: {
      memory: mostMemory,
      disk: {
        folder: objectsOf(mirror),
        most: config["limits.fetch"],
      },
    },
  };
  const finished = await checked(run, mirror, command);
  if (finished.code !== 0) throw remoteFailure(finished, config, "fetch");
  // Git skips packs that it can't read, and reports that.
  if (/^error: /m.test(finished.stderr)) {
    throw damaged(run, command, finished);
  }
}

/**
 * Runs a fetch, and removes the mirror if it got objects that Git has not
 * checked. Git only checks objects that come over its own protocol. Files of a
 * web server ("dumb HTTP", which only the server chooses) would be trusted
 * without a check ever after.
 */
async function checked(
  run: Fetching,
  mirror: string,
  command: Command,
): Promise<Finished> {
  const trace = traceOf(run);
  await writeWhole(trace, "");
  const before = sizeOf(objectsOf(mirror));
  const ended = await bounded(run, mirror, command).catch((error: Error) =>
    error
  );
  const isMore = sizeOf(objectsOf(mirror)) > before;
  const isUnchecked = isMore && !await isChecked(trace);
  if (isUnchecked) await Deno.remove(mirror, { recursive: true });
  // Last, so that the next run cleans up after an interruption here.
  await Deno.remove(trace);
  if (isUnchecked) throw unchecked(run.remote);
  if (ended instanceof Error) throw ended;
  return ended;
}

async function isChecked(trace: string): Promise<boolean> {
  return spokeGit.test(await Deno.readTextFile(trace));
}

/**
 * Removes a mirror that may contain unchecked objects of an interrupted run.
 */
export async function dropUnchecked(run: Run, mirror: string): Promise<void> {
  const trace = traceOf(run);
  if (!await exists(trace)) return;
  if (await exists(mirror) && !await isChecked(trace)) {
    say(
      run.effects,
      "notice",
      "A fetch was interrupted; creating a new mirror",
    );
    await Deno.remove(mirror, { recursive: true });
  }
  await Deno.remove(trace);
}

/** Ends a fetch that grows too large, and measures one that has finished. */
async function bounded(
  run: Fetching,
  mirror: string,
  command: Command,
): Promise<Finished> {
  const { folder, most } = command.limits!.disk!;
  try {
    const finished = await run.effects.run(command);
    if (sizeOf(folder) <= most) return finished;
  } catch (error) {
    if (!(error instanceof SyncError && error.reason === "limit")) throw error;
    await dropPartialPacks(mirror);
  }
  throw new SyncError(
    `Cannot fetch from ${run.remote.repository}: it sends more than limits.fetch allows, or Git needs too much memory for it`,
    {
      stage: "fetch",
      reason: "too-large",
      next: "retry",
      hints: [
        "if the repository is meant to be this large, raise limits.fetch",
      ],
    },
  );
}
