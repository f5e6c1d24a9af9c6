/**
 * Mutants of the switch, the units, the boot default and the way back.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

const units = [
  "tests/activation/judge_units_test.ts",
  "tests/activation/watch_units_test.ts",
];
const bootDefault = ["tests/runs/boot_default_test.ts"];

/** All of these. */
export const ofSwitch: readonly Mutant[] = [
  {
    name: "units: what ran before need not run",
    file: "lib/activation/judge_units.ts",
    from:
      "  return grounds.ran.has(unit.name) && wanted && !isAtRest(unit, all)",
    to: "  return false",
    tests: units,
  },
  {
    name: "units: an idle one is blamed",
    file: "lib/activation/judge_units.ts",
    from:
      "  return grounds.ran.has(unit.name) && wanted && !isAtRest(unit, all)",
    to: "  return grounds.ran.has(unit.name) && wanted",
    tests: units,
  },
  {
    name: "units: coincidence is blamed",
    file: "lib/activation/judge_units.ts",
    from: "  return !isCoincidence(unit, grounds);",
    to: "  return true;",
    tests: units,
  },
  {
    name: "units: what failed before is blamed",
    file: "lib/activation/judge_units.ts",
    from:
      "  if (grounds.failed.has(name) || wasAbsent(unit, grounds)) return false;\n",
    to: "  if (wasAbsent(unit, grounds)) return false;\n",
    tests: units,
  },
  {
    name: "units: restarts are not counted",
    file: "lib/activation/judge_units.ts",
    from: "    return unit.restarts > then.restarts ||",
    to: "    return",
    tests: units,
  },
  {
    name: "units: a systemd that does not answer counts as well",
    file: "lib/activation/units.ts",
    from: "      if (isLate) return { ...nothing, isBlind: true };",
    to: "      if (isLate) return nothing;",
    tests: units,
  },
  {
    name: "units: an end is believed without how its process ended",
    file: "lib/host/systemd.ts",
    from: '    return result === "success" ? undefined : { result, code: 1 };',
    to: "    return { result, code: 0 };",
    tests: ["tests/host/systemd_test.ts"],
  },
  {
    name: "units: what a person starts is blamed",
    file: "lib/activation/judge_units.ts",
    from:
      "  return unit.triggeredBy.length > 0 || wantersOf(unit).length === 0;",
    to: "  return unit.triggeredBy.length > 0;",
    tests: units,
  },
  {
    name: "units: what wanted a unit need not be wanted itself",
    file: "lib/activation/judge_units.ts",
    from:
      '    return grounds.ran.has(name) && by.load === "loaded" &&\n      isWanted(by, all, grounds, [...seen, unit.name]);',
    to: '    return grounds.ran.has(name) && by.load === "loaded";',
    tests: units,
  },
  {
    name: "boot: the way back does not look at the bootloader",
    file: "lib/activation/undo.ts",
    from: "    bootDefault() !== previous || startsAnother(run, previous);",
    to: "    bootDefault() !== previous;",
    tests: bootDefault,
  },
  {
    name: "boot: recovery does not look at the bootloader",
    file: "lib/sync/recover.ts",
    from: "    !startsAnother(run, previous.bootDefault);",
    to: "    true;",
    tests: bootDefault,
  },
  {
    name: "boot: an entry that was set by hand is no drift",
    file: "lib/run/drift.ts",
    from: "  if (boots && misled) {",
    to: "  if (false) {",
    tests: bootDefault,
  },
  {
    name: "boot: a run that is done before it begins does not look",
    file: "lib/sync/settled.ts",
    from: "    loaderTimes(),\n",
    to: "",
    tests: bootDefault,
  },
  {
    name: "boot: a loader that is set by hand is not read back any more",
    file: "lib/activation/confirm.ts",
    from: "  const readBack = run.state.lastGood?.loaders ?? [];",
    to: "  const readBack: string[] = [];",
    tests: bootDefault,
  },
  {
    name: "switch: a process without a start is waited for",
    file: "lib/activation/switching.ts",
    from: "  if (startTime === undefined) return;\n",
    to: "",
    tests: ["tests/activation/switching_test.ts"],
  },
  {
    name: "switch: a process that nothing ends is waited for",
    file: "lib/activation/switching.ts",
    from: "    if (late > patience) throw unending(pid);\n",
    to: "    if (late > 100 * patience) return;\n",
    tests: ["tests/activation/switching_test.ts"],
  },
  {
    name: "the way back asks the checks of the system",
    file: "lib/activation/switching.ts",
    from: 'unchecked: Variables = { NIXOS_NO_CHECK: "1" };',
    to: "unchecked: Variables = {};",
    tests: ["tests/runs/operations_test.ts"],
  },
];
