/**
 * What a sync would do, without doing it: the shape of the answer.
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
  /** Bring it to this host. */
  | "deploy"
  /** Put back what was deployed, because somebody switched by hand. */
  | "correct"
  /** Try the testing branch out, until the next reboot. */
  | "test"
  /** Put back what is followed, because the testing branch is over. */
  | "test-over"
  | "nothing";

/** What a system needs a reboot for. */
export interface RebootNeed {
  /** What of it is not what was booted, in words; empty: no reboot is needed. */
  changed: readonly string[];
  /** Whether it can't be switched to without one. */
  isForced: boolean;
  /** `reboot` of the configuration. */
  policy: string;
}

/** The answer. What could not be looked at is missing, and `notes` says why. */
export interface Plan {
  /** The host's name in the flake. */
  host: string;
  /** None where a folder is planned. */
  target?: Target;
  /** What the plan is about, in words: `branch main`, `the folder /srv/infra`. */
  about: string;
  would: Would;
  /** The commit; none of a folder with changes that are not committed. */
  revision?: string;
  commits?: Commits;
  /** What of the revision was verified, in words. */
  verified?: string;
  /** Where and why a sync of it would fail. */
  failure?: SyncError;
  /** Whether it was built; `false`: it was not asked for. */
  isBuilt: boolean;
  /** The system that runs, and the one that would. */
  before?: string | null;
  after?: string;
  packages?: PackageChanges;
  units?: UnitPlan;
  unitFiles?: UnitFileChanges;
  reboot?: RebootNeed;
  /** Of two systems, by name. */
  secrets?: SecretChanges;
  /** Of two revisions, by path. */
  secretFiles?: SecretChanges;
  stops: readonly Stop[];
  /** What could not be looked at, and why, one sentence each. */
  notes: readonly string[];
}

/**
 * Whether this host would change; `undefined` where that is not known, because
 * nothing was built.
 */
export function changes({ would, before, after }: Plan): boolean | undefined {
  if (would === "nothing") return false;
  return after === undefined ? undefined : before !== after;
}
