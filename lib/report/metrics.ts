/**
 * The metrics of a host. docs/metrics.md has their list.
 *
 * @module
 */
import { attemptResults } from "../state/history.ts";
import { wantedOf } from "../run/approval.ts";
import { rolledBackOf } from "../run/decide.ts";
import { gatedNow } from "../run/gates.ts";
import type { State } from "../state/state.ts";
import type { HistoryEntry } from "../state/state.ts";
import type { Counts } from "./counts.ts";
import type { Family, Sample } from "./exposition.ts";

/** The facts for the metrics. */
export interface MetricFacts {
  version: string;
  /** Which host it is, and its ring in staged rollouts. */
  host: string;
  ring?: string | undefined;
  state: State;
  counts: Counts;
  /** The last attempt. */
  last?: HistoryEntry;
  isSuspended: boolean;
  /** Whether the host differs from what was deployed. */
  hasDrift: boolean;
  needsReboot: boolean;
  needsPerson: boolean;
  /** The last reported fault, if it is not over. */
  fault?: { stage: string; reason: string };
  /** Milliseconds: the age of the oldest commit that is not deployed. */
  behind: number;
  /** The names of all gates that are configured. */
  gates: readonly string[];
  /** Messages that wait for their delivery. */
  waiting: number;
}

/** Returns the metrics, in the order of the documentation. */
export function metricsOf(facts: MetricFacts): Family[] {
  return [
    ...whatRuns(facts),
    ...times(facts),
    ...attempts(facts),
    ...standing(facts),
  ];
}

function whatRuns(facts: MetricFacts) {
  const { version, host, ring, state: { lastGood, seen } } = facts;
  return [
    gauge("build_info", "The version of gitops-sync.", {
      labels: { version },
      value: 1,
    }),
    gauge("host_info", "Which host this is, and its ring.", {
      labels: { host, ...ring === undefined ? {} : { ring } },
      value: 1,
    }),
    gauge(
      "revision_info",
      "The revision that was deployed last, and the ref that named it.",
      lastGood && {
        labels: { revision: lastGood.revision, ref: lastGood.target.ref },
        value: 1,
      },
    ),
    gauge(
      "seen_revision_info",
      "The last known tip of the ref.",
      seen && { labels: { revision: seen.revision }, value: 1 },
    ),
  ];
}

function times({ state: { lastGood }, last, behind }: MetricFacts) {
  return [
    gauge(
      "last_attempt_timestamp_seconds",
      "When the last attempt began.",
      last && { value: Date.parse(last.at) / 1000 },
    ),
    gauge(
      "last_success_timestamp_seconds",
      "When the last deployment was confirmed.",
      lastGood && { value: Date.parse(lastGood.at) / 1000 },
    ),
    gauge(
      "behind_seconds",
      "The age of the oldest commit that is not deployed, 0 if there is none.",
      { value: behind / 1000 },
    ),
  ];
}

function attempts({ counts, last }: MetricFacts): Family[] {
  const stages = Object.entries(counts.failures).sort();
  return [
    {
      name: "attempts_total",
      kind: "counter",
      help: "Attempts to change this host, by how they ended.",
      samples: attemptResults.map((result) => ({
        labels: { result },
        value: counts.results[result] ?? 0,
      })),
    },
    {
      name: "failures_total",
      kind: "counter",
      help: "Attempts that failed, by the stage in which they did.",
      samples: stages.map(([stage, value]) => ({ labels: { stage }, value })),
    },
    gauge(
      "last_attempt_exit_code",
      "The exit code of the last attempt.",
      last && { value: last.exit },
    ),
    gauge(
      "last_attempt_duration_seconds",
      "How long the last attempt took.",
      last && { value: last.ms / 1000 },
    ),
    {
      name: "last_attempt_stage_duration_seconds",
      kind: "gauge",
      help: "How long each stage of the last attempt took.",
      samples: stagesOf(last),
    },
  ];
}

/** Returns the time of each stage; a stage can run twice in one attempt. */
function stagesOf(last: HistoryEntry | undefined): Sample[] {
  const sums = new Map<string, number>();
  for (const { stage, ms } of last?.stages ?? []) {
    sums.set(stage, (sums.get(stage) ?? 0) + ms / 1000);
  }
  return [...sums].map(([stage, value]) => ({ labels: { stage }, value }));
}

function standing(facts: MetricFacts): Family[] {
  const { state, fault } = facts;
  const { seen, holds, lastGood } = state;
  const isHeld = holds.some(({ revision }) => revision === seen?.revision);
  return [
    yesNo("suspended", "Whether deployments are suspended.", {
      is: facts.isSuspended,
    }),
    yesNo("held", "Whether the tip of the ref is blocked.", {
      is: isHeld,
    }),
    yesNo("rolled_back", "Whether the host stays rolled back by a person.", {
      is: rolledBackOf(state) !== undefined,
    }),
    yesNo("approval_wanted", "Whether a built revision waits for approval.", {
      is: wantedOf(state) !== undefined,
    }),
    ...gates(facts),
    yesNo("drift", "Whether the host differs from what was deployed.", {
      is: facts.hasDrift,
    }),
    yesNo("needs_reboot", "Whether the deployed system needs a reboot.", {
      is: facts.needsReboot,
    }),
    yesNo("needs_person", "Whether manual action is needed (exit code 8).", {
      is: facts.needsPerson,
    }),
    gauge(
      "fault_info",
      "The current fault, by its stage and reason.",
      fault && {
        labels: { stage: fault.stage, reason: fault.reason },
        value: 1,
      },
    ),
    yesNo(
      "secrets_checked",
      "Whether the secrets of the deployed system were decrypted in a check.",
      lastGood && { is: facts.counts.proven === lastGood.revision },
    ),
    yesNo("slot_held", "Whether this host holds a slot of its group.", {
      is: state.slot !== undefined,
    }),
    yesNo("slot_stuck", "Whether it keeps the slot because it is unhealthy.", {
      is: state.slot?.stuck === true,
    }),
    gauge(
      "slot_wanted_timestamp_seconds",
      "When this host began to wait for a slot of its group.",
      state.slotWait && { value: Date.parse(state.slotWait.since) / 1000 },
    ),
    gauge("messages_waiting", "Messages that wait to be delivered.", {
      value: facts.waiting,
    }),
  ];
}

/** Returns the metrics of gates; one that holds nothing back counts as open. */
function gates({ state, gates }: MetricFacts): Family[] {
  const found = gatedNow(state)?.gates ?? [];
  const known = gates.map((gate) => ({
    labels: { gate },
    found: found.find(({ name }) => name === gate),
  }));
  return [
    {
      name: "gate_open",
      kind: "gauge",
      help: "Whether a gate lets the built revision pass.",
      samples: known.map(({ labels, found }) => ({
        labels,
        value: found?.isOpen === false ? 0 : 1,
      })),
    },
    {
      name: "gate_since_timestamp_seconds",
      kind: "gauge",
      help: "When a gate last changed its state for the waiting revision.",
      samples: known.flatMap(({ labels, found }) =>
        found ? [{ labels, value: Date.parse(found.since) / 1000 }] : []
      ),
    },
  ];
}

function gauge(name: string, help: string, sample: Sample | undefined): Family {
  return { name, kind: "gauge", help, samples: sample ? [sample] : [] };
}

function yesNo(
  name: string,
  help: string,
  answer: { is: boolean } | undefined,
): Family {
  return gauge(name, help, answer && { value: answer.is ? 1 : 0 });
}
