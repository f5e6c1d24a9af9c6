/**
 * What counts as bad. Nothing here asks the program how a host stands: it reads
 * links, boot entries and units, and knows the revision of a system by the file
 * that the system itself has.
 *
 * @module
 */
import type { Machine } from "../machine/machine.ts";

/** A system of the store and the revision that it was built from. */
export interface System {
  path: string;
  revision: string | null;
}

/** How a host stands. */
export interface Facts {
  running: System | null;
  /** Where the system profile points. */
  profile: System | null;
  /** What the bootloader starts. */
  entry: System | null;
  failedUnits: string[];
  /** What the running system wants to run, and what does not. */
  missingUnits: string[];
  /** Whether the timer that stands for ours comes again. */
  comesAgain: boolean;
  /** Whether systemd will put, or is putting, another system in place. */
  wayBack: boolean;
  /** Whether an activation is under way right now. */
  isSwitching: boolean;
  /** Whether the state and every whole line of the history can be read. */
  isReadable: boolean;
}

/** Which revisions are good: a system of any other must not stay. */
export type Good = ReadonlySet<string>;

/** The ways in which a host can be bad. */
export const badness = {
  "boot default": "a reboot would start a bad system, or none",
  unhealthy:
    "a bad system runs, or a unit has failed, and nothing is going to put that right",
  missing:
    "a unit that the running system wants does not run, and nobody was told",
  "no next run":
    "the timer that brings the next commit does not come again, and nobody was told",
  unguarded:
    "another system runs than a reboot would start, and nothing is going to decide about it",
  unreadable: "the state or the history can't be read",
  unexplained: "`status` does not say what happened, or says it wrongly",
  "not healed":
    "with the cause gone, two runs and a good commit later, the host is not in sync",
} as const;

/** One of them. */
export type Bad = keyof typeof badness;

/** Reads how a host stands. */
export async function factsOf(machine: Machine): Promise<Facts> {
  const units = await machine.output([
    "systemctl",
    "list-units",
    "--all",
    "--plain",
    "--no-legend",
    "--no-pager",
    "--full",
  ]);
  const rows = units.split("\n").map((line) => line.trim().split(/\s+/));
  const failedUnits = rows.filter(([, , active]) => active === "failed")
    .map(([name]) => name!);
  const atWork = rows.filter(([, , active]) =>
    /^(active|activating|deactivating)$/.test(active ?? "")
  ).map(([name]) => name!);
  return {
    running: systemAt(machine, machine.running()),
    profile: systemAt(machine, machine.bootDefault()),
    entry: systemAt(machine, machine.bootEntry()),
    failedUnits,
    missingUnits: missingOf(machine, atWork),
    comesAgain: await comesAgain(machine),
    wayBack: atWork.some((name) =>
      /^gitops-sync-(dead-mans-switch|activate-)/.test(name)
    ),
    isSwitching: atWork.some((name) =>
      /^gitops-sync-(dead-mans-switch\.service|activate-)/.test(name)
    ),
    isReadable: isReadable(machine),
  };
}

/** The timer that each system of a campaign has, in place of the module's. */
export const timer = "follow.timer";

/** What systemd itself says of it: it waits for a moment, or is at work. */
async function comesAgain(machine: Machine): Promise<boolean> {
  const shown = await machine.output([
    "systemctl",
    "show",
    "--property=SubState,NextElapseUSecMonotonic,NextElapseUSecRealtime",
    timer,
  ]);
  const isWaiting = /^SubState=(waiting|running)$/m.test(shown);
  const next = [...shown.matchAll(/^NextElapse\w+=(.+)$/gm)];
  return isWaiting && (/^SubState=running$/m.test(shown) ||
    next.some(([, when]) => when !== "infinity"));
}

/** The same when no activation is under way any more, ours or a dead run's. */
export async function settledFactsOf(machine: Machine): Promise<Facts> {
  for (let tries = 0;; tries++) {
    const facts = await factsOf(machine);
    if (!facts.isSwitching || tries > 200) return facts;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/**
 * The units that the running system has started itself and that do not run, as
 * its own files say. Nothing of ours is asked.
 */
function missingOf(machine: Machine, atWork: readonly string[]): string[] {
  const folder = `${machine.running()}/etc/systemd/system`;
  const wanted = namesIn(machine, folder).filter((name) =>
    name.endsWith(".wants")
  ).flatMap((name) => namesIn(machine, `${folder}/${name}`));
  return wanted.filter((name) => {
    const file = machine.follow(`${folder}/${name}`);
    const text = file === null ? "" : machine.read(file) ?? "";
    const mayEnd = /^Type=oneshot$/m.test(text) &&
      !/^RemainAfterExit=yes$/m.test(text);
    return !mayEnd && !atWork.includes(name);
  });
}

function namesIn(machine: Machine, folder: string): string[] {
  try {
    return Array.from(Deno.readDirSync(machine.path(folder)), (e) => e.name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function systemAt(machine: Machine, path: string | null): System | null {
  if (path === null) return null;
  const revision = machine.read(`${path}/configuration-revision`);
  return { path, revision: revision?.trim() ?? null };
}

function isReadable(machine: Machine): boolean {
  try {
    const state = machine.read("/var/lib/gitops-sync/state.json");
    if (state !== null) JSON.parse(state);
    const history = machine.read("/var/lib/gitops-sync/history.jsonl") ?? "";
    // The last line may be torn: it was being written when the power went.
    history.split("\n").slice(0, -1).filter((line) => line !== "")
      .forEach((line) => JSON.parse(line));
    return true;
  } catch {
    return false;
  }
}

/**
 * Judges a host right after a fault, before anybody helps.
 *
 * @param calledForHelp Whether the program ended with 8, "needs a person".
 */
export function judge(
  facts: Facts,
  good: Good,
  calledForHelp: boolean,
): Bad[] {
  const { running, profile, entry, wayBack } = facts;
  const isGood = (system: System | null) =>
    system?.revision !== null && system !== null && good.has(system.revision!);
  const bad: Bad[] = [];
  if (!isGood(entry)) bad.push("boot default");
  // Where the two differ, the entry counts, and a run has yet to end.
  if (!isGood(profile) && !wayBack) bad.push("boot default");
  const isUnwell = !isGood(running) || facts.failedUnits.length > 0;
  if (isUnwell && !wayBack && !calledForHelp) bad.push("unhealthy");
  if (
    facts.missingUnits.length > 0 && !isUnwell && !wayBack && !calledForHelp
  ) {
    bad.push("missing");
  }
  if (!facts.comesAgain && !isUnwell && !wayBack && !calledForHelp) {
    bad.push("no next run");
  }
  const differs = running?.path !== entry?.path;
  if (differs && !isUnwell && !wayBack && !calledForHelp) {
    bad.push("unguarded");
  }
  if (!facts.isReadable) bad.push("unreadable");
  return bad;
}

/** Whether a host is in order with a revision: it runs it and boots it. */
export function isInOrder(facts: Facts, revision: string): boolean {
  const { running, profile, entry, failedUnits, missingUnits, wayBack } = facts;
  return [running, profile, entry].every((one) => one?.revision === revision) &&
    failedUnits.length + missingUnits.length === 0 && !wayBack &&
    facts.isReadable && facts.comesAgain;
}
