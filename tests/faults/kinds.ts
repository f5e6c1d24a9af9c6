/**
 * What is done to a host while a run is under way.
 *
 * @module
 */
import type { Machine } from "../machine/machine.ts";
import type { Program } from "../world/program.ts";
import type { Repository } from "../world/repository.ts";

/** A point in a run at which a fault is injected. */
export const points = [
  "fetch",
  "verify",
  "secrets",
  "build",
  "prove",
  "activate",
  "health",
  "confirm",
  "way back",
] as const;

/** One of {@linkcode points}. */
export type Point = (typeof points)[number];

/** What a fault can reach. */
export interface Scene {
  machine: Machine;
  repository: Repository;
  /** The run under way. */
  run: Program;
  /** An earlier good system, for somebody who switches by hand. */
  earlier: string;
}

/** A kind of fault. */
export interface Kind {
  name: string;
  /** The points at which it can be; all if not given. */
  at?: readonly Point[];
  /** `true`: the run is the main process of a service. */
  asService?: true;
  /** `true`: another good system than the boot default may run afterwards. */
  mayDiffer?: true;
  /** Does it. */
  inject(scene: Scene): Promise<void>;
  /** Takes its cause away, so that the next run can put things right. */
  repair?(scene: Scene): Promise<void>;
  /** What `status` has to say where host and Git do not agree. */
  explains: RegExp;
}

const cutOff =
  "cut off at the (decide|preflight|fetch|verify|secrets|build|prove|activate|health|confirm) stage";
const notYet = "is not deployed yet";
const units = "1 unit failed: web.service";

/** The bad candidate's own fault may have been quicker. */
const says = (...texts: string[]) =>
  new RegExp([...texts, units, cutOff, notYet].join("|"));

function signalled(signal: Deno.Signal, ...texts: string[]): Kind {
  return {
    name: `program gets ${signal}`,
    inject: ({ run }) => Promise.resolve(run.signal(signal)),
    explains: says("Interrupted", ...texts),
  };
}

/** A folder becomes read-only, as after an error of its disk. */
function readOnly(name: string, folder: string, ...texts: string[]): Kind {
  return {
    name,
    inject: async ({ machine }) => {
      // Refused as long as somebody is writing there.
      const script =
        `mount --bind ${folder} ${folder}; for i in $(seq 100); do mount -o remount,ro,bind ${folder} 2>/dev/null && exit; done; exit 1`;
      await machine.output(["sh", "-c", script]);
    },
    repair: async ({ machine }) => {
      await machine.output(["umount", "--lazy", folder]);
    },
    explains: says("Read-only", "read-only", ...texts),
  };
}

/** All kinds that have a point in the run. */
export const kinds: readonly Kind[] = [
  signalled("SIGKILL"),
  signalled("SIGTERM"),
  signalled("SIGINT"),
  {
    name: "power is cut",
    inject: async ({ machine }) => {
      await machine.powerCut();
      await machine.bootAgain();
    },
    explains: says(),
  },
  {
    name: "service is stopped",
    asService: true,
    inject: async ({ machine }) => {
      await machine.run(["systemctl", "stop", "gitops-sync-run.service"]);
    },
    explains: says("Interrupted", "Stopped by systemd"),
  },
  {
    name: "machine is shut down",
    asService: true,
    inject: async ({ machine }) => {
      await machine.shutDown();
      await machine.bootAgain();
    },
    explains: says("Interrupted", "Stopped by systemd"),
  },
  {
    name: "repository is gone",
    inject: ({ repository: { bare } }) => Deno.rename(bare, `${bare}.gone`),
    repair: ({ repository: { bare } }) => Deno.rename(`${bare}.gone`, bare),
    explains: says("can't be reached", "Cannot (reach|fetch|ask)", "does not"),
  },
  readOnly(
    "state is read-only",
    "/var/lib/gitops-sync",
    "Cannot write",
  ),
  readOnly("/boot is read-only", "/boot", "the boot default"),
  // Not all of /nix: nix-daemon would then start itself without end.
  readOnly(
    "profiles are read-only",
    "/nix/var/nix/profiles",
    "the boot default",
  ),
  {
    name: "systemd-run fails",
    inject: async ({ machine }) => {
      await machine.output(
        ["mount", "--bind", "/bin/false", "/usr/bin/systemd-run"],
      );
    },
    repair: async ({ machine }) => {
      await machine.output(["umount", "/usr/bin/systemd-run"]);
    },
    explains: says(
      "dead-man's switch",
      "way back failed",
      "the boot default",
      "Cannot activate",
    ),
  },
  {
    name: "systemctl fails",
    at: ["health", "confirm"],
    inject: async ({ machine }) => {
      await machine.output(
        ["mount", "--bind", "/bin/false", "/usr/bin/systemctl"],
      );
    },
    repair: async ({ machine }) => {
      await machine.output(["umount", "/usr/bin/systemctl"]);
    },
    explains: says(
      "systemd does not say",
      "way back failed",
      "the boot default",
      "stays armed",
    ),
  },
  {
    name: "logind does not answer",
    inject: async ({ machine }) => {
      await machine.run([
        "systemctl",
        "kill",
        "--signal=STOP",
        "systemd-logind",
      ]);
    },
    repair: async ({ machine }) => {
      await machine.run([
        "systemctl",
        "kill",
        "--signal=CONT",
        "systemd-logind",
      ]);
    },
    explains: says("logind does not answer", "ended with code 11", "way back"),
  },
  {
    name: "systemd starts anew",
    inject: async ({ machine }) => {
      await machine.run(["systemctl", "daemon-reexec"]);
    },
    explains: says(),
  },
  {
    name: "activation is killed",
    at: ["activate", "confirm", "way back"],
    inject: async ({ machine }) => {
      await machine.run([
        "systemctl",
        "kill",
        "--signal=KILL",
        "gitops-sync-activate-*.service",
      ]);
    },
    explains: says(
      "ended by signal 9",
      "another system runs",
      "way back failed",
    ),
  },
  {
    name: "garbage is collected",
    inject: async ({ machine }) => {
      await machine.run(["nix-collect-garbage", "--delete-old"]);
    },
    explains: says("Cannot build", "is not valid"),
  },
  {
    name: "a second run begins",
    inject: async ({ machine }) => {
      await machine.sync();
    },
    explains: says(),
  },
  {
    name: "somebody switches by hand",
    mayDiffer: true,
    inject: async ({ machine, earlier }) => {
      await machine.run([`${earlier}/bin/switch-to-configuration`, "test"]);
    },
    explains: says(
      "switched by hand",
      "another switch",
      "another system",
      "runs now, and not",
    ),
  },
];
