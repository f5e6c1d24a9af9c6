/**
 * Checks the gates for a built system. Only this file defines their order.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { oneLine } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import { gateNames, nextLook, unasked } from "../run/gates.ts";
import type { Gate, Gated, State } from "../state/state.ts";
import { type Answer, closed, type Subject } from "./answer.ts";
import { askChecks } from "./checks.ts";
import { checkCommand } from "./command.ts";
import { askPrometheus } from "./prometheus.ts";
import { askSoak } from "./soak.ts";

/** The result: all gates are open, or the revision is blocked. */
export type GateResult =
  | { gates: readonly Gate[]; gated?: never }
  | { gates: readonly Gate[]; gated: Gated };

/** What the check needs. */
interface GateContext {
  effects: Effects;
  config: Config;
  state: Pick<State, "sightings">;
}

/** The limit of a reason's text. */
const longestWhy = 300;

/**
 * Checks the gates in the order of {@linkcode gateNames}: soak first, then all
 * servers at once, and the command last. A gate after a closed one is not
 * checked: the result would not change, and each query costs a server.
 *
 * @param before The last result for the same revision.
 * @throws {SyncError} `interrupted`.
 */
export async function checkGates(
  asking: GateContext,
  subject: Subject,
  before?: Gated,
): Promise<GateResult> {
  const { effects, config, state } = asking;
  const names = gateNames(config, subject.isTest);
  const answers: Answer[] = [];
  for (const group of groups) {
    const isOpen = answers.every(({ isOpen }) => isOpen);
    const asked = group(asking, subject);
    answers.push(
      ...isOpen
        ? await asked.ask()
        : Array.from({ length: asked.many }, () => closed(unasked)),
    );
  }
  const now = effects.now();
  const gates = names.map((name, i) => gateOf(name, answers[i]!, before, now));
  if (answers.every(({ isOpen }) => isOpen)) return { gates };
  const after = Math.max(0, ...answers.map(({ after }) => after ?? 0));
  const { commit, target, system } = subject;
  const at = now.toISOString();
  const gated: Gated = {
    ...commit,
    target,
    system,
    since: before?.since ?? at,
    gates,
    at,
    notBefore: nextLook(gates, config, state, now, after).toISOString(),
  };
  return { gates, gated };
}

/** Gates that are checked together. */
interface Group {
  many: number;
  ask: () => Promise<Answer[]>;
}

/** In the order of {@linkcode gateNames}. */
const groups: readonly ((asking: GateContext, subject: Subject) => Group)[] = [
  ({ effects, config, state }, { commit, isTest }) => {
    const soak = config["gates.soak"];
    if (soak === undefined || isTest) return none;
    const { revision } = commit;
    const answer = () => askSoak(soak, state, revision, effects.now());
    return { many: 1, ask: () => Promise.resolve([answer()]) };
  },
  ({ effects, config }, { commit: { revision } }) => {
    const { "gates.checks": checks, "gates.prometheus": queries } = config;
    const now = effects.now();
    return {
      many: checks.length + queries.length,
      ask: async () =>
        (await Promise.all([
          checks.length === 0 ? [] : askChecks(config, revision, now),
          ...queries.map(async (gate) => [
            await askPrometheus(config, gate, revision, now),
          ]),
        ])).flat(),
    };
  },
  ({ effects, config }, subject) => {
    if (config["gates.command"].length === 0) return none;
    return {
      many: 1,
      ask: async () => [await checkCommand(effects, config, subject)],
    };
  },
];

const none: Group = { many: 0, ask: () => Promise.resolve([]) };

function gateOf(
  name: string,
  { isOpen, why, until }: Answer,
  before: Gated | undefined,
  now: Date,
): Gate {
  const known = before?.gates.find((one) => one.name === name);
  const isSame = known?.isOpen === isOpen &&
    (known.why === unasked) === (why === unasked);
  return {
    name,
    isOpen,
    since: isSame ? known.since : now.toISOString(),
    why: oneLine(why, longestWhy),
    ...until === undefined ? {} : { until },
  };
}
