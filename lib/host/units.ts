/**
 * Reads all units of systemd at one moment.
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
  /** How it ended last; `success` without a failure. */
  readonly result: string;
  /** `oneshot`, `simple`, …; empty if it is not a service. */
  readonly type: string;
  /** Whether it counts as active after its process has ended. */
  readonly remains: boolean;
  /** Whether `systemd-run` or a login created it at run time. */
  readonly transient: boolean;
  /** The file from which a generator created it, e.g. `/etc/fstab`. */
  readonly source: string;
  /** How often systemd has restarted it since it was started. */
  readonly restarts: number;
  /** The id of one start of it. */
  readonly invocation: string;
  /** When it was last started, in microseconds since the kernel's start. */
  readonly startedAt: number;
  /** Whether a job of it is queued or in progress. */
  readonly hasJob: boolean;
  /** `true`: an assertion was checked and failed. */
  readonly failedAssertion: boolean;
  /** `true`: a condition was checked and failed. */
  readonly failedCondition: boolean;
  /** The units that start it on demand: sockets, timers, paths, automounts. */
  readonly triggeredBy: readonly string[];
  /** The units that want it if it exists (`Wants=`). */
  readonly wantedBy: readonly string[];
  /** The units that need it (`Requires=`). */
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
 * Reads all units that systemd has loaded.
 *
 * @returns `undefined` if systemd gives no valid answer. Then nothing is known,
 * which must not be taken for "no unit failed".
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
 * Reads the output of `systemctl show` for many units.
 *
 * @returns `undefined` if it is not a list of units.
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
