/**
 * How a host stands. Nothing here asks the program: it reads links, boot
 * entries, units and files, and knows the revision of a system by the file that
 * the system itself has.
 *
 * @module
 */
import { Machine } from "../machine/machine.ts";
import type { Host } from "../world/host.ts";
import { run } from "../world/program.ts";

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
  /** `false`: no systemd runs there, so the next run alone can put it right. */
  hasSystemd: boolean;
  failedUnits: string[];
  /** What the running system wants to run, and what does not. */
  missingUnits: string[];
  /** Whether the timer that stands for ours comes again. */
  comesAgain: boolean;
  /** The system that systemd puts in place by itself, by a timer that is armed. */
  guard: System | null;
  /** When that timer began, in seconds since the boot. */
  guardSince: number | null;
  /** When the system of the attempt was activated, by the same clock. */
  activatedAt: number | null;
  /** Whether an activation is under way right now. */
  isSwitching: boolean;
  /** Whether the state and every whole line of the history can be read. */
  isReadable: boolean;
  /** Whether the history has the outcome that the state tells. */
  isInHistory: boolean;
  /** What the journal says is under way. */
  attempt: Journal | null;
  /** The switches since the boot: `test REVISION`, `boot REVISION`. */
  calls: string[];
  /** The revisions that are held, each with the reason. */
  held: { revision: string; reason: string }[];
}

/** The part of the journal that is looked at. */
export interface Journal {
  stage: string;
  undoing: boolean;
  revision: string;
  subject: string;
}

/** The timer that each system of a campaign has, in place of the module's. */
export const timer = "follow.timer";

const deadMansSwitch = "gitops-sync-dead-mans-switch";

/** Reads how a host stands once no switch is at work any more. */
export async function factsOf(host: Host): Promise<Facts> {
  for (let tries = 0;; tries++) {
    const facts = await factsNow(host);
    if (!facts.isSwitching || tries > 200) return facts;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function factsNow(host: Host): Promise<Facts> {
  return {
    running: systemAt(host, host.running()),
    profile: systemAt(host, host.bootDefault()),
    entry: systemAt(host, host.bootEntry()),
    ...host instanceof Machine ? await unitsOf(host) : await withoutUnits(host),
    ...recordsOf(host),
    activatedAt: activatedAt(host),
    calls: host.calls().map(({ action, system }) =>
      `${action} ${systemAt(host, system)?.revision}`
    ),
  };
}

type Units = Pick<
  Facts,
  | "hasSystemd"
  | "failedUnits"
  | "missingUnits"
  | "comesAgain"
  | "guard"
  | "guardSince"
  | "isSwitching"
>;

async function unitsOf(machine: Machine): Promise<Units> {
  const units = await machine.output([
    "/usr/bin/systemctl",
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
    hasSystemd: true,
    failedUnits,
    missingUnits: missingOf(machine, atWork),
    comesAgain: await comesAgain(machine, timer),
    guard: await guardOf(machine),
    guardSince: await sinceOf(machine),
    isSwitching: atWork.some((name) =>
      /^gitops-sync-(dead-mans-switch\.service|activate-)/.test(name)
    ),
  };
}

/** The switch of a dead run goes on by itself there, and holds its lock. */
async function withoutUnits(host: Host): Promise<Units> {
  const lock = host.path("/run/nixos/switch-to-configuration.lock");
  const { code } = await run(["flock", "--nonblock", lock, "true"]);
  return {
    hasSystemd: false,
    failedUnits: [],
    missingUnits: [],
    comesAgain: true,
    guard: null,
    guardSince: null,
    isSwitching: code === 1,
  };
}

/** What systemd itself says of a timer: it waits for a moment, or is at work. */
async function comesAgain(machine: Machine, name: string): Promise<boolean> {
  const shown = await show(
    machine,
    name,
    "SubState,NextElapseUSecMonotonic,NextElapseUSecRealtime",
  );
  const isWaiting = /^SubState=(waiting|running)$/m.test(shown);
  const next = [...shown.matchAll(/^NextElapse\w+=(.+)$/gm)];
  return isWaiting && (/^SubState=running$/m.test(shown) ||
    next.some(([, when]) => when !== "infinity"));
}

/**
 * The system that the dead-man's switch starts: only if its timer has a moment,
 * and the system is still there.
 */
async function guardOf(machine: Machine): Promise<System | null> {
  if (!await comesAgain(machine, `${deadMansSwitch}.timer`)) return null;
  const shown = await show(machine, `${deadMansSwitch}.service`, "ExecStart");
  const path = /^ExecStart=.*path=(\S+)\/bin\/switch-to-configuration ;/m
    .exec(shown)?.[1];
  if (path === undefined) return null;
  const script = machine.follow(`${path}/bin/switch-to-configuration`);
  return script === null ? null : systemAt(machine, path);
}

async function sinceOf(machine: Machine): Promise<number | null> {
  const property = "ActiveEnterTimestampMonotonic";
  const shown = await show(machine, `${deadMansSwitch}.timer`, property);
  const micros = Number(/=(\d+)$/m.exec(shown)?.[1] ?? 0);
  return micros > 0 ? micros / 1e6 : null;
}

/** Each system of a campaign writes that down, in a file of its own. */
function activatedAt(host: Host): number | null {
  const attempt = recordsOf(host).attempt;
  // Its subject is known once it is fetched.
  const text = attempt?.subject &&
    host.read(`/run/activated/${attempt.subject}`);
  return text ? Number(text) : null;
}

function show(
  machine: Machine,
  unit: string,
  properties: string,
): Promise<string> {
  return machine.output(
    ["/usr/bin/systemctl", "show", `--property=${properties}`, unit],
  );
}

/** Lets the dead-man's switch do its work now, with nobody else's help. */
export async function fire(machine: Machine): Promise<void> {
  // Its service is forgotten with its timer, so that comes first.
  for (
    const [verb, unit] of [["start", "service"], ["stop", "timer"]] as const
  ) {
    await machine.run(
      ["/usr/bin/systemctl", verb, `${deadMansSwitch}.${unit}`],
    );
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

function systemAt(host: Host, path: string | null): System | null {
  if (path === null) return null;
  const revision = host.read(`${path}/configuration-revision`);
  return { path, revision: revision?.trim() ?? null };
}

type Records = Pick<Facts, "isReadable" | "isInHistory" | "attempt" | "held">;

function recordsOf(host: Host): Records {
  const nothing = { isInHistory: true, attempt: null, held: [] };
  try {
    const state = host.state();
    // The last line may be torn: it was being written when the power went.
    const history = (host.read("/var/lib/gitops-sync/history.jsonl") ?? "")
      .split("\n").slice(0, -1).filter((line) => line !== "").map((line) =>
        JSON.parse(line)
      );
    if (!state) return { isReadable: true, ...nothing };
    const { last, attempt, unwritten = [], holds } = state;
    const isOutcome = last?.revision !== undefined &&
      ["deployed", "corrected", "rolled-back"].includes(last.result);
    return {
      isReadable: true,
      isInHistory: !isOutcome ||
        [...history, ...unwritten].some((line) =>
          line.revision === last.revision && line.result === last.result
        ),
      attempt: attempt
        ? {
          stage: attempt.stage,
          undoing: attempt.undoing === true,
          revision: attempt.commit.revision,
          subject: attempt.commit.subject,
        }
        : null,
      held: holds.map(({ revision, reason }) => ({ revision, reason })),
    };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { isReadable: false, ...nothing };
  }
}
