/**
 * What the program remembers from one run to the next. No secret is ever in it.
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
  /** Who signed it, where signatures were checked. */
  signers?: readonly Signer[];
  /**
   * The SHA-256 of what its signature covers, where signatures were checked.
   * It is the same for all hashes that others can give to the commit.
   */
  digest?: string;
}

/** Whose signature was good. */
export interface Signer {
  kind: "ssh" | "openpgp";
  /** The principal of an SSH key, the user id of an OpenPGP key. */
  name: string;
  /** The key's fingerprint. */
  key: string;
}

/** What decides which system a revision becomes on this host. */
export interface Target {
  repository: string;
  ref: string;
  directory: string;
  host: string;
  operation: "switch" | "boot" | "test" | "build";
}

/** A system that passed everything, with where it came from. */
export interface Deployment extends Commit {
  target: Target;
  /** Its store path. */
  system: string;
  /** When it was confirmed, ISO 8601. */
  at: string;
  /** The boot in which it was confirmed, where it ran by then. */
  boot?: string;
  /** `true` once it was looked at whether the host comes up with it. */
  booted?: true;
  /** `true`: the host did not come up well with it, and had no way back. */
  unwell?: true;
  /** The units that had failed even before it, and not because of it. */
  failing?: readonly string[];
  /** The bootloaders that were read back as starting it. */
  loaders?: readonly string[];
}

/** The newest revision of a ref that was deployed here. */
export interface Followed {
  repository: string;
  ref: string;
  revision: string;
  /** As in {@linkcode Commit}. */
  digest?: string;
  /** What the name was at that time. */
  kind: RefKind;
  /** The tag that it was, where the ref is a pattern: its full name. */
  name?: string;
}

/** A revision that is not tried again until the branch moves or `retry`. */
export interface Hold {
  revision: string;
  /** As in {@linkcode Commit}: given where the signature was good. */
  digest?: string;
  /** What it was to become: another target is another attempt. */
  target: Target;
  stage: Stage;
  reason: string;
  message: string;
  hints: readonly string[];
  since: string;
}

/** What a way back leaves. */
export interface Left {
  revisions: readonly string[];
  /** Why, where it was not a person's wish. */
  because?: string;
  /** Given where the host stays there until `resume`: whose wish that is. */
  stays?: Wish;
}

/** Who wished something, and why. */
export interface Wish {
  by: string;
  reason?: string;
}

/** A person's word that the host stays on what it was rolled back to. */
export interface RolledBack extends Wish {
  /** When that was, ISO 8601. */
  at: string;
  /** The store path that it stays on. */
  system: string;
}

/** A built revision that waits for a person's word. */
export interface Waiting extends Commit {
  target: Target;
  /** Its store path, which is kept from garbage collection. */
  system: string;
  /** Since when it waits, ISO 8601. */
  since: string;
  /** The machine's own clock at that time: the boot, and seconds since it. */
  clock?: { boot: string; uptime: number };
  approved?: { by: string; at: string };
}

/** One condition between build and activation, as a run found it. */
export interface Gate {
  /** `soak`, `checks PATTERN`, `prometheus NUMBER` or `command`. */
  name: string;
  isOpen: boolean;
  /** Since when it stands so for this revision, ISO 8601. */
  since: string;
  /** What was found, in a few words. */
  why: string;
  /** When it opens by itself, where that is known. ISO 8601. */
  until?: string;
}

/** A built revision that gates hold back. */
export interface Gated extends Commit {
  target: Target;
  /** Its store path, which is kept from garbage collection. */
  system: string;
  /** Since when it is held back, ISO 8601. */
  since: string;
  /** All gates, in the order in which they are asked. */
  gates: readonly Gate[];
  /** When they were asked last, ISO 8601. */
  at: string;
  /** When they are asked again at the earliest, ISO 8601. */
  notBefore: string;
}

/** A revision that a ref was seen at. */
export interface Sighting {
  repository: string;
  ref: string;
  revision: string;
  /** The full name of the tag, where the ref is a pattern. */
  name?: string;
  /** When this host first saw the revision, ISO 8601. */
  since: string;
  /** The machine's own clock at that time: the boot, and seconds since it. */
  clock?: { boot: string; uptime: number };
}

/** What was tried of the testing branch last. */
export interface Testing {
  /** What the branch named, and its full name. */
  revision: string;
  ref: string;
  /** What the followed ref named then. */
  base: string;
  /** `true`: it did not descend from that. */
  isAside?: true;
  /** What was deployed of the branch last. */
  deployment?: Deployment;
}

/** The journal of a run under way: enough to finish or undo it. */
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
  /** Given where a ref was followed to it: what that name is. */
  kind?: RefKind;
  /** The full name of that, where the ref is a pattern of tags. */
  name?: string;
  /** The revision by whose acceptance the ref may be where it is. */
  accepted?: string;
  /** Whose wish it is, where somebody pressed a button for it. */
  by?: string;
  /** Given where it is a way back: what must not come again by itself. */
  left?: Left;
  /** Given where a person had the gates skipped: whose word that was. */
  skipped?: Wish;
  /** Given for a revision of the testing branch: what it must descend from. */
  testing?: { base: string; ref: string };
  /** From activation on: how the host stood before. */
  previous?: Systems;
  /** From activation on: the units that had failed before it. */
  failedBefore?: readonly string[];
  /** From activation on: the units that ran before it. */
  ranBefore?: readonly string[];
  /** From activation on: the store path that is being activated. */
  candidate?: string;
  /** `true` from just before the first thing that changes the host. */
  touched?: true;
  /** The activation's own process, where it is no systemd unit. */
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
  /** No attempt, but a spell in which the remote did not answer. */
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
  /** How many times in a row it ended so. */
  times: number;
}

/** A pause after failures that may pass by themselves. */
export interface Backoff {
  revision: string;
  failures: number;
  notBefore: string;
  /** Milliseconds of pause that a server asked for, if one did. */
  asked?: number;
}

/** A spell in which the remote did not answer, or had no such name. */
export interface Unreached {
  id: string;
  /** When it was first asked in vain, and when last. ISO 8601. */
  since: string;
  at: string;
  tries: number;
  exit: ExitCode;
  reason: string;
  message: string;
}

/** A server that asked to be left alone for some time. */
export interface Quiet {
  repository: string;
  /** ISO 8601. */
  until: string;
  /** How long it asked for, in milliseconds. */
  asked: number;
}

/** How a host was before something is done to it. */
export interface Before {
  /** Units that had failed, or failed again and again: nobody's fault later. */
  readonly failed: readonly string[];
  /** Units that were starting: perhaps long jobs, which nobody waits for. */
  readonly starting: readonly string[];
  /** The default routes that there were. */
  readonly routes: readonly ("IPv4" | "IPv6")[];
}

/** A reboot that a run has asked for. */
export interface Reboot {
  at: string;
  /** Which boot of the kernel it ends. */
  bootId: string;
  /** The confirmed system that is to come up. */
  revision: string;
  system: string;
  /** What needed it, in words. */
  why: readonly string[];
  /** The system that was booted before. */
  booted: string | null;
  /** How the host was. */
  before: Before;
  /** Whether it leads back from a reboot that failed. */
  isWayBack: boolean;
  /** What a later run has found. */
  result?: "well" | "failed";
  /** Where it failed: the system that the host went back to. */
  backTo?: string;
}

/** The content of `state.json`. */
export interface State {
  version: 1;
  /** What the remote said last, when that changed. */
  seen?: {
    ref: string;
    revision: string;
    kind: string;
    /** The full name of the tag, where the ref is a pattern. */
    name?: string;
    /** The URL that answered, where there are mirrors. */
    servedBy?: string;
    at: string;
  };
  /** How far refs were followed, the newest first. */
  followed?: readonly Followed[];
  lastGood?: Deployment;
  /** Good systems before that, newest first. */
  earlier: readonly Deployment[];
  /** What was built last where the operation is `build`. */
  built?: Deployment;
  holds: readonly Hold[];
  attempt?: Attempt;
  backoff?: Backoff;
  /**
   * The system that runs although it was found unfit, because none ran before
   * it: it is activated and looked at anew before it is confirmed.
   */
  unfit?: string;
  quiet?: readonly Quiet[];
  /** Since when the remote does not answer; it becomes a line of the history. */
  unreached?: Unreached;
  /** A revision whose activation was cut off, and how often. */
  cutOff?: { revision: string; digest?: string; times: number };
  last?: LastAttempt;
  /** Revisions that a person allowed although the ref was moved to them. */
  accepted?: readonly Accepted[];
  /** A revision that a person lets end what brings the next commit. */
  unfollow?: Accepted;
  /** The SHA-256 of signed notes that counted here, the newest first. */
  heeded?: readonly string[];
  rolledBack?: RolledBack;
  waiting?: Waiting;
  gated?: Gated;
  /** What the ref was seen at, the newest last: for `gates.soak` alone. */
  sightings?: readonly Sighting[];
  testing?: Testing;
  /** The first revision that was trusted, and the history behind it with it. */
  firstTrusted?: { repository: string; revision: string; at: string };
  /** The reboot that was asked for last. */
  reboot?: Reboot;
  /** What is missing of the isolation of revisions that are evaluated, in words. */
  isolation?: string;
  /** The slot of the fleet that this host holds, or has to give back. */
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
 * A person's word that a ref may be moved to this revision, once, or to what
 * is built on it.
 */
export interface Accepted {
  revision: string;
  /** As in {@linkcode Commit}. */
  digest?: string;
  /** The ref that may be moved. An older program did not write it down. */
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
  /** How often the remote was asked in vain, for a spell of that. */
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
  /** Who signed it, where signatures were checked. */
  signers?: readonly Signer[];
  /** The store path, once it was built. */
  system?: string;
  /** `true`: a person had the gates skipped. */
  skippedGates?: true;
  /** The person who wished it or approved it, and why. */
  by?: string;
  why?: string;
  stages: readonly StageTime[];
  /** Where and why it failed. */
  stage?: Stage;
  reason?: string;
  message?: string;
}
