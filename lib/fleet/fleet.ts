/**
 * The hosts of a fleet, from Prometheus or from the forge.
 *
 * @module
 */
import { isOfAny, isPlainName } from "../base/pattern.ts";
import { usageError } from "../base/errors.ts";
import type { LocalConfig } from "../config/config.ts";
import { isOpen } from "../config/kinds.ts";
import { placeOf } from "../forge/place.ts";
import { BadFile, certificatesIn, tokenIn } from "../notify/secret.ts";
import type { Server } from "./ask.ts";
import { hostsAtForge, unreported } from "./from_forge.ts";
import { type FleetHost, fleetStates, sorted, unknownHost } from "./host.ts";
import { hostOf } from "./judge.ts";
import { targetMetrics } from "./metrics.ts";

/** The selected hosts. */
export interface FleetQuery {
  /** Names and patterns of hosts; empty: all. */
  hosts: readonly string[];
  /** A ring; none: all. Only Prometheus knows it. */
  ring?: string | undefined;
  /** The commit whose statuses are read, if the source is the forge. */
  revision?: string | undefined;
}

/** The hosts of a fleet at a point in time. */
export interface Fleet {
  source: "prometheus" | "forge";
  /** ISO 8601. */
  at: string;
  /** Hosts that need a person come first. */
  hosts: readonly FleetHost[];
}

/**
 * Returns the selected hosts, each once. A name without `*` and `?` in `hosts`
 * is a host that must exist: if nothing is known of it, it is silent.
 *
 * @param config The source is `fleet.prometheus`, or else the forge of
 * `commitStatus`.
 * @throws {SyncError} exit 2, if no source is configured; exit 3, if the answer
 * is incomplete.
 */
export async function fleetOf(
  config: LocalConfig,
  wish: FleetQuery,
  now: Date,
): Promise<Fleet> {
  const isProm = config["fleet.prometheus"] !== undefined;
  const [all, missing] = isProm
    ? await byPrometheus(config, now)
    : await byForge(config, wish, now);
  const hosts = all.filter(({ host, ring }) =>
    (wish.hosts.length === 0 || isOfAny(wish.hosts, host)) &&
    (wish.ring === undefined || ring === wish.ring)
  );
  // A host of another ring is not an unknown host.
  const known = new Set(all.map(({ host }) => host));
  const lost = wish.hosts.filter((name) =>
    isPlainName(name) && !known.has(name)
  );
  return {
    source: isProm ? "prometheus" : "forge",
    at: now.toISOString(),
    hosts: sorted([...hosts, ...new Set(lost).values().map(missing)]),
  };
}

/** The time limit for all pages of a forge, in milliseconds. */
const longestList = 5 * 60_000;

type Found = [hosts: FleetHost[], missing: (host: string) => FleetHost];

async function byPrometheus(config: LocalConfig, now: Date): Promise<Found> {
  const server = await prometheusOf(config);
  const targets = await targetMetrics(server, now);
  const silentAfter = config["fleet.silentAfter"];
  const hosts = targets.map((one) => hostOf(one, now, silentAfter));
  return [
    onceEach(hosts),
    (host) => unknownHost(host, "Prometheus has no metrics of this host"),
  ];
}

/**
 * Returns each host once. Several jobs may scrape one host, or its address
 * changed: fresh data counts, and of that the worst state.
 */
function onceEach(hosts: readonly FleetHost[]): FleetHost[] {
  const once = new Map<string, FleetHost>();
  const isHeard = ({ checkedAt, revision, seen }: FleetHost) =>
    checkedAt !== null || revision !== null || seen !== null;
  const rank = ({ state }: FleetHost) => fleetStates.indexOf(state);
  for (const host of hosts) {
    const known = once.get(host.host);
    const isFirst = !known || isHeard(host) && !isHeard(known) ||
      isHeard(host) === isHeard(known) && rank(host) < rank(known);
    if (isFirst) once.set(host.host, host);
  }
  return [...once.values()];
}

async function prometheusOf(config: LocalConfig): Promise<Server> {
  const url = config["fleet.prometheus"]!;
  const file = config["fleet.tokenFile"];
  if (file !== undefined && url.startsWith("http:") && isOpen(url)) {
    throw usageError(
      "fleet-token-open",
      `Cannot send the token of fleet.tokenFile to ${url}: it would be sent unencrypted`,
      "use an https:// URL, or remove fleet.tokenFile",
    );
  }
  const token = file === undefined
    ? undefined
    : await readable(() => tokenIn(file, "fleet.tokenFile"));
  return {
    name: `Prometheus at ${url}`,
    url: url.replace(/\/+$/, ""),
    headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
    ca: await readable(() => certificatesIn(config["fleet.caFile"])),
  };
}

async function byForge(
  config: LocalConfig,
  { revision, ring }: FleetQuery,
  now: Date,
): Promise<Found> {
  const forge = config["commitStatus.forge"];
  const place = placeOf(config);
  if (forge === "none" || !place) {
    throw usageError(
      "fleet-source",
      "Cannot query the fleet: neither Prometheus nor a forge is configured",
      "use Prometheus: gitops-sync fleet --fleet-prometheus URL",
      "or use the forge: gitops-sync fleet REVISION --repository URL --commit-status-forge github",
    );
  }
  if (ring !== undefined) {
    throw usageError(
      "fleet-ring",
      `Cannot select the ring ${ring}: a forge does not know the rings of hosts`,
      "select the hosts by name: --hosts 'canary-*'",
    );
  }
  if (revision === undefined) {
    throw usageError(
      "operand-missing",
      "Cannot query the forge: the revision is missing; expected a full commit hash",
      "name the revision: gitops-sync fleet REVISION",
    );
  }
  const file = config["commitStatus.tokenFile"];
  const token = file === undefined
    ? undefined
    : await readable(() => tokenIn(file, "commitStatus.tokenFile"));
  const asking = {
    token,
    ca: await readable(() => certificatesIn(config["fleet.caFile"])),
    signal: AbortSignal.timeout(longestList),
    now,
  };
  return [
    await hostsAtForge(forge, place, revision, asking),
    (host) => unreported(host, revision),
  ];
}

/** Turns an unusable file of the caller into a usage error. */
async function readable<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof BadFile)) throw error;
    throw usageError(
      "fleet-file",
      error.message,
      "check fleet.tokenFile, fleet.caFile and commitStatus.tokenFile",
    );
  }
}
