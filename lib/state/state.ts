/**
 * The state that the program keeps between runs. It never contains a secret.
 *
 * @module
 */
import type { ExitCode, Stage } from "../base/errors.ts";
import type { Systems } from "../host/system.ts";
import type { RefKind } from "../base/tip.ts";
import type { Slot, SlotWait } from "./slot.ts";

/** A commit as people know it. Texts are already safe to show. */
export interface Commit {
  revision: string;
  subject: string;
  author: string;
  /** When it was committed, ISO 8601. */
  committedAt: string;
  /** Who signed it, if signatures were checked. */
  signers?: readonly Signer[];
  /**
   * The SHA-256 of the signed part, if signatures were checked. It is the same
   * for all hashes that others can give to the commit.
   */
  digest?: string;
}

/** The signer of a good signature. */
export interface Signer {
  kind: "ssh" | "openpgp";
  /** The principal of an SSH key, the user id of an OpenPGP key. */
  name: string;
  /** The key's fingerprint. */
  key: string;
}

/** What decides which system is built from a revision on this host. */
export interface Target {
  repository: string;
  ref: string;
  directory: string;
  host: string;
  operation: "switch" | "boot" | "test" | "build";
}

/** A system that passed all checks, and its origin. */
export interface Deployment extends Commit {
  target: Target;
  /** Its store path. */
  system: string;
  /** When it was confirmed, ISO 8601. */
  at: string;
  /** The boot in which it was confirmed, if it was running. */
  boot?: string;
  /** `true` after the check that the host boots with it. */
  booted?: true;
  /**
   * `true`: the host was unhealthy after a boot with it, and had no rollback.
   */
  unwell?: true;
  /** The units that had already failed before it. */
  failing?: readonly string[];
  /** The bootloaders that were confirmed to start it. */
  loaders?: readonly string[];
}

/** The newest revision of a ref that was deployed here. */
export interface Followed {
  repository: string;
  ref: string;
  revision: string;
  /** As in {@linkcode Commit}. */
  digest?: string;
  /** The kind of the ref at that time. */
  kind: RefKind;
  /** The full name of the tag, if the ref is a pattern. */
  name?: string;
}

/**
 * A blocked revision: it is not tried again until the branch moves, or `retry`.
 */
export interface Hold {
  revision: string;
  /** As in {@linkcode Commit}, if the signature was good. */
  digest?: string;
  /** The target of the attempt: another target is another attempt. */
  target: Target;
  stage: Stage;
  reason: string;
  message: string;
  hints: readonly string[];
  since: string;
}

/** What a rollback leaves. */
export interface Left {
  revisions: readonly string[];
  /** Why, if it was not a person's request. */
  because?: string;
  /** Set if the host stays there until `resume`: who requested that. */
  stays?: Wish;
}

/** Who requested something, and why. */
export interface Wish {
  by: string;
  reason?: string;
}

/** A person's request that the host stays on the system of a rollback. */
export interface RolledBack extends Wish {
  /** When that was, ISO 8601. */
  at: string;
  /** The store path that it stays on. */
  system: string;
}

/** A built revision that waits for a person's approval. */
export interface Waiting extends Commit {
  target: Target;
  /** Its store path, which is protected from garbage collection. */
  system: string;
  /** Since when it waits, ISO 8601. */
  since: string;
  /** The machine's own clock at that time: the boot, and seconds since it. */
  clock?: { boot: string; uptime: number };
  approved?: { by: string; at: string };
}

/** A condition between build and activation, as found by a run. */
export interface Gate {
  /** `soak`, `checks PATTERN`, `prometheus NUMBER` or `command`. */
  name: string;
  isOpen: boolean;
  /** Since when it has this state for this revision, ISO 8601. */
  since: string;
  /** The result, in a few words. */
  why: string;
  /** When it opens by itself, if known. ISO 8601. */
  until?: string;
}

/** A built revision that gates hold back. */
export interface Gated extends Commit {
  target: Target;
  /** Its store path, which is protected from garbage collection. */
  system: string;
  /** Since when it is held back, ISO 8601. */
  since: string;
  /** All gates, in the order in which they are checked. */
  gates: readonly Gate[];
  /** When they were checked last, ISO 8601. */
  at: string;
  /** The earliest time of the next check, ISO 8601. */
  notBefore: string;
}

/** A revision that a ref was seen at. */
export interface Sighting {
  repository: string;
  ref: string;
  revision: string;
  /** The full name of the tag, if the ref is a pattern. */
  name?: string;
  /** When this host first saw the revision, ISO 8601. */
  since: string;
  /** The machine's own clock at that time: the boot, and seconds since it. */
  clock?: { boot: string; uptime: number };
}

/** The last attempt of the testing branch. */
export interface Testing {
  /** The revision of the branch, and its full name. */
  revision: string;
  ref: string;
  /** The revision of the followed ref at that time. */
  base: string;
  /** `true`: it did not descend from that. */
  isAside?: true;
  /** The last deployment of the branch. */
  deployment?: Deployment;
}

/** The journal of a run in progress: enough to finish or undo it. */
export interface Attempt {
  /** Names the run, its units and its history entry. */
  id: string;
  command: "sync" | "rollback";
  commit: Commit;
  target: Target;
  startedAt: string;
  /** The stage that was begun last. */
  stage: Stage;
  /** Which boot of the kernel it began in. */
  bootId: string;
  /** Set if a ref was followed to it: the kind of the ref. */
  kind?: RefKind;
  /** The full name of the tag, if the ref is a pattern. */
  name?: string;
  /** The accepted revision that allows this move of the ref. */
  accepted?: string;
  /** Who requested it, if somebody pressed a button. */
  by?: string;
  /** Set for a rollback: what must not be deployed again automatically. */
  left?: Left;
  /** Set if a person skipped the gates: who it was. */
  skipped?: Wish;
  /** Set for a revision of the testing branch: what it must descend from. */
  testing?: { base: string; ref: string };
  /** From activation on: the systems of the host before it. */
  previous?: Systems;
  /** From activation on: the units that had failed before it. */
  failedBefore?: readonly string[];
  /** From activation on: the units that ran before it. */
  ranBefore?: readonly string[];
  /** From activation on: the store path that is being activated. */
  candidate?: string;
  /** `true` from just before the first thing that changes the host. */
  touched?: true;
  /** The activation's own process, if it is not a systemd unit. */
  process?: { pid: number; startTime: string };
  /** `true` while the previous system is being put back. */
  undoing?: true;
}

/** How an attempt can end. */
export type Result =
  | "deployed"
  | "built"
  | "corrected"
  | "rolled-back"
  | "tested"
  | "test-over"
  | "waiting"
  | "gated"
  | "approved"
  | "rejected"
  | "accepted"
  | "unlocked"
  | "interrupted"
  | "failed"
  /** Not an attempt, but a period in which the remote did not answer. */
  | "unreached";

/** How the last attempt ended. */
export interface LastAttempt {
  at: string;
  result: Result;
  exit: ExitCode;
  revision?: string;
  stage?: Stage;
  reason?: string;
  message: string;
  hints: readonly string[];
  /** How many times in a row it ended like this. */
  times: number;
}

/** A pause after temporary failures. */
export interface Backoff {
  revision: string;
  failures: number;
  notBefore: string;
  /** Milliseconds of pause that a server asked for, if one did. */
  asked?: number;
}

/** A period in which the remote did not answer, or had no such ref. */
export interface Unreached {
  id: string;
  /** When the first and the last query failed. ISO 8601. */
  since: string;
  at: string;
  tries: number;
  exit: ExitCode;
  reason: string;
  message: string;
}

/** A server that asked for a pause. */
export interface Quiet {
  repository: string;
  /** ISO 8601. */
  until: string;
  /** The requested pause, in milliseconds. */
  asked: number;
}

/** The condition of a host before a change. */
export interface Before {
  /**
   * Units that had failed, or failed repeatedly: the change is not blamed for
   * them.
   */
  readonly failed: readonly string[];
  /**
   * Units that were starting: they may be long jobs, so nothing waits for them.
   */
  readonly starting: readonly string[];
  /** The default routes. */
  readonly routes: readonly ("IPv4" | "IPv6")[];
}

/** A reboot that a run has requested. */
export interface Reboot {
  at: string;
  /** The boot of the kernel that it ends. */
  bootId: string;
  /** The confirmed system that is to come up. */
  revision: string;
  system: string;
  /** Why it was needed, in words. */
  why: readonly string[];
  /** The system that was booted before. */
  booted: string | null;
  /** The condition of the host. */
  before: Before;
  /** Whether it rolls back a reboot that failed. */
  isWayBack: boolean;
  /** The result, found by a later run. */
  result?: "well" | "failed";
  /** If it failed: the system that the host rolled back to. */
  backTo?: string;
}

/** The content of `state.json`. */
export interface State {
  version: 1;
  /** The remote's last answer, and when it changed. */
  seen?: {
    ref: string;
    revision: string;
    kind: string;
    /** The full name of the tag, if the ref is a pattern. */
    name?: string;
    /** The URL that answered, if there are mirrors. */
    servedBy?: string;
    at: string;
  };
  /** The newest deployed revision of each ref, the newest first. */
  followed?: readonly Followed[];
  lastGood?: Deployment;
  /** Good systems before that, newest first. */
  earlier: readonly Deployment[];
  /** The last build, if the operation is `build`. */
  built?: Deployment;
  holds: readonly Hold[];
  attempt?: Attempt;
  backoff?: Backoff;
  /**
   * A system that runs although it failed its checks, because there was none
   * before it. It is activated and checked again before it is confirmed.
   */
  unfit?: string;
  quiet?: readonly Quiet[];
  /**
   * The period in which the remote does not answer; it becomes a history entry.
   */
  unreached?: Unreached;
  /** A revision whose activation was interrupted, and how often. */
  cutOff?: { revision: string; digest?: string; times: number };
  last?: LastAttempt;
  /** Revisions that a person allowed although the ref was moved to them. */
  accepted?: readonly Accepted[];
  /** A revision that a person allows to remove what fetches the next commit. */
  unfollow?: Accepted;
  /** The SHA-256 of signed notes that were applied here, the newest first. */
  heeded?: readonly string[];
  rolledBack?: RolledBack;
  waiting?: Waiting;
  gated?: Gated;
  /**
   * The revisions that the ref was seen at, the newest last. Only for
   * `gates.soak`.
   */
  sightings?: readonly Sighting[];
  testing?: Testing;
  /** The first trusted revision: its history is trusted as well. */
  firstTrusted?: { repository: string; revision: string; at: string };
  /** The last requested reboot. */
  reboot?: Reboot;
  /** What is missing for the isolation of the evaluation, in words. */
  isolation?: string;
  /** The slot of the fleet that this host holds or must release. */
  slot?: Slot;
  /** The slot that this host waits for. */
  slotWait?: SlotWait;
  /** Lines of the history that could not be written yet, oldest first. */
  unwritten?: readonly HistoryEntry[];
  /** Messages that could not be put into the spool yet, oldest first. */
  untold?: readonly Untold[];
}

/** A message for the spool (lib/notify/spool.ts). */
export interface Untold {
  id: string;
  waiting: { channel: string };
}

/**
 * A person's permission to move a ref to this revision once, or to a descendant
 * of it.
 */
export interface Accepted {
  revision: string;
  /** As in {@linkcode Commit}. */
  digest?: string;
  /** The ref that may be moved. An older program did not store it. */
  repository?: string;
  ref?: string;
  at: string;
  /** Until when, ISO 8601. */
  until?: string;
}

/** How long one stage of an attempt took. */
export interface StageTime {
  stage: Stage;
  /** Milliseconds. */
  ms: number;
}

/** One attempt, as it ended. */
export interface HistoryEntry {
  /**
   * How many queries failed, for a period in which the remote did not answer.
   */
  tries?: number;
  version: 1;
  id: string;
  command:
    | "sync"
    | "rollback"
    | "accept"
    | "approve"
    | "reject"
    | "fleet unlock";
  /** When it began, ISO 8601. */
  at: string;
  /** Milliseconds from its beginning to its end. */
  ms: number;
  result: Result;
  exit: ExitCode;
  revision?: string;
  subject?: string;
  author?: string;
  /** Who signed it, if signatures were checked. */
  signers?: readonly Signer[];
  /** The store path, once it was built. */
  system?: string;
  /** `true`: a person skipped the gates. */
  skippedGates?: true;
  /** The person who requested or approved it, and why. */
  by?: string;
  why?: string;
  stages: readonly StageTime[];
  /** Where and why it failed. */
  stage?: Stage;
  reason?: string;
  message?: string;
}
