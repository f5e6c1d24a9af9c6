/**
 * All units of systemd at one moment, as it shows them itself.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";

/** A unit, in the words of systemd (org.freedesktop.systemd1(5)). */
export interface UnitState {
  readonly name: string;
  /** `loaded`, `masked`, `not-found`, `bad-setting`, `error`, … */
  readonly load: string;
  /** `active`, `inactive`, `failed`, `activating`, `deactivating`, … */
  readonly active: string;
  /** More exactly, e.g. `auto-restart`. */
  readonly sub: string;
  /** How it ended last; `success` where nothing went wrong. */
  readonly result: string;
  /** `oneshot`, `simple`, …; empty for what is no service. */
  readonly type: string;
  /** Whether it counts as active after its process has ended. */
  readonly remains: boolean;
  /** Whether it was made at run time by `systemd-run` or a login. */
  readonly transient: boolean;
  /** The file that it was made from by a generator, e.g. `/etc/fstab`. */
  readonly source: string;
  /** How often systemd has restarted it by itself since it was started. */
  readonly restarts: number;
  /** Names one start of it. */
  readonly invocation: string;
  /** When it was last started, in microseconds since the kernel's start. */
  readonly startedAt: number;
  /** Whether a job of it is queued or under way. */
  readonly hasJob: boolean;
  /** `true`: an assertion was looked at and did not hold. */
  readonly failedAssertion: boolean;
  /** `true`: a condition was looked at and did not hold. */
  readonly failedCondition: boolean;
  /** The units that start it on demand: sockets, timers, paths, automounts. */
  readonly triggeredBy: readonly string[];
  /** The units that want it only where it is there. */
  readonly wantedBy: readonly string[];
  /** The units that can't be without it. */
  readonly requiredBy: readonly string[];
  /** The units that are stopped and restarted with it (`PartOf=`). */
  readonly parts: readonly string[];
}

const properties = [
  ...["Id", "LoadState", "ActiveState", "SubState", "Result", "Type"],
  ...["RemainAfterExit", "Transient", "SourcePath", "NRestarts"],
  ...["InvocationID", "InactiveExitTimestampMonotonic", "Job"],
  ...["AssertResult", "AssertTimestampMonotonic"],
  ...["ConditionResult", "ConditionTimestampMonotonic"],
  ...["TriggeredBy", "WantedBy", "RequiredBy", "BoundBy", "UpheldBy"],
  "ConsistsOf",
];

/**
 * Looks at all units that systemd has loaded.
 *
 * @returns `undefined` where systemd does not answer, or not as expected: then
 * nothing is known, and nobody may take that for "no unit failed".
 */
export async function lookAtUnits(
  effects: Pick<Effects, "run">,
): Promise<UnitState[] | undefined> {
  const finished = await effects.run({
    program: "systemctl",
    args: [
      "show",
      "--all",
      "--no-pager",
      `--property=${properties.join(",")}`,
      "--",
      "*",
    ],
    // systemctl itself gives up after 25 seconds without an answer.
    timeout: 30_000,
  });
  if (finished.code !== 0 || finished.timedOut) return undefined;
  return parseShown(new TextDecoder().decode(finished.stdout));
}

/**
 * Reads what `systemctl show` says of many units.
 *
 * @returns `undefined` where that is not a list of units.
 */
export function parseShown(output: string): UnitState[] | undefined {
  const blocks = output.split(/\n\n+/).filter((block) => block.trim() !== "");
  const units = blocks.map(unitFrom);
  const isWhole = units.length > 0 && units.every((unit) => unit !== undefined);
  return isWhole ? units : undefined;
}

function unitFrom(block: string): UnitState | undefined {
  const shown = new Map(
    block.split("\n").map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)] as const;
    }),
  );
  const text = (name: string) => shown.get(name) ?? "";
  const list = (...names: string[]) =>
    names.flatMap((name) => text(name).split(" ")).filter((one) => one !== "");
  const did = (name: string) => Number(text(`${name}TimestampMonotonic`)) > 0;
  const name = text("Id"), load = text("LoadState");
  const active = text("ActiveState");
  if (!name || !load || !active) return undefined;
  return {
    name,
    load,
    active,
    sub: text("SubState"),
    result: text("Result"),
    type: text("Type"),
    remains: text("RemainAfterExit") === "yes",
    transient: text("Transient") === "yes",
    source: text("SourcePath"),
    restarts: Number(text("NRestarts")) || 0,
    invocation: text("InvocationID"),
    startedAt: Number(text("InactiveExitTimestampMonotonic")) || 0,
    hasJob: !["", "0"].includes(text("Job")),
    failedAssertion: text("AssertResult") === "no" && did("Assert"),
    failedCondition: text("ConditionResult") === "no" && did("Condition"),
    triggeredBy: list("TriggeredBy"),
    wantedBy: list("WantedBy", "UpheldBy"),
    requiredBy: list("RequiredBy", "BoundBy"),
    parts: list("ConsistsOf"),
  };
}
