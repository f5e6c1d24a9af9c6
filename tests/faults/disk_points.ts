/**
 * The power is cut after each single write of a run to the disk of its state:
 * what every one of these leaves is mounted and looked at.
 *
 * @module
 */
import { Recorder } from "../host/recorder.ts";
import { makeRepository } from "../world/repository.ts";
import { output } from "../world/program.ts";
import { World } from "../world/world.ts";
import { nothingWrong, settings } from "./ground.ts";
import type { Fault, Result } from "./trial.ts";
import type { Bad } from "./verdict.ts";

/** As it stands in the table. */
export const diskPoints = "power is cut after a write to the disk";

/** What a run did, and when, as positions in what was written down. */
interface Told {
  revision: string;
  result: "deployed" | "failed" | "rolled-back";
  /** The candidate was about to be switched to. */
  switched: number;
  /** The run was over. */
  ended: number;
}

/** Runs once with a revision, and looks at the disk after each write. */
export async function tryDiskPoints(fault: Fault): Promise<Result[]> {
  await using recorder = await Recorder.make();
  await using world = await World.make();
  const state = world.path("/var/lib/gitops-sync");
  await output(["mount", "--bind", recorder.folder, state]);
  try {
    const begun = recorder.position();
    const told = await runOnce(world, recorder, fault.point);
    const results: Result[] = [];
    await recorder.replay(begun, async (folder, position) => {
      const { bad, evidence } = await lookAt(folder, position, told);
      results.push({ fault, bad, wasInjected: true, exit: 0, evidence });
    });
    return results;
  } finally {
    await output(["umount", state]);
  }
}

async function runOnce(
  world: World,
  recorder: Recorder,
  point: Fault["point"],
): Promise<Told> {
  const repository = await makeRepository(`${world.folder}/infra`);
  world.configure(repository, {
    ...settings,
    "health.commands": [["test", "!", "-e", "/run/ill"]],
  });
  // The first switch of the run in question is noted, before it does a thing.
  const begun = `${world.folder}/begun`, noted = `${world.folder}/noted`;
  const note =
    `[ ! -e ${begun} ] || [ -e ${noted} ] || stat -c %s ${recorder.log} >${noted}`;
  const publish = (greeting: string, activation: string) =>
    repository.publish(greeting, {
      knobs: { ...nothingWrong, greeting, activation },
    });
  const first = await publish("first", `${note}; rm -f /run/ill`);
  await world.sync("sync", "--now");
  const isBad = point === "way back";
  const second = await publish(
    "second",
    isBad ? `${note}; touch /run/ill` : note,
  );
  const isRollback = point === "rollback";
  if (isRollback) await world.sync("sync", "--now");
  await Deno.writeTextFile(begun, "");
  const args = isRollback ? ["rollback"] : ["sync", "--now"];
  const { code, stderr } = await world.sync(...args);
  if (code !== (isBad ? 7 : 0)) throw new Error(`exit ${code}: ${stderr}`);
  return {
    revision: isRollback ? first : second,
    result: isBad ? "failed" : isRollback ? "rolled-back" : "deployed",
    switched: Number(await Deno.readTextFile(noted)),
    ended: recorder.position(),
  };
}

/** What counts as bad on a disk, by itself. */
async function lookAt(
  folder: string,
  position: number,
  told: Told,
): Promise<{ bad: Bad[]; evidence: string }> {
  const text = await textOf(`${folder}/state.json`);
  const lines = await textOf(`${folder}/history.jsonl`) ?? "";
  const evidence = JSON.stringify({ position, told, text, lines });
  try {
    const bad: Bad[] = [];
    const state = text === undefined ? undefined : JSON.parse(text);
    const history = lines.split("\n").slice(0, -1).map((line) =>
      JSON.parse(line)
    );
    const { attempt, last } = state ?? {};
    const isTold = last?.revision === told.revision &&
      last.result === told.result;
    // Once it is switched, a run that begins has to find that out.
    const isKnown = isTold ||
      attempt?.touched === true && attempt.commit.revision === told.revision;
    if (position > told.switched && !isKnown) bad.push("unhealthy");
    if (position >= told.ended && !isTold) bad.push("not in the history");
    const isWritten = history.some(({ revision, result }) =>
      revision === told.revision && result === told.result
    );
    if (isTold && !isWritten) bad.push("not in the history");
    return { bad, evidence: bad.length > 0 ? evidence : "" };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { bad: ["unreadable"], evidence };
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
