/**
 * Changes of units that happen every day, and none of which is a reason to go
 * back: what a system had, and what the next has in its place.
 *
 * @module
 */

/** Unit files by name; `null` masks one. */
export type Units = Readonly<Record<string, string | null>>;

/** A change by what was there before and what comes. */
export type Change = readonly [name: string, before: Units, after: Units];

interface Parts {
  /** More of [Unit]. */
  unit?: string;
  /** What [Service] says beside ExecStart. */
  service?: string;
  /** Empty: nothing wants it. */
  wantedBy?: string;
}

function service(exec: string, parts: Parts = {}): string {
  const { unit = "", service = "", wantedBy = "multi-user.target" } = parts;
  return `[Unit]\n${unit}\n[Service]\nExecStart=/bin/sh -c "${exec}"\n` +
    `${service}\n${wantedBy ? `[Install]\nWantedBy=${wantedBy}\n` : ""}`;
}

const daemon = (word: string, parts?: Parts) =>
  service(`exec sleep 600 # ${word}`, parts);
const oneshot = (exec: string, more = "") =>
  service(exec, { service: `Type=oneshot\n${more}` });
const unwanted = (exec: string, more = "") =>
  service(exec, { service: `Type=oneshot\n${more}`, wantedBy: "" });
const timer = (when: string) =>
  `[Timer]\n${when}\n[Install]\nWantedBy=timers.target\n`;
const socket = (name: string) =>
  `[Socket]\nListenStream=/run/${name}.sock\n` +
  "[Install]\nWantedBy=sockets.target\n";
const path = (file: string) =>
  `[Path]\nPathExists=${file}\n[Install]\nWantedBy=paths.target\n`;
const remains = "RemainAfterExit=yes";
const yearly = timer("OnCalendar=yearly");

/** One unit that becomes another text. */
const becomes = (
  name: string,
  unit: string,
  before: string | null | undefined,
  after: string | null | undefined,
): Change => [
  name,
  before === undefined ? {} : { [unit]: before },
  after === undefined ? {} : { [unit]: after },
];

/** All of them. The units of no two are the same. */
export const changes: readonly Change[] = [
  becomes("a service is added", "a1.service", undefined, daemon("1")),
  becomes("a service is removed", "a2.service", daemon("1"), undefined),
  ["a service is renamed", { "a3-old.service": daemon("1") }, {
    "a3-new.service": daemon("1"),
  }],
  becomes(
    "nothing wants a service any more",
    "a4.service",
    daemon("1"),
    daemon("1", { wantedBy: "" }),
  ),
  becomes("a service is masked", "a5.service", daemon("1"), null),
  becomes("a service is changed", "a6.service", daemon("1"), daemon("2")),
  becomes(
    "a description is changed",
    "a7.service",
    daemon("1"),
    daemon("1", { unit: "Description=another" }),
  ),
  becomes(
    "X-RestartIfChanged=false",
    "a8.service",
    daemon("1", { service: "X-RestartIfChanged=false" }),
    daemon("2", { service: "X-RestartIfChanged=false" }),
  ),
  becomes(
    "X-StopIfChanged=false",
    "a9.service",
    daemon("1", { service: "X-StopIfChanged=false" }),
    daemon("2", { service: "X-StopIfChanged=false" }),
  ),
  becomes(
    "X-ReloadIfChanged=true",
    "a10.service",
    daemon("1", { service: "X-ReloadIfChanged=true\nExecReload=true" }),
    daemon("2", { service: "X-ReloadIfChanged=true\nExecReload=true" }),
  ),
  becomes(
    "a service that is restarted whenever it ends",
    "a11.service",
    daemon("1", { service: "Restart=always" }),
    daemon("2", { service: "Restart=always" }),
  ),
  becomes(
    "a service that ends with a signal when it is stopped",
    "a12.service",
    service("trap 'exit 9' TERM; while sleep 0.1; do :; done"),
    service("trap 'exit 8' TERM; while sleep 0.1; do :; done"),
  ),
  becomes(
    "a service that comes up at the second try",
    "a13.service",
    undefined,
    service("mkdir /run/a13 && exit 1; exec sleep 600", {
      service: "Restart=on-failure",
    }),
  ),
  becomes(
    "a service that takes its time",
    "a14.service",
    undefined,
    daemon("1", { service: "ExecStartPre=sleep 5" }),
  ),
  becomes(
    "a service with a step that may fail",
    "a15.service",
    undefined,
    daemon("1", { service: "ExecStartPre=-false" }),
  ),
  becomes(
    "Type=exec instead of simple",
    "a16.service",
    daemon("1"),
    daemon("1", { service: "Type=exec" }),
  ),
  becomes(
    "Type=forking",
    "a17.service",
    undefined,
    service("sleep 600 &", { service: "Type=forking" }),
  ),
  becomes(
    "Type=idle",
    "a18.service",
    undefined,
    daemon("1", { service: "Type=idle" }),
  ),
  becomes(
    "a wish for a service that is not there",
    "a19.service",
    daemon("1"),
    daemon("1", { unit: "Wants=no-such-thing.service" }),
  ),
  becomes(
    "a service that needs another one",
    "a20.service",
    daemon("1"),
    daemon("1", { unit: "Requires=a6.service\nAfter=a6.service" }),
  ),
  becomes(
    "a service that is restarted every moment, as before",
    "a21.service",
    ...same(service("sleep 0.2", {
      service: "Restart=always\nRestartSec=500ms",
      unit: "StartLimitIntervalSec=0",
    })),
  ),

  becomes("a oneshot is added", "b1.service", undefined, oneshot("true")),
  becomes("a oneshot is removed", "b2.service", oneshot("true"), undefined),
  becomes("a oneshot is changed", "b3.service", oneshot("true"), oneshot(":")),
  becomes(
    "a oneshot that remains is added",
    "b4.service",
    undefined,
    oneshot("true", remains),
  ),
  becomes(
    "a oneshot that remains is changed",
    "b5.service",
    oneshot("true", remains),
    oneshot(":", remains),
  ),
  becomes(
    "a oneshot remains no more",
    "b6.service",
    oneshot("true", remains),
    oneshot("true"),
  ),
  becomes(
    "a oneshot remains from now on",
    "b7.service",
    oneshot("true"),
    oneshot("true", remains),
  ),
  becomes(
    "a daemon becomes a oneshot",
    "b8.service",
    daemon("1"),
    oneshot("true"),
  ),
  becomes(
    "a oneshot whose code 3 means success",
    "b9.service",
    undefined,
    oneshot("exit 3", "SuccessExitStatus=3"),
  ),
  becomes(
    "a oneshot that takes its time",
    "b10.service",
    undefined,
    oneshot("sleep 4", remains),
  ),

  ["a socket with its service is added", {}, {
    "c1.socket": socket("c1"),
    "c1.service": daemon("1", { wantedBy: "" }),
  }],
  ["a socket with its service is removed", {
    "c2.socket": socket("c2"),
    "c2.service": daemon("1", { wantedBy: "" }),
  }, {}],
  [
    "the service of a socket is changed while it runs",
    {
      "c3.socket": socket("c3"),
      "c3.service": daemon("1", { wantedBy: "" }),
    },
    {
      "c3.socket": socket("c3"),
      "c3.service": daemon("2", { wantedBy: "" }),
    },
  ],
  [
    "the service of a socket is changed while it is idle",
    {
      "c4.socket": socket("c4"),
      "c4.service": daemon("1", { wantedBy: "" }),
    },
    {
      "c4.socket": socket("c4"),
      "c4.service": daemon("2", { wantedBy: "" }),
    },
  ],
  [
    "a request to a socket fails meanwhile",
    ...same({
      "c5.socket":
        "[Socket]\nListenStream=127.0.0.1:7005\nAccept=yes\n[Install]\nWantedBy=sockets.target\n",
      "c5@.service": unwanted("exit 1"),
    }),
  ],

  ["a timer is added", {}, {
    "d1.timer": yearly,
    "d1.service": unwanted("true"),
  }],
  ["a timer is removed", {
    "d2.timer": yearly,
    "d2.service": unwanted("true"),
  }, {}],
  [
    "a timer comes at another time",
    { "d3.timer": yearly, "d3.service": unwanted("true") },
    {
      "d3.timer": timer("OnCalendar=monthly"),
      "d3.service": unwanted("true"),
    },
  ],
  [
    "the service of a timer is changed",
    { "d4.timer": yearly, "d4.service": unwanted("true") },
    { "d4.timer": yearly, "d4.service": unwanted(":") },
  ],
  [
    "the job of a timer runs before and goes on",
    ...same({
      "d5.timer": timer("OnActiveSec=0"),
      "d5.service": unwanted("sleep 600"),
    }),
  ],
  [
    "the job of a timer fails meanwhile",
    ...same({
      "d6.timer": timer("OnActiveSec=1h"),
      "d6.service": unwanted("exit 1"),
    }),
  ],
  ["a timer has run out", {}, {
    "d7.timer": timer("OnActiveSec=0\nRemainAfterElapse=yes"),
    "d7.service": unwanted("true"),
  }],
  ["a path is added", {}, {
    "e1.path": path("/nonexistent"),
    "e1.service": unwanted("true"),
  }],
  ["a path is removed", {
    "e2.path": path("/nonexistent"),
    "e2.service": unwanted("true"),
  }, {}],
  [
    "the service of a path is changed",
    { "e3.path": path("/nonexistent"), "e3.service": unwanted("true") },
    { "e3.path": path("/nonexistent"), "e3.service": unwanted(":") },
  ],

  becomes(
    "an instance is added",
    "f1@.service",
    undefined,
    instance(daemon("%i")),
  ),
  becomes(
    "an instance is removed",
    "f2@.service",
    instance(daemon("%i")),
    undefined,
  ),
  becomes(
    "a template is changed",
    "f3@.service",
    instance(daemon("%i")),
    instance(daemon("%i more")),
  ),
  becomes(
    "a unit whose condition is not met is added",
    "g1.service",
    undefined,
    daemon("1", { unit: "ConditionPathExists=/nonexistent" }),
  ),
  becomes(
    "a condition is not met any more",
    "g2.service",
    daemon("1"),
    daemon("1", { unit: "ConditionPathExists=/nonexistent" }),
  ),
  becomes(
    "an assertion that is met",
    "g3.service",
    daemon("1"),
    daemon("1", { unit: "AssertPathExists=/etc" }),
  ),
  [
    "a service of D-Bus is changed while it runs",
    { "systemd-localed.service": bus("locale1", "localed") },
    {
      "systemd-localed.service": bus("locale1", "localed", "Description=two"),
    },
  ],
  [
    "a service of D-Bus is idle and ends by itself",
    ...same({
      "systemd-hostnamed.service": bus("hostname1", "hostnamed"),
    }),
  ],
  [
    "a request over D-Bus fails meanwhile",
    ...same({
      "systemd-timedated.service": bus("timedate1", "no-such-program"),
    }),
  ],
  [
    "a person starts a long job by hand meanwhile",
    ...same({ "i1.service": unwanted("sleep 600") }),
  ],
  [
    "a person starts a job by hand that fails",
    ...same({ "i2.service": unwanted("exit 1") }),
  ],
  [
    "a service that nothing wants ends, and what it needed with it",
    ...same({
      "i3.service": service("exec sleep 600", {
        wantedBy: "",
        unit: "Requires=i3-helper.service\nAfter=i3-helper.service",
      }),
      "i3-helper.service": daemon("1", {
        wantedBy: "",
        unit: "StopWhenUnneeded=yes",
      }),
      // What names it keeps systemd from forgetting it.
      "i3-after.service": daemon("1", { unit: "After=i3.service" }),
    }),
  ],
  [
    "a user logs out meanwhile",
    ...same({
      "user-runtime-dir@.service":
        "[Unit]\nAfter=dbus.service\nStopWhenUnneeded=yes\n" +
        "[Service]\nType=oneshot\nRemainAfterExit=yes\n" +
        "ExecStart=/usr/lib/systemd/systemd-user-runtime-dir start %i\n" +
        "ExecStop=/usr/lib/systemd/systemd-user-runtime-dir stop %i\n",
      "user@.service":
        "[Unit]\nAfter=user-runtime-dir@%i.service dbus.service\n" +
        "Requires=user-runtime-dir@%i.service\nIgnoreOnIsolate=yes\n" +
        "[Service]\nUser=%i\nPAMName=systemd-user\nType=notify\n" +
        "ExecStart=/usr/lib/systemd/systemd --user\n" +
        "Slice=user-%i.slice\nKillMode=mixed\nDelegate=yes\n",
    }),
  ],
  ["a target is added with what it wants", {}, {
    "h1.target": "[Unit]\n[Install]\nWantedBy=multi-user.target\n",
    "h1.service": daemon("1", { wantedBy: "h1.target" }),
  }],
  becomes(
    "a slice is changed",
    "h2.slice",
    "[Slice]\n",
    "[Slice]\nCPUWeight=9\n",
  ),
  becomes(
    "a service moves to a slice",
    "h3.service",
    daemon("1"),
    daemon("1", { service: "Slice=h2.slice" }),
  ),
  becomes(
    "a service that nothing wants ends by itself",
    "h4.service",
    ...same(service("exec sleep 600", { wantedBy: "" })),
  ),
  becomes(
    "a service failed before, and nobody mends it",
    "h5.service",
    ...same(service("exit 1")),
  ),
  becomes(
    "a service that failed before is removed",
    "h6.service",
    service(
      "exit 1",
    ),
    undefined,
  ),
  becomes(
    "a service that failed before is mended",
    "h7.service",
    service(
      "exit 1",
    ),
    daemon("1"),
  ),
];

/** A service of systemd's own that D-Bus starts when it is asked. */
function bus(name: string, program: string, unit = ""): string {
  return `[Unit]\n${unit}\n[Service]\nType=dbus\n` +
    `BusName=org.freedesktop.${name}\n` +
    `ExecStart=/usr/lib/systemd/systemd-${program}\n`;
}

/** What a change leaves as it is. */
function same<T>(one: T): [T, T] {
  return [one, one];
}

function instance(text: string): string {
  return `${text}DefaultInstance=1\n`;
}

/** The lines of fstab before and after. */
export const fstab = {
  before: [
    "tmpfs /mnt/removed tmpfs size=1m 0 0",
    "tmpfs /mnt/resized tmpfs size=1m 0 0",
    "tmpfs /mnt/same tmpfs size=1m 0 0",
    "/nonexistent none swap noauto 0 0",
  ],
  after: [
    "tmpfs /mnt/resized tmpfs size=2m 0 0",
    "tmpfs /mnt/same tmpfs size=1m 0 0",
    "tmpfs /mnt/added tmpfs size=1m 0 0",
    "tmpfs /mnt/optional tmpfs nofail 0 0",
    "tmpfs /mnt/by-hand tmpfs noauto 0 0",
  ],
};

/** What a change asks for, all of it together. */
export function unitsOf(side: "before" | "after"): Units {
  return Object.assign(
    {},
    ...changes.map(([, before, after]) => side === "before" ? before : after),
  );
}
