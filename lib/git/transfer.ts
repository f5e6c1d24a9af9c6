/**
 * What comes from the remote into the mirror, within bounds of time, memory
 * and space: a server may send what it likes.
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
import { damaged, dropHalfPacks } from "./mirror.ts";
import type { Run } from "../run/run.ts";

/** What a fetch needs of a run. */
export type Fetching = Pick<Run, "effects" | "folder" | "remote">;

/** Where Git notes how it spoke to the remote, as long as a fetch lasts. */
const traceOf = ({ folder }: Pick<Run, "folder">) => `${folder}/fetch.trace`;

/**
 * Git's note that the remote spoke its protocol (trace2, since Git 2.34). No
 * remote can write it: quotes in its words are escaped there.
 */
const spokeGit = /"key":"negotiated-version"/;

const objectsOf = (mirror: string) => `${mirror}/.git/objects`;

/**
 * Fetches into the mirror, within the bounds of time and space.
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
      // It would make objects fewer while they are measured.
      "--no-auto-maintenance",
      // From a server whose own history is cut off, too.
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
  // Git passes over packs that it can't read, and says so.
  if (/^error: /m.test(finished.stderr)) {
    throw damaged(run, command, finished);
  }
}

/**
 * Git checks objects that come by its own protocol alone: what a web server
 * gives as files ("dumb HTTP"), and it alone says what it speaks, would be
 * believed unseen ever after. So a mirror with such objects goes at once.
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
  // Last, so that what cuts us off here is made up for by the next run.
  await Deno.remove(trace);
  if (isUnchecked) throw unchecked(run.remote);
  if (ended instanceof Error) throw ended;
  return ended;
}

async function isChecked(trace: string): Promise<boolean> {
  return spokeGit.test(await Deno.readTextFile(trace));
}

/** Removes a mirror if it may hold what came unchecked in a run cut off. */
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

/** Ends what grows too large, and looks at what was fast. */
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
    await dropHalfPacks(mirror);
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
