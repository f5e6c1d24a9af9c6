/**
 * The fault campaign: `./dev faults [--seeds N] [--minutes N] [--hosts N]
 * [--only PATTERN] [--place machine|world]`.
 *
 * Every kind of fault at every point of a run, and every bad revision, with a
 * number of seeds, which decide the moment, what is on its way, and which faults
 * follow. Prints a table in Markdown, what was bad with its evidence, and exits 1
 * if anything was. Ctrl-C ends it early: the table then tells what was tried.
 *
 * `--keep FILE` adds each result to a file, and leaves out what went well there; `--table FILE` prints the table of
 * all that is in it.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { existsSync } from "node:fs";
import { Disk } from "../host/disk.ts";
import { Recorder } from "../host/recorder.ts";
import { clockRefusal } from "../machine/clock.ts";
import { Machine } from "../machine/machine.ts";
import { World } from "../world/world.ts";
import { candidates } from "./candidates.ts";
import { diskPoints, tryDiskPoints } from "./disk_points.ts";
import type { Ground } from "./ground.ts";
import { MachineGround, WorldGround } from "./grounds.ts";
import { type Point, points } from "./points.ts";
import type { Bad } from "./verdict.ts";
import { tableOf } from "./table.ts";
import {
  type Fault,
  inject,
  kinds,
  randomOf,
  type Result,
  tryCandidate,
} from "./trial.ts";

/** A host is tried so often; then a new one begins. */
const mostOnOneHost = 40;

/** Only after another fault, or only where there is a boot. */
const never = {
  machine: ["recovery"],
  world: ["recovery", "reboot"],
};

/** All faults with this number of seeds, the points of a run in turn. */
export function allFaults(
  seeds: number,
  first = 1,
): Fault[] {
  const faults: Fault[] = [];
  for (let seed = first; seed < first + seeds; seed++) {
    for (const place of ["machine", "world"] as const) {
      // Point by point, so that one kind is not tried on one host alone.
      for (const point of points) {
        if (never[place].includes(point)) continue;
        for (const { name, places, at, inject } of kinds) {
          if (!places.includes(place)) continue;
          // What a run meets by itself has no stage.
          const all = at ?? (inject ? points : []);
          if (point === "any call" && inject) continue;
          if (all.includes(point)) faults.push({ place, name, point, seed });
        }
      }
    }
    for (const point of ["any call", "way back", "rollback"] as const) {
      faults.push({ place: "world", name: diskPoints, point, seed });
    }
    for (const { name } of candidates) {
      faults.push({ place: "machine", name, point: "candidate", seed });
    }
  }
  return faults;
}

/** In another order, always the same, so that a part tells of all kinds. */
function mixed(faults: readonly Fault[]): Fault[] {
  const random = randomOf("campaign");
  return faults.map((fault) => ({ fault, at: fault.seed + random() }))
    .sort((a, b) => a.at - b.at).map(({ fault }) => fault);
}

/** Why no faults can be injected here, or `null`. */
export async function refusal(): Promise<string | null> {
  return await Machine.refusal() ?? await World.refusal() ??
    await Disk.refusal() ?? await Recorder.refusal() ?? await clockRefusal();
}

/**
 * Injects faults on some hosts at once, until it is over.
 *
 * @param hosts How many of each place.
 * @param more How many faults follow each; by default its seed says.
 */
export async function campaign(
  faults: readonly Fault[],
  isOver: () => boolean,
  tell: (result: Result) => void,
  { hosts = 1, more }: { hosts?: number; more?: number } = {},
): Promise<Result[]> {
  const all = (["machine", "world"] as const).flatMap((place) => {
    const left = faults.filter((fault) => fault.place === place);
    return Array.from(
      { length: hosts },
      () => onHosts(place, left, isOver, tell, more),
    );
  });
  return (await Promise.all(all)).flat();
}

/** Takes one fault after the other, on one host after the other. */
async function onHosts(
  place: Fault["place"],
  left: Fault[],
  isOver: () => boolean,
  tell: (result: Result) => void,
  more?: number,
): Promise<Result[]> {
  const results: Result[] = [];
  const { make } = place === "machine" ? MachineGround : WorldGround;
  while (left.length > 0 && !isOver()) {
    await using ground: Ground = await make();
    for (let tried = 0; tried < mostOnOneHost; tried++) {
      const fault = left.shift();
      if (!fault || isOver()) break;
      const found = await tryOne(ground, fault, more);
      results.push(...found);
      found.forEach(tell);
      // What is wrong with this host must not be the next fault's.
      if (found.some(({ bad }) => bad.length > 0)) break;
    }
  }
  return results;
}

/** What breaks a trial must not end the campaign. */
async function tryOne(
  ground: Ground,
  fault: Fault,
  more?: number,
): Promise<Result[]> {
  try {
    return await onGround(ground, fault, more);
  } catch (error) {
    const evidence = error instanceof Error ? error.stack! : String(error);
    const bad: Bad[] = ["trial broke"];
    return [{ fault, bad, wasInjected: false, exit: -1, evidence }];
  }
}

async function onGround(
  ground: Ground,
  fault: Fault,
  more?: number,
): Promise<Result[]> {
  const { name, point } = fault;
  if (name === diskPoints) return await tryDiskPoints(fault);
  if (point === "candidate") {
    const candidate = candidates.find((one) => one.name === name)!;
    return [await tryCandidate(ground, candidate, fault)];
  }
  const kind = kinds.find((one) => one.name === name)!;
  return await inject(ground, kind, fault as Fault & { point: Point }, more);
}

/** Adds a result to a file, for a table of several campaigns. */
function keep(file: string, { evidence: _, ...result }: Result): void {
  Deno.writeTextFileSync(file, `${JSON.stringify(result)}\n`, { append: true });
}

/** All results in such a file, which may be yet to come. */
function keptIn(file: string): Result[] {
  if (!existsSync(file)) return [];
  return Deno.readTextFileSync(file).trimEnd().split("\n").map((line) => ({
    ...JSON.parse(line),
    evidence: "",
  }));
}

if (import.meta.main) {
  // It takes half an hour, so nothing that was meant otherwise starts it.
  const refuse = (word: string) => {
    console.error(`Cannot use ${word}: see ./dev help`);
    Deno.exit(2);
  };
  const given = parseArgs(Deno.args, {
    string: [
      ...["seeds", "first", "minutes", "only", "hosts", "place"],
      ...["keep", "table"],
    ],
    unknown: (word) => refuse(word),
  });
  for (const name of ["seeds", "first", "minutes", "hosts"]) {
    const number = given[name];
    if (number !== undefined && !(Number(number) > 0)) {
      refuse(`--${name} ${number}`);
    }
  }
  if (given["table"]) {
    console.log(tableOf(keptIn(String(given["table"]))));
    Deno.exit(0);
  }
  const only = new RegExp(String(given["only"] ?? ""));
  const place = given["place"];
  const why = await refusal();
  if (why) {
    console.error(`Cannot inject faults: ${why}`);
    Deno.exit(2);
  }
  const seeds = Number(given["seeds"] ?? 2);
  const faults = mixed(allFaults(seeds, Number(given["first"] ?? 1))).filter((
    fault,
  ) =>
    only.test(`${fault.name} / ${fault.point}`) &&
    (!place || fault.place === place)
  );
  const done = new Set(
    keptIn(String(given["keep"] ?? "")).filter(({ bad }) => bad.length === 0)
      .map(({ fault }) => JSON.stringify(fault)),
  );
  const left = faults.filter((fault) => !done.has(JSON.stringify(fault)));
  const end = Date.now() + Number(given["minutes"] ?? 30) * 60_000;
  const start = Date.now();
  let isStopped = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => isStopped = true);
  }
  const told: Result[] = [];
  await campaign(left, () => isStopped || Date.now() > end, (result) => {
    told.push(result);
    if (given["keep"]) keep(String(given["keep"]), result);
    const { fault: { place, name, point, seed }, bad, exit } = result;
    const verdict = bad.length > 0
      ? `BAD: ${bad.join(", ")}`
      : result.wasInjected
      ? "well"
      : "well (it did not come)";
    const seconds = Math.round((Date.now() - start) / 1000);
    const hit = told.filter(({ wasInjected }) => wasInjected).length;
    console.error(
      `${hit} ${seconds}s ${place} / ${name} / ${point} / ${seed}: exit ${exit}, ${verdict}`,
    );
    if (result.evidence) console.error(result.evidence);
  }, { hosts: Number(given["hosts"] ?? 1) });
  console.log(tableOf(told));
  Deno.exit(told.some(({ bad }) => bad.length > 0) ? 1 : 0);
}
