/**
 * Faults that a run meets by itself: a system call of it or of a program that it
 * starts fails, is the last one, or is the last one before the power is gone; a
 * program answers with nothing, nonsense, half of it, or an error.
 *
 * @module
 */
import type { Kind, Point, Scene } from "./points.ts";

/** System calls, by what they are about, and how often a thread makes them. */
const calls = {
  "files": {
    names: "openat,read,statx,newfstatat,getdents64,readlink,access",
    most: 60,
    errors: ["EIO", "EMFILE", "ENFILE", "ENOMEM", "ESTALE", "EINTR", "EACCES"],
  },
  "writes": {
    names:
      "write,pwrite64,fsync,ftruncate,rename,unlink,mkdir,chmod,fchmod,utimensat,symlink,link,flock",
    most: 12,
    errors: ["EIO", "ENOSPC", "EROFS", "EDQUOT", "EFBIG", "EBUSY", "ETIMEDOUT"],
  },
  "programs": {
    names: "clone,clone3,vfork,fork,execve,pipe2,wait4,dup2",
    most: 8,
    errors: ["EAGAIN", "ENOMEM", "EMFILE", "ENOENT", "EINTR"],
  },
  "sockets": {
    names: "socket,connect,sendto,recvfrom,sendmsg,recvmsg,socketpair",
    most: 6,
    errors: ["ECONNREFUSED", "EMFILE", "ENOBUFS", "ETIMEDOUT", "ECONNRESET"],
  },
} as const;

type Calls = keyof typeof calls;

const places = ["machine", "world"] as const;
const at: readonly Point[] = [
  "any call",
  "way back",
  "recovery",
  "rollback",
  "accept",
  "suspend",
  "retry",
  "reboot",
  "first run",
];

function pick<T>(random: () => number, all: readonly T[]): T {
  return all[Math.floor(random() * all.length)]!;
}

/** The arguments of strace that do something at one call. */
function straced(
  { ground, random }: Omit<Scene, "signal">,
  what: Calls,
  inject: string,
): string[] {
  const { names, most } = calls[what];
  const name = pick(random, names.split(","));
  // Early ones more often: each thread counts for itself.
  const when = 1 + Math.floor(random() ** 2 * most);
  return [
    "strace",
    "--follow-forks",
    "--seccomp-bpf",
    "--signal=none",
    "--quiet=all",
    `--output=${ground.trace}`,
    `--trace=${name}`,
    `--inject=${name}:${inject}:when=${when}`,
    "--",
  ];
}

function fails(what: Calls): Kind {
  return {
    name: `a call fails: ${what}`,
    places,
    at,
    arm: (scene) => {
      const error = pick(scene.random, calls[what].errors);
      const around = straced(scene, what, `error=${error}`);
      return Promise.resolve({ around });
    },
    hit: ({ ground }) =>
      Promise.resolve(Deno.readTextFileSync(ground.trace).includes("INJECTED")),
    // Whatever the kernel says of it is told in the words of some program.
    explains: /./,
  };
}

function endsAt(what: Calls, isPowerCut: boolean): Kind {
  return {
    name: isPowerCut
      ? `power is cut at a call: ${what}`
      : `a program is killed at a call: ${what}`,
    places,
    at,
    arm: (scene) =>
      Promise.resolve({
        around: straced(scene, what, "signal=SIGKILL"),
      }),
    hit: async ({ ground }, { code }) => {
      const isKilled = code === 137;
      if (isPowerCut && isKilled) await ground.powerCut();
      // Another program than ours was killed, which is another fault.
      return isPowerCut ? isKilled : /\+\+\+ killed by SIGKILL/.test(
        Deno.readTextFileSync(ground.trace),
      );
    },
    explains: /./,
  };
}

/** How a program can leave us blind. */
const answers = [
  "fails",
  "is killed",
  "says nothing",
  "says odd things",
  "says half",
];

/** Programs whose answers decide, and how often a run asks them. */
const asked = {
  git: { places, most: 12, names: ["git"] },
  Nix: {
    places,
    most: 2,
    names: ["nix", "nix-env", "nix-store", "nixos-rebuild"],
  },
  systemd: {
    places: ["machine"] as const,
    most: 12,
    names: ["systemctl", "systemctl", "systemd-run", "journalctl", "loginctl"],
  },
};

function blind(whom: keyof typeof asked, answer: string): Kind {
  const { names, most } = asked[whom];
  return {
    name: `${whom} ${answer}`,
    places: asked[whom].places,
    at,
    arm: async ({ ground, random }) => {
      const from = 1 + Math.floor(random() * most);
      // Once, or from then on.
      const to = random() < 0.5 ? from : 1_000_000;
      await ground.blind(pick(random, names), answer, from, to);
      return {};
    },
    hit: ({ ground }) => ground.wasBlind(),
    repair: ({ ground }) => ground.see(),
    explains: /./,
  };
}

/** All of these. */
export const callKinds: readonly Kind[] = [
  ...(["files", "writes", "programs", "sockets"] as const).map(fails),
  endsAt("writes", false),
  endsAt("files", false),
  endsAt("programs", false),
  endsAt("writes", true),
  ...(["git", "Nix", "systemd"] as const).flatMap((whom) =>
    answers.map((answer) => blind(whom, answer))
  ),
];
