/**
 * Makes a healthy candidate the boot default, and records it.
 *
 * @module
 */
import type { Variables } from "../host/systemd.ts";
import { say } from "../base/effects.ts";
import { type Next, SyncError } from "../base/errors.ts";
import { bootEntries, type BootEntry } from "../host/boot_entry.ts";
import type { Attempt, Deployment } from "../state/state.ts";
import { rolledFurther } from "../run/rolled_back.ts";
import { sameTarget } from "../run/target.ts";
import { bootDefault, runningSystem, systemProfile } from "../host/system.ts";
import { localGit } from "../git/git.ts";
import { setProfile } from "../nix/store.ts";
import { protect } from "./protect.ts";
import { disarm, firedError, hasFired } from "./dead_mans_switch.ts";
import { followedAfter } from "../run/followed.ts";
import { isSame } from "../run/same.ts";
import { forgetOldGenerations } from "../nix/retention.ts";
import type { Run } from "../run/run.ts";
import { meaningOf, switchTo } from "./switching.ts";
import type { Healthy } from "../run/stages.ts";
import { runOutside, type Switched } from "../run/outside.ts";

/**
 * Sets the boot default (unless the operation is `test`), reads it back, and
 * disarms the dead-man's switch.
 *
 * @throws {SyncError} exit 7; the caller rolls back to the previous system.
 */
export async function confirm(run: Run, healthy: Healthy): Promise<Deployment> {
  const { operation } = healthy.target;
  run.shield();
  await run.note({ touched: true });
  if (operation !== "test") {
    await forgetOldGenerations(run, healthy.system);
    await setBootDefault(run, healthy.system);
  }
  const isLate = await hasFired(run);
  if (!await disarm(run)) throw notDisarmed();
  // From here on it cannot fire, but it may have fired just before.
  if (isLate) throw firedError(run);
  const running = runningSystem();
  if (operation !== "boot" && running !== healthy.system) {
    throw replaced(running);
  }
  return await remember(run, healthy);
}

/**
 * Makes a system the boot default: first the profile, because the bootloader's
 * entries are made from it, then the system's own bootloader step.
 *
 * @param env As for {@linkcode switchTo}.
 * @throws {SyncError} `boot-default`, exit 7, judged by reading it back and not
 * only by exit codes.
 */
export async function setBootDefault(
  run: Run,
  system: string,
  env: Variables = {},
): Promise<void> {
  const known = knownLoaders(run);
  if (known.length === 0 && run.attempt.previous?.bootDefault) {
    say(
      run.effects,
      "notice",
      "Cannot read which system the bootloader starts, so its exit code is trusted",
    );
  }
  const { program, args, timeout: most } = setProfile(systemProfile, system);
  const profile = await runOutside(run, [program, ...args], most);
  if (profile.code !== 0 || profile.timedOut) {
    // This is not the fault of a revision: only the bootloader step is its own.
    throw notSet(system, `nix-env: ${meaningOf(profile)}`, profile, "retry");
  }
  // A nix-env that succeeds without an effect is not the fault of the system.
  const set = bootDefault();
  if (set !== system) {
    const why = `nix-env: the system profile points to ${set}`;
    throw notSet(system, why, undefined, "retry");
  }
  const timeout = run.config["timeouts.activate"];
  const switched = await switchTo(run, system, "boot", timeout, env);
  if (switched.code !== 0 || switched.timedOut) {
    throw notSet(system, meaningOf(switched), switched);
  }
  const actual = bootDefault();
  if (actual !== system) {
    throw notSet(system, `the system profile points to ${actual}`);
  }
  const wrong = bootEntries().find((entry) =>
    known.includes(entry.loader) && entry.system !== system
  );
  if (wrong) {
    const starts = wrong.system ?? "an entry without a system";
    throw notSet(system, `${wrong.loader} still starts ${starts}`);
  }
}

/** Returns whether a trusted bootloader starts another system. */
export function startsAnother(run: Run, system: string | null): boolean {
  const known = knownLoaders(run);
  return bootEntries().some((entry) =>
    known.includes(entry.loader) && entry.system !== system
  );
}

/** Returns whether a reboot starts a system, according to the bootloader. */
export function isBootDefault(run: Run, system: string): boolean {
  const known = knownLoaders(run);
  return bootDefault() === system && known.length > 0 &&
    !startsAnother(run, system);
}

/**
 * Returns the bootloaders whose entries show what a reboot starts: those that
 * have matched the boot default so far. Others may be left over, or have files
 * that this program cannot read.
 */
function knownLoaders(run: Run): BootEntry["loader"][] {
  const { previous, candidate } = run.attempt;
  const readBack = run.state.lastGood?.loaders ?? [];
  const known = bootEntries().filter(({ loader, system }) =>
    readBack.includes(loader) || system !== null &&
      (system === previous?.bootDefault || system === candidate)
  );
  return known.map(({ loader }) => loader);
}

function replaced(running: string | null): SyncError {
  return new SyncError(
    `Cannot confirm: ${
      running ?? "no system"
    } is running now, and not the system that was checked`,
    {
      stage: "confirm",
      reason: "replaced",
      next: "retry",
      hints: [
        "Find out what else switched this host at the same time. The next run tries again.",
      ],
    },
  );
}

/** Returns the error for a dead-man's switch that would still roll back. */
function notDisarmed(): SyncError {
  return new SyncError(
    "Cannot confirm: the dead-man's switch could not be disarmed",
    {
      stage: "confirm",
      reason: "not-disarmed",
      next: "retry",
      hints: [
        "Check its timer: `systemctl status gitops-sync-dead-mans-switch.timer`. The next run tries again.",
      ],
    },
  );
}

function notSet(
  system: string,
  why: string,
  ended?: Switched,
  // A step that systemd did not start is not the fault of this revision.
  next: Next = ended?.isUnstarted ? "retry" : "hold",
): SyncError {
  return new SyncError(`Cannot make ${system} the boot default: ${why}`, {
    stage: "confirm",
    reason: "boot-default",
    next,
    details: ended?.lines ?? [],
    hints: ["Check the free space of /boot: `df -h /boot`."],
  });
}

/**
 * Records the candidate as the last good system and protects its store path.
 */
async function remember(
  run: Run,
  { commit, target, system }: Omit<Healthy, "done">,
): Promise<Deployment> {
  const at = run.effects.now().toISOString();
  const failing = run.attempt.failedBefore ?? [];
  const loaders = target.operation === "test" ? [] : loadersOf(system);
  const deployment: Deployment = {
    ...commit,
    target,
    system,
    at,
    // A system that waits for the next boot was not checked in this one. If a
    // later run confirms it, there may have been a boot since.
    ...(target.operation === "boot" ? {} : { boot: run.attempt.bootId }),
    ...(failing.length > 0 ? { failing } : {}),
    ...(loaders.length > 0 ? { loaders } : {}),
  };
  const { testing } = run.attempt;
  if (testing) return await rememberTest(run, deployment, testing);
  const { lastGood, earlier } = run.state;
  const older = lastGood ? [lastGood, ...earlier] : earlier;
  const kept = older.filter((one) => one.system !== system)
    .slice(0, run.config.keep);
  // Protected before it is recorded: an interruption between the two leaves an
  // extra link, never a missing one.
  await protect(run, [deployment, ...kept]);
  const holds = run.state.holds.filter((hold) => !isSame(hold, commit));
  const { kind, name } = run.attempt;
  const { repository, ref } = target;
  const { revision, digest } = commit;
  // A rollback that a person wanted to keep stays, even if the host rolls back
  // by itself.
  const isOwn = run.attempt.left?.because !== undefined;
  await run.save({
    ...isOwn ? rolledFurther(run.state, system) : {},
    lastGood: deployment,
    earlier: kept,
    holds,
    ...kind && {
      followed: followedAfter(run.state, {
        repository,
        ref,
        revision,
        ...digest && { digest },
        kind,
        ...name && { name },
      }),
    },
  });
  await run.effects.run(
    localGit(`${run.folder}/repo`, [
      "update-ref",
      "refs/gitops-sync/last-good",
      commit.revision,
    ]),
  );
  return deployment;
}

/** Records a system of the testing branch. It replaces no good system. */
async function rememberTest(
  run: Run,
  deployment: Deployment,
  { base, ref }: NonNullable<Attempt["testing"]>,
): Promise<Deployment> {
  const { lastGood, earlier, holds } = run.state;
  await protect(run, [
    deployment,
    ...lastGood ? [lastGood] : [],
    ...earlier,
  ]);
  const { revision } = deployment;
  await run.save({
    testing: { revision, ref, base, deployment },
    holds: holds.filter((hold) =>
      !isSame(hold, deployment) || !sameTarget(hold.target, deployment.target)
    ),
  });
  return deployment;
}

/** Returns the bootloaders that start a system. */
function loadersOf(system: string): string[] {
  const found = bootEntries().filter((entry) => entry.system === system);
  return [...new Set(found.map(({ loader }) => loader))];
}
