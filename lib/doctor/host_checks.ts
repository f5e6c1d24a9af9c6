/**
 * Checks of this machine and of the program itself.
 *
 * @module
 */
import { exitCodes } from "../base/errors.ts";
import { formatSize } from "../base/size.ts";
import { short } from "../base/text.ts";
import { compareVersions, parseVersion } from "../base/version.ts";
import { mistakes } from "../config/mistakes.ts";
import {
  refuseBattery,
  refuseClock,
  refuseOthers,
  refuseRoom,
} from "../activation/preflight.ts";
import { roomAt } from "../host/disk.ts";
import { takeLock } from "../host/lock.ts";
import { activityOf, isStarting } from "../host/systemd.ts";
import { hasSystemd } from "../host/system.ts";
import { checkStateFolder } from "../state/folder_check.ts";
import { fresh, readState } from "../state/state_file.ts";
import { wantedOf } from "../run/approval.ts";
import { closedNames, gatedNow } from "../run/gates.ts";
import { rolledBackBy, rolledBackOf } from "../run/rolled_back.ts";
import { refuseOtherMachine } from "../sync/machine.ts";
import { waitForLock } from "../sync/wait_for_lock.ts";
import { readSuspension } from "../state/suspension.ts";
import { answerOf } from "./nix_checks.ts";
import {
  type Check,
  type Configured,
  type Finding,
  ok,
  problem,
  warning,
} from "./check.ts";

const { build, locked, remote, usage } = exitCodes;

/** The oldest runtime that the package accepts (nix/package.nix). */
const oldestDeno = "2.2";

/**
 * Milliseconds to wait for a run in progress: the timer often starts the first
 * one just before a person types the command.
 */
const runPatience = 20_000;

/** What a run needs before it queries any server. */
export const hostChecks: readonly Check[] = [
  { name: "rights", exit: usage, look: rights },
  { name: "configuration", exit: usage, look: configuration },
];

/** What a run needs before it builds. */
export const machineChecks: readonly Check[] = [
  { name: "deno", exit: usage, look: deno },
  { name: "machine", needs: ["configuration"], exit: usage, look: machine },
  { name: "systemd", exit: build, look: systemd },
  {
    name: "state",
    needs: ["configuration"],
    root: () => "the state folder",
    exit: usage,
    look: stateFolder,
  },
  {
    name: "idle",
    needs: ["state"],
    exit: locked,
    patience: 2 * runPatience,
    look: idle,
  },
];

/** What `preflight` checks. */
export const preflightChecks: readonly Check[] = [
  { name: "clock", needs: ["configuration"], exit: remote, look: clock },
  { name: "space", needs: ["configuration"], exit: build, look: space },
  { name: "power", needs: ["configuration"], exit: build, look: power },
];

function rights(): Finding {
  return Deno.uid() === 0 ? ok("running as root") : warning(
    "not root: checks that need root are skipped",
    "run sudo gitops-sync doctor",
  );
}

/** The call has already read it; this reports only likely mistakes. */
function configuration({ config }: Configured): Finding {
  const [first, ...others] = mistakes(config);
  if (first === undefined) {
    return ok(`${config.repository}, ${config.ref}, host ${config.host}`);
  }
  return {
    ...warning(first, "run gitops-sync config check to see every option"),
    details: others,
  };
}

function deno(): Finding {
  if (Deno.build.standalone) return ok("built into the program");
  const { deno: version } = Deno.version;
  return compareVersions(parseVersion(version)!, parseVersion(oldestDeno)!) < 0
    ? problem(
      `Deno ${version} is too old: expected ${oldestDeno} or newer`,
      "follow a newer nixpkgs (NixOS 25.05 or later)",
    )
    : ok(`Deno ${version}`);
}

function machine({ config: { machineId } }: Configured): Finding {
  if (machineId === undefined) {
    return ok("machineId is not set: any machine may be changed");
  }
  refuseOtherMachine(machineId);
  return ok("this is the machine that machineId names");
}

async function systemd(context: Configured): Promise<Finding> {
  if (!hasSystemd()) {
    return problem(
      "systemd does not run here: there is no timer, and no dead-man's switch",
      "run gitops-sync on a NixOS host, not in a container without an init",
    );
  }
  const answer = await answerOf(context, {
    program: "systemctl",
    args: ["is-system-running"],
  });
  const how = answer?.said ?? "";
  if (await isStarting(context.effects)) {
    return warning(
      "the host is still booting: a run waits until the boot is complete",
    );
  }
  if (how === "running") return ok("no unit has failed");
  if (how === "degraded") {
    return warning(
      "some units have failed; a run does not blame a new system for them",
      "run systemctl --failed",
    );
  }
  return problem(
    `systemd reports: ${how || answer?.error || "nothing"}`,
    "run systemctl status",
  );
}

async function stateFolder({ config, known, effects }: Configured) {
  const folder = config.stateDirectory;
  checkStateFolder(folder);
  const state = await readState(folder);
  known.state = state;
  const suspension = readSuspension(folder, effects.now());
  if (suspension) {
    return warning(
      `this host is suspended${
        suspension.reason ? ` (${suspension.reason})` : ""
      }`,
      "run gitops-sync resume",
    );
  }
  const rolledBack = rolledBackOf(state);
  if (rolledBack) {
    return warning(
      `${rolledBackBy(rolledBack)}, and it stays there`,
      "run gitops-sync resume",
    );
  }
  const waiting = wantedOf(state);
  if (waiting) {
    const revision = short(waiting.revision);
    return warning(
      `${revision} is built, and waits for approval`,
      `run gitops-sync approve ${revision} or gitops-sync reject ${revision}`,
    );
  }
  const gated = gatedNow(state);
  if (gated) {
    return warning(
      `${short(gated.revision)} is built, and waits for ${closedNames(gated)}`,
      "run gitops-sync status",
    );
  }
  const [hold] = state.holds;
  if (hold) {
    return warning(
      `${short(hold.revision)} is blocked: ${hold.message}`,
      "run gitops-sync status",
    );
  }
  return ok(
    state.lastGood
      ? `${short(state.lastGood.revision)} is deployed`
      : "nothing was deployed here yet",
  );
}

/** Two checks of the same units would end each other. */
async function idle({ config, known, effects }: Configured) {
  const take = () =>
    takeLock(config.stateDirectory, "doctor", effects.now().getTime());
  known.lock = await waitForLock(effects, take, runPatience);
  await refuseOthers();
  return ok("no run and no switch is in progress");
}

async function clock({ effects, known }: Configured): Promise<Finding> {
  const now = effects.now();
  refuseClock(now.getTime(), known.state ?? fresh);
  const time = now.toISOString().replace(/\.\d+/, "");
  // systemd-timesyncd.service(8); other programs use other files.
  const isOurs = hasSystemd() &&
    await activityOf(effects, "systemd-timesyncd.service") === "active";
  const isSynchronised = await Deno.stat("/run/systemd/timesync/synchronized")
    .then(() => true, () => false);
  return isOurs && !isSynchronised
    ? warning(
      `${time}, not confirmed by a time server`,
      "run timedatectl timesync-status",
    )
    : ok(time);
}

function space({ config }: Configured): Finding {
  refuseRoom(config["preflight.freeSpace"]);
  const room = roomAt("/nix/store");
  if (!room) {
    return problem("there is no /nix/store", "install Nix");
  }
  return ok(`${formatSize(room.bytes)} are free for /nix`);
}

function power({ config }: Configured): Finding {
  refuseBattery(config["preflight.battery"]);
  return ok("the battery does not stop a deployment");
}
