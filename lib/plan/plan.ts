/**
 * The result of a plan: what a sync would do.
 *
 * @module
 */
import type { SyncError } from "../base/errors.ts";
import type { Stop } from "../run/stops.ts";
import type { Target } from "../state/state.ts";
import type { Commits } from "./commits.ts";
import type { PackageChanges } from "./packages.ts";
import type { SecretChanges } from "./secrets.ts";
import type { UnitFileChanges, UnitPlan } from "./units.ts";

/** What a sync would do with the revision. */
export type Would =
  /** Deploy it to this host. */
  | "deploy"
  /** Activate the deployed system again, because somebody switched by hand. */
  | "correct"
  /** Try out the testing branch until the next reboot. */
  | "test"
  /** Return to the followed ref, because the testing branch is over. */
  | "test-over"
  | "nothing";

/** Whether and why a system needs a reboot. */
export interface RebootNeed {
  /** The parts that differ from the booted system; empty: no reboot is needed. */
  changed: readonly string[];
  /** Whether a switch without a reboot is impossible. */
  isForced: boolean;
  /** `reboot` of the configuration. */
  policy: string;
}

/** The plan. Unknown parts are missing, and `notes` says why. */
export interface Plan {
  /** The host's name in the flake. */
  host: string;
  /** Missing in the plan of a folder. */
  target?: Target;
  /** What the plan is about, in words: `branch main`, `the folder /srv/infra`. */
  about: string;
  would: Would;
  /** The commit; missing for a folder with uncommitted changes. */
  revision?: string;
  commits?: Commits;
  /** The result of verification, in words. */
  verified?: string;
  /** Where and why a sync of it would fail. */
  failure?: SyncError;
  /** Whether it was built; `false`: no build was requested. */
  isBuilt: boolean;
  /** The running system and the new one. */
  before?: string | null;
  after?: string;
  packages?: PackageChanges;
  units?: UnitPlan;
  unitFiles?: UnitFileChanges;
  reboot?: RebootNeed;
  /** Changes between two systems, by name. */
  secrets?: SecretChanges;
  /** Changes between two revisions, by path. */
  secretFiles?: SecretChanges;
  stops: readonly Stop[];
  /** What is unknown and why, one sentence each. */
  notes: readonly string[];
}

/**
 * Whether this host would change; `undefined` if that is unknown, because
 * nothing was built.
 */
export function changes({ would, before, after }: Plan): boolean | undefined {
  if (would === "nothing") return false;
  return after === undefined ? undefined : before !== after;
}
