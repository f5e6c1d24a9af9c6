/**
 * The runs that faults come to, and the moments at which they do.
 *
 * @module
 */
import type { Program } from "../world/program.ts";
import type { Knobs } from "../world/repository.ts";
import type { Ground } from "./ground.ts";
import { type Point, stages } from "./points.ts";

/** A run that is about to begin. */
export interface Course {
  args: readonly string[];
  /** What the branch names. */
  revision: string;
  /** What `status` says where the revision itself is unfit, or is left. */
  own?: RegExp;
  /** It was good when it was deployed, and is not since a reboot. */
  wasGood?: true;
}

/** Milliseconds within which a fault comes after its point was reached. */
const spans: Readonly<Record<Point, number>> = {
  "fetch": 80,
  "verify": 3,
  "secrets": 5,
  "build": 300,
  "prove": 5,
  "activate": 600,
  "health": 40,
  "confirm": 250,
  "way back": 500,
  "any call": 0,
  "recovery": 1000,
  "rollback": 1200,
  "accept": 300,
  "suspend": 300,
  "retry": 1500,
  "reboot": 1500,
  "first run": 1500,
};

/** Makes a host ready for a run. */
export async function begin(
  ground: Ground,
  point: Point,
  seed: number,
  random: () => number,
): Promise<Course> {
  const pause = () => Math.round(random() * 30) / 100;
  const delays = { build: `sleep ${pause()}`, hang: pause(), hangAfter: 0 };
  const sync = ["sync", "--now"];
  const bad = async (knobs: Knobs, own: RegExp): Promise<Course> => ({
    args: sync,
    revision: await ground.publish({ ...delays, ...knobs }, false),
    own,
  });
  const good = async (args = sync): Promise<Course> => ({
    args,
    revision: await ground.publish(delays, true),
  });
  switch (point) {
    case "any call":
      return await good();
    case "way back":
      return await bad(ground.bad, ground.explainsBad);
    case "rollback": {
      const revision = await ground.publish({}, true);
      await ground.start(sync).ended;
      return { args: ["rollback"], revision, own: /[Rr]olled back|held/ };
    }
    case "accept": {
      const course = await good();
      return { ...course, args: ["accept", course.revision], own: notYet };
    }
    case "suspend":
      return {
        ...await good(["suspend", "--for", "1h"]),
        own: /suspended|is not deployed yet/,
      };
    case "retry": {
      const course = await bad(ground.bad, ground.explainsBad);
      await ground.start(sync).ended;
      return { ...course, args: ["retry"] };
    }
    case "reboot":
      return await comeUpUnwell(ground);
    case "first run":
      await ground.host.output([
        "find",
        ground.stateFolder,
        "-mindepth",
        "1",
        "-delete",
      ]);
      return seed % 2 === 0
        ? await good()
        : await bad(ground.bad, ground.explainsBad);
    case "confirm":
      // One that is well, and whose bootloader fails.
      return seed % 3 === 2
        ? await bad({ exit: { boot: 1 } }, /the boot default/)
        : await good();
    default:
      return seed % 3 === 2
        ? await bad(ground.bad, ground.explainsBad)
        : await good();
  }
}

const notYet = /is not deployed yet/;

/** A system that runs well only as long as nothing was booted with it. */
async function comeUpUnwell(ground: Ground): Promise<Course> {
  const command = "test -e /run/warm || exit 3; exec sleep 600";
  ground.host.write("/run/warm", "");
  const revision = await ground.publish({
    services: { web: { command, type: "simple" } },
  }, false);
  await ground.start(["sync", "--now"]).ended;
  await ground.powerCut();
  return {
    args: ["sync", "--now"],
    revision,
    own: /was not healthy after a reboot|1 unit failed: web\.service|blocked/,
    wasGood: true,
  };
}

/**
 * Waits for the moment of a fault: some time after the beginning of a stage, or
 * its very end.
 *
 * @returns `false` where the run was over before.
 */
export async function comes(
  ground: Ground,
  point: Point,
  run: Program,
  seed: number,
  random: () => number,
  since: number,
): Promise<boolean> {
  let isOver = false;
  run.ended.finally(() => isOver = true).catch(() => {});
  const stage = stages.indexOf(point as (typeof stages)[number]);
  if (stage >= 0) {
    const isThere = () =>
      reached(ground, point, stage) || isSwitched(ground, point, since);
    while (!isOver && !isThere()) await sleep(2);
    if (!isOver && seed % 4 === 1 && point !== "way back") {
      while (!isOver && isAt(ground, point)) await sleep(2);
      return !isOver;
    }
  }
  const end = performance.now() + random() * spans[point];
  while (!isOver && performance.now() < end) await sleep(5);
  await sleep(0);
  return !isOver;
}

function reached(ground: Ground, point: Point, stage: number): boolean {
  const attempt = journalOf(ground);
  if (point === "way back") return attempt?.undoing === true;
  const at = stages.findIndex((one) => one === attempt?.stage);
  return at >= stage;
}

/** The switch itself tells it too, whatever the journal says. */
function isSwitched(ground: Ground, point: Point, since: number): boolean {
  const action = { activate: "test", confirm: "boot" }[point as string];
  return action !== undefined &&
    ground.host.calls().slice(since).some((call) => call.action === action);
}

function isAt(ground: Ground, point: Point): boolean {
  return journalOf(ground)?.stage === point;
}

/** What the journal says; nothing where a fault keeps it from being read. */
function journalOf(ground: Ground) {
  try {
    return ground.host.state()?.attempt;
  } catch {
    return undefined;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
