import { assert, assertEquals } from "@std/assert";
import { agreement, type Facts } from "../../lib/report/agreement.ts";
import { rowLines } from "../../lib/cli/output/rows.ts";
import { statusRows } from "../../lib/report/status_text.ts";
import { statusLine } from "../../lib/cli/output/status_line.ts";
import { widthOf } from "../../lib/cli/output/width.ts";
import type { Config } from "../../lib/config/schema.ts";
import type { Deployment, Hold, State } from "../../lib/state/state.ts";
import { targetOf } from "../../lib/run/decide.ts";

const good = "/nix/store/good", byHand = "/nix/store/by-hand";
const old = "a".repeat(40), tip = "b".repeat(40);
const now = new Date("2026-03-01T12:00:00Z");
const at = "2026-03-01T11:00:00.000Z";

const config = {
  repository: "file:///srv/infra",
  ref: "main",
  host: "web",
  directory: "",
  operation: "switch",
  drift: "report",
  allowForcePush: false,
  "windows.deploy": [],
  approval: "none",
  "windows.reboot": [],
  reboot: "never",
} as unknown as Config;
const target = targetOf(config);

const deployed = (revision: string): Deployment => ({
  revision,
  subject: "Greet",
  author: "Ada",
  committedAt: at,
  target,
  system: good,
  at,
});

const hold: Hold = {
  revision: tip,
  target,
  stage: "build",
  reason: "builder-failed",
  message: "Cannot build it",
  hints: ["look at it"],
  since: at,
};

const attempt: State["attempt"] & object = {
  id: "1",
  command: "sync",
  commit: deployed(tip),
  target,
  startedAt: at,
  stage: "activate",
  bootId: "1",
};

const last: State["last"] & object = {
  at,
  result: "failed",
  exit: 8,
  message: "it broke",
  hints: ["look now"],
  times: 1,
};

function facts(
  state: Partial<State>,
  more: Partial<Facts> = {},
): Facts {
  return {
    config,
    state: { version: 1, earlier: [], holds: [], ...state },
    systems: { running: good, bootDefault: good },
    history: [],
    now,
    isBusy: more.busy !== undefined,
    tip: { revision: tip, kind: "branch", name: "refs/heads/main" },
    ...more,
  };
}

Deno.test("status says whether host and Git agree, why not, and what is next", () => {
  const table: [
    facts: Facts,
    agrees: boolean | null,
    why: RegExp,
    next: RegExp,
  ][] = [
    [facts({ lastGood: deployed(tip) }), true, /^$/, /^nothing to do$/],
    [
      facts({ lastGood: deployed(old) }),
      false,
      /^bbbbbbbbbbbb is not deployed yet$/,
      /the next run deploys it/,
    ],
    [
      facts({ lastGood: deployed(tip) }, {
        config: { ...config, operation: "boot", directory: "hosts" } as Config,
      }),
      false,
      /^bbbbbbbbbbbb was deployed with another configuration: directory, operation$/,
      /the next run deploys it/,
    ],
    [facts({}), false, /^nothing was deployed here yet$/, /deploys it/],
    [
      facts({ lastGood: deployed(tip) }, { changed: ["kernel"], booted: "/x" }),
      true,
      /^$/,
      /^a reboot is due \(changed: kernel\), and left to you: systemctl reboot$/,
    ],
    [
      facts({ lastGood: deployed(tip) }, {
        changed: ["kernel", "initrd"],
        booted: "/x",
        config: { ...config, reboot: "when-needed" },
      }),
      true,
      /^$/,
      /^a reboot is due \(changed: kernel, initrd\); the next run begins it/,
    ],
    [
      facts({ lastGood: deployed(tip) }, {
        booted: "/x",
        config: {
          ...config,
          reboot: "always",
          "windows.reboot": ["Mon 12:00-13:00 UTC"],
        },
      }),
      true,
      /^$/,
      /^a reboot is due \(changed: the system\); the next window opens at 2026-03-02 .*--now does/,
    ],
    [
      facts({ lastGood: deployed(old) }, {
        config: { ...config, "windows.deploy": ["Mon 12:00-13:00 UTC"] },
      }),
      false,
      /^bbbbbbbbbbbb waits for a window$/,
      /^the next window opens at 2026-03-02 .*; gitops-sync sync --now does/,
    ],
    [
      facts({ lastGood: deployed(old) }, {
        config: { ...config, "windows.deploy": ["deny Mon-Sun"] },
      }),
      false,
      /^bbbbbbbbbbbb waits for a window$/,
      /^no window opens within two weeks/,
    ],
    [
      facts({ lastGood: deployed(old), holds: [hold] }),
      false,
      /is held: Cannot build it$/,
      /^look at it\|a new commit is picked up by itself; gitops-sync retry/,
    ],
    [
      facts({
        lastGood: deployed(old),
        backoff: { revision: tip, failures: 2, notBefore: "2026-03-01T13:00Z" },
        last: { ...last, message: "no network" },
      }),
      false,
      /failed 2 times for what may pass: no network$/,
      /gitops-sync sync --now tries at once/,
    ],
    [
      facts({ lastGood: deployed(tip) }, {
        systems: { running: byHand, bootDefault: good },
      }),
      false,
      /^somebody switched by hand: the running system is \/nix\/store\/by-hand$/,
      /--drift correct/,
    ],
    [
      facts({ lastGood: deployed(tip) }, {
        systems: { running: byHand, bootDefault: good },
        config: { ...config, drift: "correct" },
      }),
      false,
      /switched by hand/,
      /the next run corrects it/,
    ],
    [
      facts({ lastGood: deployed(tip), attempt }),
      true,
      /^$/,
      /was cut off at the activate stage; the next run finishes or undoes it/,
    ],
    [
      facts({ lastGood: deployed(tip), attempt }, {
        busy: { pid: 7, command: "sync", since: 0 },
      }),
      true,
      /^$/,
      /^a run is under way: sync, process 7, at the activate stage$/,
    ],
    [
      facts({ lastGood: deployed(tip) }, {
        isBusy: false,
        busy: { pid: 7, command: "doctor", since: 0 },
      }),
      true,
      /^$/,
      /^gitops-sync doctor is at work \(process 7\): a run can't begin before/,
    ],
    [
      facts({ lastGood: deployed(tip) }, {
        tip: {
          revision: tip,
          kind: "branch",
          name: "refs/heads/main",
          testing: {
            revision: old,
            kind: "branch",
            name: "refs/heads/testing/web",
          },
        },
      }),
      false,
      /^testing\/web is at aaaaaaaaaaaa, which was not tried out yet$/,
      /^the next run tries it out: gitops-sync sync$/,
    ],
    [
      facts({ lastGood: deployed(old), attempt, last }),
      false,
      /not deployed yet/,
      /^this host needs a person.*\|look now$/,
    ],
    [
      facts({ lastGood: deployed(old) }, {
        suspension: { since: at, until: null, reason: "holidays" },
      }),
      false,
      /not deployed yet/,
      /^suspended since \S+ \S+ \(1h ago\) \(holidays\); gitops-sync resume ends it$/,
    ],
  ];
  for (const [given, agrees, why, next] of table) {
    const verdict = agreement(given);
    const context = JSON.stringify(verdict);
    assertEquals(verdict.agrees, agrees, context);
    assertEquals(why.test(verdict.why), true, context);
    assertEquals(next.test(verdict.next.join("|")), true, context);
  }
});

Deno.test("without an answer of the remote nothing is claimed", () => {
  const { tip: _, ...silent } = facts({ lastGood: deployed(tip) });
  const verdict = agreement({ ...silent, unreached: "no route" });
  assertEquals(verdict, {
    agrees: null,
    why: "no route",
    next: ["the next run asks again"],
  });
});

Deno.test("the headline never says the opposite of the state", () => {
  const branch = { revision: tip, kind: "branch", name: "main" } as const;
  const testing = {
    revision: old,
    kind: "branch",
    name: "refs/heads/testing/web",
  } as const;
  const table: [Partial<State>, Partial<Facts>, said: string][] = [
    [{}, {}, "in sync with main"],
    [{ attempt }, {}, "cut off; in sync with main"],
    [
      { attempt },
      { busy: { pid: 7, command: "sync", since: 0 } },
      "deploying; in sync with main",
    ],
    [
      { attempt },
      { busy: { pid: 7, command: "doctor", since: 0 }, isBusy: false },
      "cut off; in sync with main",
    ],
    [{}, { tip: { ...branch, testing } }, "not what testing/web says"],
  ];
  for (const [state, more, said] of table) {
    const given = facts({ lastGood: deployed(tip), ...state }, more);
    const [first] = rowLines(statusRows(given, agreement(given)));
    assertEquals(first, `host   web: ${said}`);
  }
});

Deno.test("the line of the status fits where it can be read", () => {
  const never = facts({ lastGood: deployed(tip) }, {
    nextRun: { at: new Date(now.getTime() + 240_000) },
  });
  assertEquals(
    statusLine(never),
    'web: in-sync, bbbbbbbbbbbb "Greet", never asked by a run, next run in 4m',
  );
  const long = deployed(tip);
  long.subject = "A subject as people write it who have never seen a terminal";
  const wordy = { ...never, state: { ...never.state, lastGood: long } };
  assertEquals(
    statusLine(wordy, 80),
    'web: in-sync, bbbbbbbbbbbb "A subject as…", never asked by a run, next run in 4m',
  );
  assertEquals(
    statusLine(wordy, 70),
    "web: in-sync, bbbbbbbbbbbb, never asked by a run, next run in 4m",
  );
  for (const columns of [10, 40, 60, 80, 120]) {
    assert(widthOf(statusLine(wordy, columns)) <= columns);
  }
});

Deno.test("the status is a few lines that stand for themselves", () => {
  const given = facts({ lastGood: deployed(tip) }, {
    systems: { running: good, bootDefault: byHand },
  });
  const lines = rowLines(statusRows(given, agreement(given)));
  const plain = lines.map((line) => line.replace(/\d{4}-\S+ \S+/, "WHEN"));
  assertEquals(plain, [
    "host   web: not what main says",
    'runs   bbbbbbbbbbbb "Greet" by Ada, since WHEN (1h ago)',
    "boots  /nix/store/by-hand, which gitops-sync did not deploy",
    'git    branch main is at bbbbbbbbbbbb "Greet" by Ada',
    "asked  never by a run, next run unknown",
    "why    somebody switched by hand: the boot default is /nix/store/by-hand",
    "last   no attempt yet",
    "next   gitops-sync sync --drift correct activates what was deployed again",
  ]);
});
