/**
 * Describes a plan in words, for every output format. Pure.
 *
 * @module
 */
import { count, oneLine, short } from "../../base/text.ts";
import { formatSize } from "../../base/size.ts";
import type { Told } from "../../trust/signed.ts";
import type { PackageChange, PackageChanges } from "../../plan/packages.ts";
import { changes, type Plan } from "../../plan/plan.ts";
import type { SecretChanges } from "../../plan/secrets.ts";
import type { Stop } from "../../run/stops.ts";
import { timeOf } from "../../report/times.ts";

/** A label with the names that belong to it. */
export type Named = readonly [label: string, names: readonly string[]];

/** Reasons that keep a sync from deploying. */
const blocking = [
  "suspended",
  "rolled-back",
  "held",
  "pause",
  "unapproved",
  "window",
  "gate-soak",
  "gate-checks",
  "gate-prometheus",
  "gate-command",
  "no-slot",
  "slot-of-another",
  "slot-lost",
  "lock-unreachable",
  "other-machine",
];

const verbs = {
  deploy: "deploy",
  test: "deploy as a test, until the next reboot,",
  "test-over": "end the test and return to",
};

/** Returns what a sync would do, in one line. */
export function headline(plan: Plan): string {
  const { host, about, would, failure, revision } = plan;
  const what = revision === undefined || about.includes(short(revision))
    ? about
    : `${short(revision)}, ${about}`;
  if (would === "nothing") {
    return `${host}: nothing would change: it runs ${what}`;
  }
  if (failure) {
    return `${host}: at the ${failure.stage} stage ${what} would fail`;
  }
  if (would === "correct") {
    return `${host}: a sync would activate the deployed system again, because somebody switched by hand`;
  }
  if (changes(plan) === false) {
    return `${host}: nothing would change: ${what} is the system that runs`;
  }
  if (plan.target === undefined) return `${host}: the system of ${what}`;
  const isStopped = plan.stops.some((stop) => blocking.includes(stop.what));
  return isStopped
    ? `${host}: a sync would change nothing now; later it would ${
      verbs[would]
    } ${what}`
    : `${host}: a sync would ${verbs[would]} ${what}`;
}

/** Returns the number of commits, and what was verified. */
export function commitsText({ commits, verified }: Plan): string {
  if (!commits) return "";
  const { count: number, takenBack, base, list } = commits;
  const since = base === undefined ? "" : ` since ${short(base)}`;
  const back = takenBack > 0
    ? `; reverts ${count(takenBack, "deployed commit")}`
    : "";
  const more = number > list.length
    ? `, the newest ${list.length} are shown`
    : "";
  const trust = verified === undefined ? "" : `; ${verified}`;
  return `${count(number, "commit")}${since}${more}${back}${trust}`;
}

/** Returns what is known of a signature; empty if none is required. */
export function signatureText(told: Told): string {
  switch (told.state) {
    case "good":
      return `signed by ${told.signer.name}`;
    case "bad":
      return told.says;
    case "unchecked":
      return told.says === "no signature is asked for" ? "" : told.says;
  }
}

/**
 * Returns a summary such as `1.1G → 1.2G (+61M); 3 packages with another
 * version, 12 other paths rebuilt`.
 */
export function packagesText(
  { changed, rebuilt, before, after }: PackageChanges,
): string {
  const sizes = before === null
    ? formatSize(after)
    : `${formatSize(before)} → ${formatSize(after)} (${
      signed(after - before)
    })`;
  const what = changed.length === 0
    ? "the same packages"
    : `${count(changed.length, "package")} with another version`;
  const other = rebuilt > 0 ? `, ${count(rebuilt, "other path")} rebuilt` : "";
  return `${sizes}; ${what}${other}`;
}

/** A smaller difference is shown as zero, in bytes. */
const smallestDifference = 512;

/** Returns a number of bytes with its sign. */
export function signed(bytes: number): string {
  if (Math.abs(bytes) < smallestDifference) return "±0";
  return `${bytes < 0 ? "−" : "+"}${formatSize(Math.abs(bytes))}`;
}

/** What happens to a package: it is added, removed or changed. */
export type Mark = "+" | "−" | "~";

/** Returns how a package changes, and its versions. */
export function packageText(
  { before, after }: PackageChange,
): { mark: Mark; versions: string } {
  const text = (versions: readonly string[]) => versions.join(", ");
  if (before.length === 0 && after.length > 0) {
    return { mark: "+", versions: text(after) };
  }
  if (after.length === 0 && before.length > 0) {
    return { mark: "−", versions: text(before) };
  }
  return {
    mark: "~",
    versions: before.join() === after.join()
      ? text(after)
      : `${text(before)} → ${text(after)}`,
  };
}

/** Returns what would happen to units, without the unchanged ones. */
export function unitRows({ units, unitFiles, before }: Plan): Named[] {
  const rows: Named[] = units
    ? [
      ["stop", units.stop],
      ["restart", units.restart],
      ["reload", units.reload],
      ["start", units.start],
      ["start again", units.again],
      ["on demand", units.onDemand],
      ["left as is", units.keep],
      ["swap off", units.swapOff],
      ["systemd", units.reexec ? ["re-executes itself"] : []],
    ]
    : unitFiles
    ? [
      ["new", before === null ? [] : unitFiles.system.added],
      ["removed", unitFiles.system.removed],
      ["changed", unitFiles.system.changed],
    ]
    : [];
  const users = unitFiles?.user;
  if (users && before !== null) {
    rows.push(
      ["users: new", users.added],
      ["users: removed", users.removed],
      ["users: changed", users.changed],
    );
  }
  return rows.filter(([, names]) => names.length > 0);
}

/** What those labels of {@linkcode unitRows} mean that need an explanation. */
export const unitMeanings: Readonly<Record<string, string>> = {
  "start again": "not running now, but should run",
  "on demand": "stopped until its socket is used",
  "left as is": "changed, and not restarted",
};

/** Returns the names of secrets, grouped by what would happen. */
export function secretRows(secrets: SecretChanges): Named[] {
  const rows: Named[] = [
    ["new", secrets.added],
    ["removed", secrets.removed],
    ["changed", secrets.changed],
    ["re-keyed", secrets.rekeyed],
  ];
  return rows.filter(([, names]) => names.length > 0)
    .map(([label, names]) => [label, names.map((name) => oneLine(name, 120))]);
}

/** Returns whether a reboot is needed, why, and who does it. */
export function rebootText(plan: Plan): string {
  const { reboot, target } = plan;
  if (!reboot) return "";
  // A reboot would end the test.
  if (plan.would === "test") return "";
  const { changed, isForced, policy } = reboot;
  if (isForced) {
    return "needed: the switch cannot replace the running init";
  }
  const isLater = target?.operation === "boot";
  if (changed.length === 0 && !isLater) return "not needed";
  const why = changed.length > 0
    ? `needed for: ${changed.join(", ")}`
    : "needed: it starts with the next boot (operation: boot)";
  return policy === "never"
    ? `${why}; gitops-sync does not reboot this host (reboot: never)`
    : `${why}; a run does it in a window (reboot: ${policy})`;
}

/** Returns a reason that stops a sync, with its end. */
export function stopText({ text, until }: Stop): string {
  return until === undefined ? text : `${text}, until ${timeOf(until)}`;
}
