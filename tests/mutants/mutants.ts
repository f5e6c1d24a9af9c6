/**
 * The mutants of `./dev mutants`: each takes away something that keeps a host
 * safe, and names the tests that must notice.
 *
 * @module
 */
import { ofLooks } from "./blind.ts";
import { ofButtons } from "./buttons.ts";
import { ofEvaluation } from "./evaluation.ts";
import { ofFaults } from "./faults.ts";
import { ofFleets } from "./fleet.ts";
import type { Mutant } from "./mutant.ts";
import { ofPackage } from "./package.ts";
import { ofPlan } from "./plan.ts";
import { ofPublishing } from "./published.ts";
import { ofSecrets } from "./secrets.ts";
import { ofPeople } from "./people.ts";
import { ofSources } from "./sources.ts";
import { ofSteering } from "./steer.ts";
import { ofGates } from "./gates.ts";
import { ofSwitch } from "./switch.ts";
import { ofTold } from "./told.ts";

/** All mutants. */
export const mutants: readonly Mutant[] = [
  ...ofFaults,
  ...ofSwitch,
  ...ofPeople,
  ...ofSources,
  ...ofEvaluation,
  ...ofSecrets,
  ...ofPackage,
  ...ofPlan,
  ...ofSteering,
  ...ofGates,
  ...ofTold,
  ...ofLooks,
  ...ofButtons,
  ...ofPublishing,
  ...ofFleets,
];
