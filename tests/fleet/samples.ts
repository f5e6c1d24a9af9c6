/**
 * Metrics of a fleet that is made up, for a real Prometheus.
 *
 * @module
 */
import type { MetricName } from "../../lib/fleet/metrics.ts";
import { Server } from "../notify/programs.ts";
import { output } from "../world/program.ts";

/** When it is. */
export const end = Date.parse("2026-11-26T22:00:00Z") / 1000;

/** A revision by its first digit. */
export const revisionOf = (digit: string) => digit.repeat(40);

/** One host, as its metrics have it; what is not given is well. */
export interface MadeHost {
  name: string;
  ring?: string;
  revision?: string | null;
  seen?: string;
  fault?: { stage: string; reason: string };
  /** Seconds since its last check; `null`: it tells none. */
  checked?: number | null;
  /** Seconds since its last sample. */
  silent?: number;
  values?: Partial<Record<MetricName, number | null>>;
  /** Gates, and whether each is open. */
  gates?: Readonly<Record<string, 0 | 1>>;
  /** A program without `host_info`. */
  isOld?: true;
  /** Labels that its target has. */
  target?: string;
}

const usual = {
  behind_seconds: 0,
  suspended: 0,
  held: 0,
  rolled_back: 0,
  approval_wanted: 0,
  drift: 0,
  needs_reboot: 0,
  needs_person: 0,
  last_attempt_exit_code: 0,
} as const;

/** The metrics of some hosts as OpenMetrics text. */
export function samplesOf(hosts: readonly MadeHost[]): string {
  const lines = new Map<string, string[]>();
  for (const host of hosts) {
    const target = host.target ?? `instance="${host.name}:9100",job="node"`;
    const add = (name: string, value: number, own = "") => {
      const full = `gitops_sync_${name}`;
      const labels = own === "" ? target : `${target},${own}`;
      const at = end - (host.silent ?? 0);
      const all = lines.get(full) ?? [];
      lines.set(full, all);
      all.push(`${full}{${labels}} ${value} ${at - 60}`);
      all.push(`${full}{${labels}} ${value} ${at}`);
    };
    const { ring, revision = revisionOf("a"), fault, checked = 60 } = host;
    add("build_info", 1, 'version="1.0.0"');
    const own = ring === undefined ? "" : `,ring="${ring}"`;
    const prefix = /(^|,)host=/.test(target) ? "exported_" : "";
    if (!host.isOld) add("host_info", 1, `${prefix}host="${host.name}"${own}`);
    if (revision !== null) {
      add("revision_info", 1, `revision="${revision}",ref="main"`);
    }
    const seen = host.seen ?? revision ?? revisionOf("a");
    add("seen_revision_info", 1, `revision="${seen}"`);
    if (fault) {
      add("fault_info", 1, `stage="${fault.stage}",reason="${fault.reason}"`);
    }
    for (const [gate, open] of Object.entries(host.gates ?? {})) {
      add("gate_open", open, `gate="${gate}"`);
    }
    if (checked !== null) add("last_check_timestamp_seconds", end - checked);
    add("last_success_timestamp_seconds", end - 3600);
    for (const [name, value] of Object.entries({ ...usual, ...host.values })) {
      if (value !== null) add(name, value);
    }
  }
  return [...lines].map(([name, all]) =>
    `# TYPE ${name} unknown\n${all.join("\n")}\n`
  ).join("") + "# EOF\n";
}

/** Starts a Prometheus that has these samples. */
export async function prometheusWith(
  place: string,
  hosts: readonly MadeHost[],
): Promise<Server> {
  await Deno.writeTextFile(`${place}/fleet.txt`, samplesOf(hosts));
  await Deno.writeTextFile(`${place}/prometheus.yml`, "{}\n");
  await output([
    ...["promtool", "tsdb", "create-blocks-from", "openmetrics"],
    `${place}/fleet.txt`,
    `${place}/data`,
  ]);
  return await Server.start((port) => [
    "prometheus",
    `--config.file=${place}/prometheus.yml`,
    `--storage.tsdb.path=${place}/data`,
    "--storage.tsdb.retention.time=100y",
    `--web.listen-address=127.0.0.1:${port}`,
  ], "/-/ready");
}
