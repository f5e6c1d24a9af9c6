/**
 * Makes a healthy candidate the one that a reboot starts, and remembers it.
 *
 * @module
 */
import { ensureDir } from "@std/fs";
import { say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import type { Deployment } from "../host/state.ts";
import { bootDefault, systemProfile } from "../host/system.ts";
import { localGit } from "../tools/git.ts";
import { addRoot, setProfile } from "../tools/nix.ts";
import { disarm } from "./activate.ts";
import type { Healthy } from "./health.ts";
import type { Run } from "./run.ts";
import { meaningOf, switchTo } from "./switching.ts";

/**
 * Sets the boot default (unless the operation is `test`), reads it back, and
 * disarms the dead-man's switch.
 *
 * @throws {SyncError} exit 7; the caller puts the previous system back.
 */
export async function confirm(run: Run, healthy: Healthy): Promise<Deployment> {
  const { operation } = healthy.target;
  run.shield();
  await run.note({ touched: true });
  if (operation !== "test") await setBootDefault(run, healthy.system);
  await disarm(run);
  return await remember(run, healthy);
}

/**
 * Makes a system the boot default: the profile first, since the bootloader's
 * entries are made from it, then the system's own bootloader step.
 *
 * @throws {SyncError} `boot-default`, exit 7, by what is read back and not
 * only by exit codes.
 */
export async function setBootDefault(run: Run, system: string): Promise<void> {
  const profile = await run.effects.run(setProfile(systemProfile, system));
  if (profile.code !== 0) {
    throw notSet(system, "nix-env failed", [profile.stderr.trim()]);
  }
  const timeout = run.config["timeouts.activate"];
  const switched = await switchTo(run, system, "boot", timeout);
  if (switched.code !== 0 || switched.timedOut) {
    throw notSet(system, meaningOf(switched), switched.lines);
  }
  const actual = bootDefault();
  if (actual !== system) {
    throw notSet(system, `the system profile points to ${actual}`, []);
  }
}

function notSet(
  system: string,
  why: string,
  details: readonly string[],
): SyncError {
  return new SyncError(`Cannot make ${system} the boot default: ${why}`, {
    stage: "confirm",
    reason: "boot-default",
    next: "hold",
    details,
    hints: ["look at the free space of /boot: df -h /boot"],
  });
}

/** Records the candidate as the last good one and protects its store path. */
async function remember(
  run: Run,
  { commit, target, system }: Omit<Healthy, "done">,
): Promise<Deployment> {
  const at = run.effects.now().toISOString();
  const deployment: Deployment = { ...commit, target, system, at };
  const { lastGood, earlier } = run.state;
  const older = lastGood ? [lastGood, ...earlier] : earlier;
  const kept = older.filter((one) => one.system !== system)
    .slice(0, run.config.keep);
  // Protected before it is recorded: a cut between the two leaves a link too
  // many and never one too few.
  await protect(run, [deployment, ...kept]);
  const holds = run.state.holds.filter((hold) =>
    hold.revision !== commit.revision
  );
  await run.save({ lastGood: deployment, earlier: kept, holds });
  await run.effects.run(
    localGit(`${run.folder}/repo`, [
      "update-ref",
      "refs/gitops-sync/last-good",
      commit.revision,
    ]),
  );
  return deployment;
}

const linkName = ({ system }: Deployment) => system.slice(11, 11 + 32);

/** Keeps these systems from garbage collection, and lets go of all others. */
async function protect(
  run: Run,
  deployments: readonly Deployment[],
): Promise<void> {
  const roots = `${run.folder}/roots`;
  await ensureDir(roots);
  const there = new Set(Array.from(Deno.readDirSync(roots), (e) => e.name));
  for (const deployment of deployments) {
    const name = linkName(deployment);
    if (there.delete(name)) continue;
    const finished = await run.effects.run(
      addRoot(`${roots}/${name}`, deployment.system),
    );
    if (finished.code !== 0) {
      say(
        run.effects,
        "warning",
        `Cannot protect ${
          short(deployment.revision)
        } from garbage collection: ${finished.stderr.trim()}`,
      );
    }
  }
  for (const name of there) await Deno.remove(`${roots}/${name}`);
}
