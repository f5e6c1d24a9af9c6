/**
 * What is done to a host at a moment of a run.
 *
 * @module
 */
import { type Kind, type Point, points, stages } from "./points.ts";

const machine = ["machine"] as const;
const anywhere = ["machine", "world"] as const;

/** Where a run does more than to write its own files. */
const runs = points.filter((point) =>
  !["any call", "accept", "suspend"].includes(point)
);

function signalled(signal: Deno.Signal): Kind {
  return {
    name: `program gets ${signal}`,
    places: anywhere,
    inject: ({ signal: send }) => Promise.resolve(send(signal)),
    explains: /Interrupted/,
  };
}

/** A folder becomes read-only, as after an error of its disk. */
function readOnly(name: string, folder: string, explains: RegExp): Kind {
  return {
    name,
    places: machine,
    at: runs,
    inject: async ({ ground }) => {
      // Refused as long as somebody is writing there.
      const script =
        `mount --bind ${folder} ${folder}; for i in $(seq 100); do mount -o remount,ro,bind ${folder} 2>/dev/null && exit; done; exit 1`;
      await ground.host.output(["sh", "-c", script]);
    },
    repair: async ({ ground }) => {
      await ground.host.run(["umount", "--lazy", folder]);
    },
    explains,
  };
}

/** A program is another one for as long as the fault lasts. */
function replaced(
  name: string,
  program: string,
  at: readonly Point[],
  explains: RegExp,
): Kind {
  return {
    name,
    places: machine,
    at,
    inject: async ({ ground }) => {
      await ground.host.output(["mount", "--bind", "/bin/false", program]);
    },
    repair: async ({ ground }) => {
      await ground.host.run(["umount", program]);
    },
    explains,
  };
}

/** The clock that the program has jumps by a number of seconds. */
function clock(name: string, ahead: number): Kind {
  return {
    name,
    places: anywhere,
    at: runs,
    arm: ({ ground }) => ground.clock(0),
    inject: async ({ ground }) => {
      await ground.clock(ahead);
    },
    repair: async ({ ground }) => {
      await ground.clock(0);
    },
    explains: /clock/,
  };
}

/** Those that come at a moment. */
export const momentKinds: readonly Kind[] = [
  signalled("SIGKILL"),
  signalled("SIGTERM"),
  signalled("SIGINT"),
  {
    name: "power is cut, the page cache is lost",
    places: anywhere,
    inject: async ({ ground, signal }) => {
      signal("SIGKILL");
      await ground.powerCut();
    },
    explains: /interrupted/,
  },
  {
    name: "service is stopped",
    places: machine,
    at: stages,
    arm: () => Promise.resolve({ asService: true }),
    inject: async ({ ground }) => {
      await ground.host.run(["systemctl", "stop", "gitops-sync-run.service"]);
    },
    // What it has started is stopped with it.
    explains:
      /Interrupted|stopped during an activation|Nix failed without an error/,
  },
  {
    name: "machine is shut down",
    places: machine,
    at: stages,
    arm: () => Promise.resolve({ asService: true }),
    inject: ({ ground }) => ground.shutDown(),
    // What it has started is stopped with it.
    explains:
      /Interrupted|stopped during an activation|Nix failed without an error/,
  },
  {
    name: "terminal hangs up",
    places: anywhere,
    arm: () => Promise.resolve({ onTerminal: true }),
    // The caller of the run holds the other end of its terminal.
    inject: ({ signal }) => Promise.resolve(signal("SIGHUP")),
    explains: /[Ii]nterrupted/,
  },
  clock("clock jumps 30 years ahead", 30 * 365 * 86400),
  clock("clock jumps a year back", -365 * 86400),
  {
    name: "repository is gone",
    places: anywhere,
    at: runs,
    inject: ({ ground: { repository: { bare } } }) =>
      Deno.rename(bare, `${bare}.gone`),
    repair: ({ ground: { repository: { bare } } }) =>
      Deno.rename(`${bare}.gone`, bare),
    explains: /can't be reached|Cannot (reach|fetch|ask)|does not answer/,
  },
  {
    name: "disk of the state is full",
    places: anywhere,
    inject: async ({ ground }) => {
      const file = `${ground.stateFolder}/full`;
      await ground.host.run(["dd", "if=/dev/zero", `of=${file}`, "bs=64k"]);
    },
    repair: async ({ ground }) => {
      await ground.host.run(["rm", "-f", `${ground.stateFolder}/full`]);
      // Or it is there again after a power cut.
      await ground.host.run(["sync", "--file-system", ground.stateFolder]);
    },
    explains: /No space left|no space left|disk/,
  },
  {
    name: "TMPDIR is missing",
    places: anywhere,
    at: ["any call", "way back", "recovery", "rollback", "first run"],
    arm: () => Promise.resolve({ env: { TMPDIR: "/nowhere" } }),
    hit: () => Promise.resolve(true),
    explains: /No such file|nowhere|[Tt]emporary/,
  },
  {
    name: "/tmp is full",
    places: machine,
    at: runs,
    inject: async ({ ground: { host } }) => {
      const fill = "dd if=/dev/zero of=/tmp/full bs=4k 2>/dev/null; true";
      await host.output([
        "sh",
        "-c",
        `mount -t tmpfs -o size=64k tmpfs /tmp; ${fill}`,
      ]);
    },
    repair: async ({ ground: { host } }) => {
      await host.run(["umount", "--lazy", "/tmp"]);
    },
    explains: /No space left|no space left|quota/,
  },
  readOnly(
    "state is read-only",
    "/var/lib/gitops-sync",
    /Read-only|read-only|Cannot write|rollback|way back/,
  ),
  readOnly("/boot is read-only", "/boot", /the boot default/),
  // Not all of /nix: nix-daemon would then start itself without end.
  readOnly(
    "profiles are read-only",
    "/nix/var/nix/profiles",
    /the boot default/,
  ),
  replaced(
    "systemd-run fails",
    "/usr/bin/systemd-run",
    runs,
    /dead-man's switch|rollback failed|the boot default|Cannot activate|systemd/,
  ),
  replaced(
    "systemctl fails",
    "/usr/bin/systemctl",
    ["health", "confirm", "recovery", "rollback", "reboot"],
    /systemd does not|Cannot read the state of the units|rollback failed|the boot default|disarmed|Cannot disarm/,
  ),
  {
    name: "systemd does not answer for 3 s",
    places: machine,
    at: ["activate", "health", "confirm", "way back", "recovery", "reboot"],
    inject: async ({ ground }) => {
      const { init } = ground.machine;
      Deno.kill(init, "SIGSTOP");
      await new Promise((resolve) => setTimeout(resolve, 3000));
      Deno.kill(init, "SIGCONT");
    },
    explains:
      /systemd does not|took too long|rollback|way back|the boot default|Cannot read the state of the units|armed/,
  },
  {
    name: "logind does not answer",
    places: machine,
    at: ["fetch", "build", "activate", "health", "way back", "rollback"],
    inject: async ({ ground: { host } }) => {
      await host.run(["systemctl", "kill", "--signal=STOP", "systemd-logind"]);
    },
    repair: async ({ ground: { host } }) => {
      await host.run(["systemctl", "kill", "--signal=CONT", "systemd-logind"]);
    },
    explains:
      /logind does not answer|ended with code 11|took too long|rollback|way back/,
  },
  {
    name: "systemd starts anew",
    places: machine,
    at: runs,
    inject: async ({ ground: { host } }) => {
      await host.run(["systemctl", "daemon-reexec"]);
    },
    explains: /systemd/,
  },
  {
    name: "activation is killed",
    places: machine,
    at: ["activate", "confirm", "way back", "recovery", "rollback", "reboot"],
    inject: async ({ ground: { host } }) => {
      await host.run([
        "systemctl",
        "kill",
        "--signal=KILL",
        "gitops-sync-activate-*.service",
      ]);
    },
    explains: /ended by signal 9|another system is running|rollback failed/,
  },
  {
    name: "garbage is collected",
    places: anywhere,
    at: runs,
    inject: async ({ ground: { host } }) => {
      await host.run(["nix-collect-garbage", "--delete-old"]);
    },
    explains: /Cannot build|is not valid|evaluat|does not exist|no longer/,
  },
  {
    name: "a second run begins",
    places: anywhere,
    inject: async ({ ground: { host } }) => {
      await host.sync();
    },
    explains: /another run/,
  },
  {
    name: "somebody switches by hand",
    places: anywhere,
    at: runs,
    mayDiffer: true,
    inject: async ({ ground: { host, earlier } }) => {
      await host.run([`${earlier}/bin/switch-to-configuration`, "test"]);
    },
    explains:
      /switched by hand|another switch|another system|is running now, and not|rollback|way back/,
  },
];
