/**
 * Derives the state of a host from its metrics. Unknown never counts as good.
 * Pure.
 *
 * @module
 */
import { formatDuration } from "../base/duration.ts";
import { isRevision } from "../base/names.ts";
import { oneLine, short } from "../base/text.ts";
import { utc } from "../base/time.ts";
import { type FleetHost, type FleetState, unknownHost } from "./host.ts";
import type { MetricName, TargetMetrics } from "./metrics.ts";

/** How far the clock of a host may be ahead, in milliseconds. */
const mostAhead = 5 * 60_000;

/** The metrics that the state of a host needs. */
const needed: readonly MetricName[] = [
  "behind_seconds",
  "suspended",
  "held",
  "rolled_back",
  "approval_wanted",
  "drift",
  "needs_reboot",
  "needs_person",
];

/**
 * Returns the host of a target.
 *
 * @param silentAfter How old its last check may be, in milliseconds.
 */
export function hostOf(
  metrics: TargetMetrics,
  now: Date,
  silentAfter: number,
): FleetHost {
  const { values, labels, target } = metrics;
  const { host, ring } = labels.host_info ?? {};
  const name = oneLine(host || instanceOf(target), 100);
  const checked = values.last_check_timestamp_seconds;
  const success = values.last_success_timestamp_seconds;
  const known: FleetHost = {
    ...unknownHost(name, "Prometheus has no current sample of this host"),
    ring: oneLine(ring || target["ring"] || "", 64) || null,
  };
  if (values.build_info === undefined) return known;
  return {
    ...known,
    ...stateOf(metrics, now, silentAfter),
    revision: revisionOf(labels.revision_info),
    seen: revisionOf(labels.seen_revision_info),
    behind: (values.behind_seconds ?? NaN) >= 0
      ? Math.round(values.behind_seconds! * 1000)
      : null,
    since: timeOf(success),
    gate: oneLine(gateOf(metrics) ?? "", 100) || null,
    checkedAt: timeOf(checked),
  };
}

function instanceOf(target: Readonly<Record<string, string>>): string {
  return (target["instance"] ?? "").replace(/:\d+$/, "") || "?";
}

function revisionOf(
  labels: Readonly<Record<string, string>> | undefined,
): string | null {
  const revision = labels?.["revision"] ?? "";
  return isRevision(revision) ? revision : null;
}

function timeOf(seconds: number | undefined): string | null {
  return seconds === undefined ? null : utc(seconds * 1000) ?? null;
}

/** Returns the closed gates. */
function gateOf({ values, labels }: TargetMetrics): string | undefined {
  return values.gate_open === 0 ? labels.gate_open?.["gate"] : undefined;
}

type Reason = Pick<FleetHost, "state" | "why">;

function stateOf(
  metrics: TargetMetrics,
  now: Date,
  silentAfter: number,
): Reason {
  return urgentState(metrics) ?? silentState(metrics, now, silentAfter) ??
    unclearState(metrics) ?? usualState(metrics);
}

const as = (state: FleetState, why = ""): Reason => ({ state, why });

/** Returns a state that needs a person, however old the data is. */
function urgentState({ values, labels }: TargetMetrics): Reason | undefined {
  const fault = values.fault_info === undefined ? undefined : labels.fault_info;
  const what = fault && oneLine(`${fault["stage"]}: ${fault["reason"]}`, 100);
  if (values.needs_person === 1) {
    return as(
      "needs-person",
      what ?? "it is unhealthy, and manual action is needed",
    );
  }
  if (fault) return as("failing", what);
  // A suspended host does not query the repository.
  return values.suspended === 1
    ? as("suspended", "a person suspended it")
    : undefined;
}

function silentState(
  { values }: TargetMetrics,
  now: Date,
  silentAfter: number,
): Reason | undefined {
  const checked = values.last_check_timestamp_seconds;
  if (checked === undefined) {
    return as("silent", "it does not report its last check of the repository");
  }
  const age = now.getTime() - checked * 1000;
  if (age < -mostAhead) return as("silent", "its clock is ahead");
  return age <= silentAfter ? undefined : as(
    "silent",
    `its last check of the repository was ${formatDuration(age)} ago`,
  );
}

function unclearState({ values }: TargetMetrics): Reason | undefined {
  const missing = needed.find((name) => values[name] === undefined);
  return missing
    ? as("unknown", `Prometheus has no gitops_sync_${missing} of this host`)
    : undefined;
}

function usualState(metrics: TargetMetrics): Reason {
  const { values, labels } = metrics;
  const runs = revisionOf(labels.revision_info);
  const seen = revisionOf(labels.seen_revision_info);
  if (values.held === 1) {
    return as("held", seen ? `${short(seen)} is blocked` : "");
  }
  if (values.drift === 1) {
    return as("drift", "somebody switched the system by hand");
  }
  if (values.rolled_back === 1) {
    return as("rolled-back", "a person rolled it back");
  }
  if (values.approval_wanted === 1) {
    return as("unapproved", "the built system waits for approval");
  }
  const gate = gateOf(metrics);
  if (gate !== undefined) {
    return as("gated", `closed gate: ${oneLine(gate, 100)}`);
  }
  // Only a current sample has a value.
  if (values.revision_info === undefined || !runs) {
    return as("behind", "nothing has been deployed yet");
  }
  const exit = values.last_attempt_exit_code ?? 0;
  if (exit !== 0) return as("failing", `its last attempt exited with ${exit}`);
  const isBehind = values.behind_seconds! > 0 || seen !== null && seen !== runs;
  if (isBehind && values.slot_wanted_timestamp_seconds !== undefined) {
    return as("behind", "it waits for a slot of its group");
  }
  if (values.behind_seconds! > 0) {
    const age = formatDuration(values.behind_seconds! * 1000);
    return as(
      "behind",
      seen
        ? `${short(seen)} is not deployed; behind for ${age}`
        : `behind for ${age}`,
    );
  }
  if (values.seen_revision_info === undefined || !seen) {
    return as(
      "unknown",
      "it does not report which revision the repository names",
    );
  }
  if (seen !== runs) return as("behind", `${short(seen)} is not deployed`);
  return values.needs_reboot === 1
    ? as("reboot", "it needs a reboot")
    : as("ok");
}
