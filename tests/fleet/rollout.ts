/**
 * A rollout over many simulated hosts in rings, with gates and locks together
 * (simulated.ts), and what can go wrong in it (scenarios.ts).
 *
 *     deno run -A tests/fleet/rollout.ts [--rings 2,10,38] [--slots 3]
 *         [--only WORD] [--build] [--quick]
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { hasEtcd } from "../locks/etcd_server.ts";
import { has } from "../notify/programs.ts";
import { World } from "../world/world.ts";
import { mostAtOnce } from "./order.ts";
import { scenariosFor } from "./scenarios.ts";
import { type Plan, Simulated } from "./simulated.ts";

/** Why there can be no rollout on this machine; nothing where there can. */
export async function whyNoRollout(): Promise<string | undefined> {
  const missing = [
    ...hasEtcd ? [] : ["etcd"],
    ...await has("prometheus") ? [] : ["prometheus"],
  ];
  if (missing.length > 0) return `there is no ${missing.join(" and no ")}`;
  return await World.refusal() ?? undefined;
}

/**
 * Tries everything whose name has a word in it.
 *
 * @returns what was bad, in words.
 */
export async function rollOut(plan: Plan, only = ""): Promise<string[]> {
  await using fleet = await Simulated.make(plan);
  // What the first of all scenarios does otherwise.
  if (only !== "") await fleet.settle(await fleet.promote("Start"));
  const wrong: string[] = [];
  const known = new Set<string>();
  for (const { name, run, isLong } of scenariosFor(plan.rings)) {
    if (!name.includes(only) || plan.isQuick && isLong) continue;
    // What comes after a bad end would say nothing of its own.
    if (plan.isQuick && wrong.length > 0) break;
    const must = (isTrue: boolean, what: string) => {
      plan.say(`  ${isTrue ? "ok " : "BAD"} ${what}`);
      if (!isTrue) wrong.push(`${name}: ${what}`);
    };
    plan.say(name);
    const [begun, runs] = [performance.now(), fleet.runs];
    await run(fleet, must);
    const disorder = fleet.disorder().filter((what) => !known.has(what));
    for (const what of disorder) known.add(what);
    must(
      disorder.length === 0,
      disorder.join("; ") || "the order of hosts and rings was kept",
    );
    const seconds = Math.round((performance.now() - begun) / 1000);
    plan.say(`  ${seconds} s, ${fleet.runs - runs} runs`);
  }
  const most = plan.rings.map((_, ring) => mostAtOnce(fleet.events(), ring));
  plan.say(
    `at most ${most.join(", ")} hosts of each ring were changed at once`,
  );
  return wrong;
}

if (import.meta.main) {
  const given = parseArgs(Deno.args, {
    string: ["rings", "slots", "only"],
    boolean: ["build", "quick"],
  });
  const refusal = await whyNoRollout();
  if (refusal) {
    console.log(`no rollout on this machine: ${refusal}`);
    Deno.exit(2);
  }
  const begun = performance.now();
  const wrong = await rollOut({
    rings: String(given["rings"] ?? "2,10,38").split(",").map(Number),
    slots: Number(given["slots"] ?? 3),
    isPublished: !given["build"],
    isQuick: given["quick"] === true,
    say: console.log,
  }, String(given["only"] ?? ""));
  const minutes = ((performance.now() - begun) / 60_000).toFixed(1);
  console.log(
    `${wrong.length} bad in ${minutes} min${
      wrong.map((one) => `\n- ${one}`).join("")
    }`,
  );
  Deno.exitCode = wrong.length > 0 ? 1 : 0;
}
