/**
 * Collects the metrics of all hosts, grouped by host.
 *
 * @module
 */
import type { Server } from "./ask.ts";
import { query, type Series } from "./prometheus.ts";

/** The queried metrics, each with its own labels. */
const asked = {
  build_info: ["version"],
  host_info: ["host", "ring"],
  revision_info: ["revision", "ref"],
  seen_revision_info: ["revision"],
  fault_info: ["stage", "reason"],
  gate_open: ["gate"],
  last_check_timestamp_seconds: [],
  last_success_timestamp_seconds: [],
  last_attempt_exit_code: [],
  behind_seconds: [],
  suspended: [],
  held: [],
  rolled_back: [],
  approval_wanted: [],
  drift: [],
  needs_reboot: [],
  needs_person: [],
  slot_wanted_timestamp_seconds: [],
} as const satisfies Record<string, readonly string[]>;

/** The name of a metric, without `gitops_sync_`. */
export type MetricName = keyof typeof asked;

/** The metrics of one target of Prometheus. */
export interface TargetMetrics {
  /**
   * By the name of the metric. A metric without a current sample is missing.
   */
  values: Partial<Record<MetricName, number>>;
  /** The own labels of each metric. */
  labels: Partial<Record<MetricName, Readonly<Record<string, string>>>>;
  /** The labels of the target itself. */
  target: Readonly<Record<string, string>>;
}

/** Only closed gates matter. */
const expressions: Partial<Record<MetricName, string>> = {
  gate_open: "gitops_sync_gate_open == 0",
};

/**
 * How far back a silent host is found, in steps of an hour. All samples of some
 * days would be more than Prometheus reads at once.
 */
const remembered = "[7d:1h]";

/** How many metrics are queried at once. */
const atOnce = 4;

/**
 * Queries the metrics of all hosts at one time, with one query for each metric.
 *
 * @param at The time.
 * @throws {SyncError} exit 3, if one of the answers is missing: partial data
 * might look good.
 */
export async function targetMetrics(
  server: Server,
  at: Date,
): Promise<TargetMetrics[]> {
  const seconds = at.getTime() / 1000;
  const targets = new Map<string, TargetMetrics>();
  const add = (name: MetricName, series: Series[], isNow: boolean) => {
    for (const one of series) put(targets, name, one, isNow);
  };
  for (const name of ["build_info", "host_info"] as const) {
    const full = `last_over_time(gitops_sync_${name}${remembered})`;
    add(name, await query(server, full, seconds), false);
  }
  const names = Object.keys(asked) as MetricName[];
  for (let i = 0; i < names.length; i += atOnce) {
    await Promise.all(
      names.slice(i, i + atOnce).map(async (name) => {
        const expression = expressions[name] ?? `gitops_sync_${name}`;
        add(name, await query(server, expression, seconds), true);
      }),
    );
  }
  return [...targets.values()];
}

/** Adds a series to its target. */
function put(
  targets: Map<string, TargetMetrics>,
  name: MetricName,
  { labels, value }: Series,
  isNow: boolean,
): void {
  const { __name__: _, ...rest } = labels;
  const target: Record<string, string> = rest;
  const own: Record<string, string> = {};
  for (const label of asked[name]) {
    // Prometheus renames a label that the target already has.
    const exported = `exported_${label}`;
    const key = exported in target ? exported : label;
    const text = target[key];
    if (text !== undefined) own[label] = text;
    delete target[key];
  }
  const key = JSON.stringify(Object.entries(target).sort());
  const known = targets.get(key) ?? { values: {}, labels: {}, target };
  targets.set(key, known);
  const before = known.labels[name];
  known.labels[name] = name === "gate_open" && before
    ? { gate: [before["gate"], own["gate"]].sort().join(", ") }
    : own;
  if (isNow && Number.isFinite(value)) known.values[name] = value;
}
