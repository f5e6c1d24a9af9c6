/**
 * What can be wrong with a revision itself, or comes with its activation.
 *
 * @module
 */
import type { Knobs } from "../world/repository.ts";
import { brokenWeb } from "./ground.ts";

/** A bad revision. */
export interface Candidate {
  name: string;
  knobs: Knobs;
  /** `true`: what is wrong does not keep it from being deployed in the end. */
  mayBeDeployed?: true;
  /** What `status` has to say of it. */
  explains: RegExp;
}

const killProgram =
  "pkill -KILL -f '^(/usr/local/bin/)?deno run.*gitops_sync.ts'; sleep 0.3";
const killSwitch =
  "pkill -KILL -f '^/bin/sh .*bin/switch-to-configuration test'; sleep 1";

/** A unit that the switch starts with multi-user.target. */
const unit = (text: string): Knobs => ({
  units: {
    "new.service": `${text}\n[Install]\nWantedBy=multi-user.target\n`,
  },
});

/** All of them. */
export const candidates: readonly Candidate[] = [
  {
    name: "a unit fails",
    knobs: { services: brokenWeb },
    explains: /1 unit failed: web\.service/,
  },
  {
    name: "the build fails",
    knobs: { build: "echo no such thing >&2; exit 1" },
    explains: /Cannot build/,
  },
  {
    name: "a secret can't be installed",
    knobs: { secrets: ["foreign.yaml"] },
    explains: /setupSecrets/,
  },
  {
    name: "the switch exits 1",
    knobs: { exit: { test: 1 } },
    explains: /ended with code 1/,
  },
  {
    name: "an activation script fails (2)",
    knobs: { activation: "false" },
    explains: /an activation script failed/,
  },
  {
    name: "the switch exits 3 when all is done",
    knobs: { exit: { test: 3 } },
    explains: /ended with code 3/,
  },
  {
    name: "the switch says 4 and not why",
    knobs: { exit: { test: 4 } },
    explains: /does not name it/,
  },
  {
    name: "an error ends the switch in its midst",
    knobs: { errno: 11 },
    explains: /ended with code 11/,
  },
  {
    name: "a setting is refused",
    knobs: unit("[Service]\nType=oneshot\nRestart=always\nExecStart=true"),
    explains: /1 unit cannot be loaded: new\.service/,
  },
  {
    name: "an assertion is not met",
    knobs: {
      services: {},
      units: {
        "web.service":
          "[Unit]\nAssertPathExists=/nonexistent\n[Service]\nExecStart=sleep 600\n[Install]\nWantedBy=multi-user.target\n",
      },
    },
    explains: /an assertion failed: web\.service/,
  },
  {
    name: "a daemon ends well at once",
    knobs: { services: { web: { command: "exit 0", type: "simple" } } },
    explains: /is no longer running: web\.service/,
  },
  {
    name: "a unit crashes again and again",
    knobs: unit(
      '[Service]\nExecStart=/bin/sh -c "sleep 0.1; exit 1"\nRestart=always',
    ),
    explains: /1 unit keeps failing: new\.service/,
  },
  {
    name: "the timer is stopped in it",
    knobs: { activation: "systemctl stop follow.timer" },
    mayBeDeployed: true,
    explains: /is not deployed yet/,
  },
  {
    name: "the timer never comes",
    knobs: {
      units: {
        "follow.timer":
          "[Timer]\nOnCalendar=dayly\n[Install]\nWantedBy=timers.target\n",
      },
    },
    explains: /1 unit cannot be loaded: follow\.timer/,
  },
  {
    name: "D-Bus is taken away",
    knobs: { activation: "systemctl stop dbus.socket dbus.service" },
    explains: /ended with code 11/,
  },
  {
    name: "the switch is locked (11)",
    knobs: { exit: { test: 11 } },
    explains: /another switch was in progress/,
  },
  {
    name: "a reboot is needed (100)",
    knobs: { exit: { test: 100 } },
    explains: /needs a reboot[^]*operation: boot/,
  },
  {
    name: "the switch kills itself",
    knobs: { activation: killSwitch },
    explains: /ended by signal 9/,
  },
  {
    name: "the switch kills the program",
    knobs: { activation: killProgram },
    explains: /interrupted at the activate stage/,
  },
  {
    name: "the switch hangs before",
    knobs: { hang: 600 },
    explains: /took too long/,
  },
  {
    name: "the switch hangs after",
    knobs: { hangAfter: 600 },
    explains: /took too long/,
  },
  {
    name: "it says 0, and nothing was switched",
    knobs: { activation: "mkdir -p /run/current-system.new" },
    explains: /another system is running/,
  },
  {
    name: "systemd starts anew in it",
    knobs: { activation: "systemctl daemon-reexec" },
    mayBeDeployed: true,
    explains: /is not deployed yet/,
  },
  {
    name: "the bootloader fails",
    knobs: { exit: { boot: 1 } },
    explains: /the boot default: it ended with code 1/,
  },
  {
    name: "the bootloader fails and says 0",
    knobs: { bootloader: "silent" },
    explains: /systemd-boot still starts/,
  },
];
