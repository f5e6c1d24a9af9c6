/**
 * A trial: a host in order, one fault or some in a row, and what is left.
 *
 * @module
 */
import type { Ended, Program } from "../world/program.ts";
import type { Candidate } from "./candidates.ts";
import { callKinds } from "./calls.ts";
import { statusIn, type Story, wrongOf } from "./explain.ts";
import { type Facts, factsOf, fire } from "./facts.ts";
import type { Ground } from "./ground.ts";
import { momentKinds } from "./kinds.ts";
import type { Kind, Point, Scene } from "./points.ts";
import { begin, comes, type Course } from "./moment.ts";
import { type Bad, type Circumstances, isInOrder, judge } from "./verdict.ts";

/** One fault to inject. */
export interface Fault {
  place: "machine" | "world";
  /** The name of its kind or its candidate. */
  name: string;
  point: Point | "candidate";
  seed: number;
}

/** What came of it. */
export interface Result {
  fault: Fault;
  bad: Bad[];
  /** `false`: the run was over before, or never met it. */
  wasInjected: boolean;
  /** How the program ended, and evidence where something is bad. */
  exit: number;
  evidence: string;
}

/** All kinds that have a moment in a run. */
export const kinds: readonly Kind[] = [...momentKinds, ...callKinds];

/**
 * Injects a fault at its point, others while the next runs recover from it, and
 * then has the host put in order.
 *
 * @param more How many others; by default the seed says.
 */
export async function inject(
  ground: Ground,
  kind: Kind,
  fault: Fault & { point: Point },
  more = 2 + fault.seed % 3,
): Promise<Result[]> {
  const { name, point, seed } = fault;
  const random = randomOf(`${name} ${point} ${seed} ${ground.place}`);
  let course = await begin(ground, point, seed, random);
  // What an earlier fault did is still told, and still there.
  const before = [kind];
  const results = [await one(ground, before, fault, course, random)];
  for (let left = more; left > 0; left--) {
    if (results.at(-1)!.bad.length > 0) return results;
    // Where nothing is left to recover from, there is another commit.
    course = isOver(await factsOf(ground.host), course.revision)
      ? await begin(
        ground,
        random() < 0.4 ? "way back" : "any call",
        seed,
        random,
      )
      : { ...course, args: ["sync", "--now"] };
    const all = kinds.filter(({ places, at }) =>
      places.includes(ground.place) && (at?.includes("recovery") ?? true)
    );
    const other = all[Math.floor(random() * all.length)]!;
    const next = {
      place: ground.place,
      name: other.name,
      point: "recovery" as const,
      seed,
    };
    before.push(other);
    results.push(await one(ground, before, next, course, random));
  }
  if (results.at(-1)!.bad.length > 0) return results;
  return [
    ...results.slice(0, -1),
    await healed(ground, results.at(-1)!, course),
  ];
}

/** Whether the next run has nothing to do. */
function isOver(facts: Facts, revision: string): boolean {
  const isHeld = facts.held.some((hold) => hold.revision === revision);
  return isInOrder(facts, revision) || isHeld && facts.attempt === null;
}

/** Tries a candidate that is bad by itself. */
export async function tryCandidate(
  ground: Ground,
  candidate: Candidate,
  fault: Fault,
): Promise<Result> {
  const isGood = candidate.mayBeDeployed === true;
  const revision = await ground.publish(candidate.knobs, isGood);
  const course = {
    args: ["sync", "--now"],
    revision,
    own: candidate.explains,
  };
  const since = ground.host.calls().length;
  const ended = await ground.start(course.args).ended;
  await ground.host.run(["rm", "-rf", "/run/current-system.new"]);
  const result = await looked(ground, fault, course, ended, {
    since,
    story: { faults: [candidate.explains] },
    seed: fault.seed,
  });
  return result.bad.length > 0 ? result : await healed(ground, result, course);
}

/** Starts a run, injects the last of these faults, and looks at the host. */
async function one(
  ground: Ground,
  all: readonly Kind[],
  fault: Fault & { point: Point },
  course: Course,
  random: () => number,
): Promise<Result> {
  const kind = all.at(-1)!;
  const { point, seed } = fault;
  const options = await kind.arm?.({ ground, random }) ?? {};
  const since = ground.host.calls().length;
  const run = ground.start(course.args, options);
  const scene: Scene = { ground, random, signal: run.signal };
  let wasInjected = false;
  if (kind.inject) {
    wasInjected = await comes(ground, point, run, seed, random, since);
    if (wasInjected) await kind.inject(scene);
  }
  const ended = await endOf(run);
  if (kind.hit) wasInjected = await kind.hit(scene, ended);
  if (wasInjected || !kind.inject) await kind.repair?.(scene);
  const result = await looked(ground, fault, course, ended, {
    since,
    mayDiffer: all.some(({ mayDiffer }) => mayDiffer === true),
    story: { faults: all.map(({ explains }) => explains) },
    seed,
  });
  return { ...result, wasInjected };
}

/** A run that does not end is bad, and must not stop the campaign. */
async function endOf(run: Program): Promise<Ended> {
  try {
    return await run.ended;
  } catch (error) {
    return { code: -1, stdout: "", stderr: (error as Error).message };
  }
}

async function looked(
  ground: Ground,
  fault: Fault,
  course: Course,
  { code, stdout, stderr }: Ended,
  { since, mayDiffer = false, story, seed }: {
    since: number;
    mayDiffer?: boolean;
    story: Pick<Story, "faults">;
    seed: number;
  },
): Promise<Result> {
  const { host } = ground;
  const facts = await factsOf(host);
  const good = course.wasGood
    ? new Set([...ground.good, course.revision])
    : ground.good;
  const judged = (facts: Facts, circumstances: Circumstances = {}): Bad[] => {
    // What did not come up well is still to be left.
    const seen = course.wasGood
      ? { ...facts, failedUnits: [], missingUnits: [] }
      : facts;
    return judge(seen, good, circumstances);
  };
  const help = code === 8 ? { help: { said: stderr } } : {};
  const bad = judged(facts, { ...help, mayDiffer, since });
  if (code === -1) bad.push("never ended");
  if (hasStack(stderr)) bad.push("a stack");
  const { revision, own } = course;
  // Half of those with nothing to tell are not asked, which takes as long as all.
  const isQuiet = seed % 2 === 0 && code === 0 && isInOrder(facts, revision);
  const status = isQuiet
    ? undefined
    : await ground.start(["status", "--json"]).ended;
  const wrong = status && wrongOf(statusIn(status.stdout), facts, {
    revision,
    exit: code,
    said: stderr,
    ...own && { own },
    ...story,
  });
  if (wrong) bad.push("unexplained");
  const alone = bad.length > 0
    ? undefined
    : await leftAlone(ground, facts, seed);
  if (alone && judged(alone, { mayDiffer, since: Infinity }).length > 0) {
    bad.push("no way back");
  }
  return {
    fault,
    bad,
    wasInjected: true,
    exit: code,
    evidence: bad.length === 0 ? "" : JSON.stringify(
      { course, code, stdout, stderr, facts, wrong, status, alone },
      null,
      1,
    ),
  };
}

/** Nobody comes to help: the dead-man's switch fires, or the power goes. */
async function leftAlone(
  ground: Ground,
  { guard, hasSystemd }: Facts,
  seed: number,
): Promise<Facts | undefined> {
  if (!hasSystemd) return undefined;
  if (guard && seed % 2 === 1) await fire(ground.machine);
  else if (seed % 7 === 3) await ground.powerCut();
  else return undefined;
  return await factsOf(ground.host);
}

/** With the cause gone, the next run and a good commit put all in order. */
async function healed(
  ground: Ground,
  result: Result,
  course: Course,
): Promise<Result> {
  if (course.args[0] === "suspend" || /suspended/.test(String(course.own))) {
    await ground.start(["resume"]).ended;
  }
  const next = await endOf(ground.start(["sync", "--now"]));
  const later = await factsOf(ground.host);
  const bad = judge(later, ground.good);
  if (next.code === -1) bad.push("never ended");
  if (hasStack(next.stderr)) bad.push("a stack");
  const wasHeld = later.held.find(({ revision, reason }) =>
    ground.good.has(revision) && !mayHold.includes(reason)
  );
  if (wasHeld) bad.push("held wrongly");
  const isDone = bad.length === 0 && isInOrder(later, course.revision);
  const notHealed = isDone ? undefined : await ground.putInOrder();
  if (notHealed) bad.push("not healed");
  return {
    ...result,
    bad: [...new Set([...result.bad, ...bad])],
    evidence: bad.length === 0
      ? result.evidence
      : JSON.stringify({ course, next, later, wasHeld, notHealed }, null, 1),
  };
}

/**
 * Reasons that a good revision may be held for, whatever the host did. A builder
 * that fails at a call of its own does not say why.
 */
const mayHold = [
  "cut-off",
  "dead-mans-switch",
  "rolled-back",
  "builder-failed",
];

function hasStack(said: string): boolean {
  return /^ +at .*\.ts:\d+/m.test(said);
}

/** Numbers from 0 to 1 that are the same for the same text (mulberry32). */
export function randomOf(text: string): () => number {
  let state = 0;
  for (const char of text) {
    state = Math.imul(state ^ char.charCodeAt(0), 16777619);
  }
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
