/**
 * The fault campaign: `./dev faults [--seeds N] [--minutes N] [--hosts N]
 * [--only PATTERN]`.
 *
 * Every kind of fault at every point of a run, and every bad revision, with a
 * number of seeds, which decide the moment and what is on its way. Prints a
 * table in Markdown, what was bad with its evidence, and exits 1 if anything
 * was.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { Machine } from "../machine/machine.ts";
import { candidates } from "./candidates.ts";
import { kinds, points } from "./kinds.ts";
import { tableOf } from "./table.ts";
import { type Fault, Ground, type Result } from "./trial.ts";

/** A host is tried so often; then a new one begins. */
const mostOnOneHost = 40;

/** All faults with this number of seeds, the points of a run in turn. */
export function allFaults(seeds: number): Fault[] {
  const faults: Fault[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    // Point by point, so that one kind is not tried on one host alone.
    for (const point of points) {
      for (const { name, at = points } of kinds) {
        if (at.includes(point)) faults.push({ name, point, seed });
      }
    }
    for (const { name } of candidates) {
      faults.push({ name, point: "candidate", seed });
    }
  }
  return faults;
}

/** Injects faults on some hosts at once, until the time is up. */
export async function campaign(
  faults: readonly Fault[],
  end: number,
  tell: (result: Result) => void,
  hosts = 1,
): Promise<Result[]> {
  const left = [...faults];
  const all = Array.from({ length: hosts }, () => onHosts(left, end, tell));
  return (await Promise.all(all)).flat();
}

/** Takes one fault after the other, on one host after the other. */
async function onHosts(
  left: Fault[],
  end: number,
  tell: (result: Result) => void,
): Promise<Result[]> {
  const results: Result[] = [];
  while (left.length > 0 && Date.now() < end) {
    await using ground = await Ground.make();
    for (let tried = 0; tried < mostOnOneHost; tried++) {
      const fault = left.shift();
      if (!fault || Date.now() > end) break;
      const result = await tryOne(ground, fault);
      results.push(result);
      tell(result);
      // What is wrong with this host must not be the next fault's.
      if (result.bad.length > 0) break;
    }
  }
  return results;
}

async function tryOne(ground: Ground, fault: Fault): Promise<Result> {
  const { name, point, seed } = fault;
  if (point === "candidate") {
    const candidate = candidates.find((one) => one.name === name)!;
    return await ground.tryCandidate(candidate, seed);
  }
  const kind = kinds.find((one) => one.name === name)!;
  return await ground.inject(kind, point, seed);
}

if (import.meta.main) {
  // It takes half an hour, so nothing that was meant otherwise starts it.
  const refuse = (word: string) => {
    console.error(`Cannot use ${word}: see ./dev help`);
    Deno.exit(2);
  };
  const given = parseArgs(Deno.args, {
    string: ["seeds", "minutes", "only", "hosts"],
    unknown: (word) => refuse(word),
  });
  for (const name of ["seeds", "minutes", "hosts"]) {
    const number = given[name];
    if (number !== undefined && !(Number(number) > 0)) {
      refuse(`--${name} ${number}`);
    }
  }
  const only = new RegExp(String(given["only"] ?? ""));
  const refusal = await Machine.refusal();
  if (refusal) {
    console.error(`Cannot inject faults: ${refusal}`);
    Deno.exit(2);
  }
  const faults = allFaults(Number(given["seeds"] ?? 2)).filter((
    { name, point },
  ) => only.test(`${name} / ${point}`));
  const end = Date.now() + Number(given["minutes"] ?? 30) * 60_000;
  const start = Date.now();
  let done = 0;
  const results = await campaign(faults, end, ({ fault, bad, ...rest }) => {
    const { name, point, seed } = fault;
    const verdict = bad.length > 0
      ? `BAD: ${bad.join(", ")}`
      : rest.wasInjected
      ? "well"
      : "well (the run was quicker)";
    const seconds = Math.round((Date.now() - start) / 1000);
    console.error(
      `${++done}/${faults.length} ${seconds}s ${name} / ${point} / ${seed}: exit ${rest.exit}, ${verdict}`,
    );
    if (rest.evidence) console.error(rest.evidence);
  }, Number(given["hosts"] ?? 1));
  console.log(tableOf(results));
  Deno.exit(results.some(({ bad }) => bad.length > 0) ? 1 : 0);
}
