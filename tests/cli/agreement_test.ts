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
    [facts({ lastGood: deployed(tip) }), true, /^$/, /^Nothing to do\.$/],
    [
      facts({ lastGood: deployed(old) }),
      false,
      /^bbbbbbbbbbbb is not deployed yet$/,
      /^The next run deploys it\. Run `gitops-sync sync` to do it now\.$/,
    ],
    [
      facts({ lastGood: deployed(tip) }, {
        config: { ...config, operation: "boot", directory: "hosts" } as Config,
      }),
      false,
      /^bbbbbbbbbbbb was deployed with another configuration: directory, operation$/,
      /The next run deploys it/,
    ],
    [facts({}), false, /^nothing is deployed on this host yet$/, /deploys it/],
    [
      facts({ lastGood: deployed(tip) }, { changed: ["kernel"], booted: "/x" }),
      true,
      /^$/,
      /^A reboot is needed \(changed: kernel\)\. .*reboot: never\): run `systemctl reboot`\.$/,
    ],
    [
      facts({ lastGood: deployed(tip) }, {
        changed: ["kernel", "initrd"],
        booted: "/x",
        config: { ...config, reboot: "when-needed" },
      }),
      true,
      /^$/,
      /^A reboot is needed \(changed: kernel, initrd\)\. The next run reboots the host\. Run `gitops-sync sync`/,
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
      /^A reboot is needed \(changed: the system\)\. The next window opens at 2026-03-02 .*\. Run `gitops-sync sync --now`/,
    ],
    [
      facts({ lastGood: deployed(old) }, {
        config: { ...config, "windows.deploy": ["Mon 12:00-13:00 UTC"] },
      }),
      false,
      /^bbbbbbbbbbbb waits for a deployment window$/,
      /^The next window opens at 2026-03-02 .*\. Run `gitops-sync sync --now`/,
    ],
    [
      facts({ lastGood: deployed(old) }, {
        config: { ...config, "windows.deploy": ["deny Mon-Sun"] },
      }),
      false,
      /^bbbbbbbbbbbb waits for a deployment window$/,
      /^No window opens within two weeks\./,
    ],
    [
      facts({ lastGood: deployed(old), holds: [hold] }),
      false,
      /is blocked: Cannot build it$/,
      /^look at it\|Push a fix, or run `gitops-sync retry` to try this commit/,
    ],
    [
      facts({
        lastGood: deployed(old),
        backoff: { revision: tip, failures: 2, notBefore: "2026-03-01T13:00Z" },
        last: { ...last, message: "no network" },
      }),
      false,
      /failed twice with a temporary error: no network$/,
      /gitops-sync sync --now` to try at once/,
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
      /^The next run corrects it\./,
    ],
    [
      facts({ lastGood: deployed(tip), attempt }),
      true,
      /^$/,
      /was interrupted at the activate stage\. The next run finishes or undoes it\./,
    ],
    [
      facts({ lastGood: deployed(tip), attempt }, {
        busy: { pid: 7, command: "sync", since: 0 },
      }),
      true,
      /^$/,
      /^A run is in progress: sync, process 7, at the activate stage\.$/,
    ],
    [
      facts({ lastGood: deployed(tip) }, {
        isBusy: false,
        busy: { pid: 7, command: "doctor", since: 0 },
      }),
      true,
      /^$/,
      /^`gitops-sync doctor` is running \(process 7\)\. No run can begin before/,
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
      /^the testing branch testing\/web is at aaaaaaaaaaaa, which is not deployed yet$/,
      /^The next run deploys it as a test, .*Run `gitops-sync sync` to do it now\.$/,
    ],
    [
      facts({ lastGood: deployed(old), attempt, last }),
      false,
      /not deployed yet/,
      /^Manual action is needed.*\|look now$/,
    ],
    [
      facts({ lastGood: deployed(old) }, {
        suspension: { since: at, until: null, reason: "holidays" },
      }),
      false,
      /not deployed yet/,
      /^Suspended since \S+ \S+ \(1h ago\) \(holidays\)\. Run `gitops-sync resume` to deploy again\.$/,
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
    next: ["The next run queries the repository again."],
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
    [{ attempt }, {}, "interrupted; in sync with main"],
    [
      { attempt },
      { busy: { pid: 7, command: "sync", since: 0 } },
      "deploying; in sync with main",
    ],
    [
      { attempt },
      { busy: { pid: 7, command: "doctor", since: 0 }, isBusy: false },
      "interrupted; in sync with main",
    ],
    [{}, { tip: { ...branch, testing } }, "out of sync with testing/web"],
  ];
  for (const [state, more, said] of table) {
    const given = facts({ lastGood: deployed(tip), ...state }, more);
    const [first] = rowLines(statusRows(given, agreement(given)));
    assertEquals(first, `host     web: ${said}`);
  }
});

Deno.test("the line of the status fits where it can be read", () => {
  const never = facts({ lastGood: deployed(tip) }, {
    nextRun: { at: new Date(now.getTime() + 240_000) },
  });
  assertEquals(
    statusLine(never),
    'web: in-sync, bbbbbbbbbbbb "Greet", never checked, next run in 4m',
  );
  const long = deployed(tip);
  long.subject = "A subject as people write it who have never seen a terminal";
  const wordy = { ...never, state: { ...never.state, lastGood: long } };
  assertEquals(
    statusLine(wordy, 80),
    'web: in-sync, bbbbbbbbbbbb "A subject as people…", never checked, next run in 4m',
  );
  assertEquals(
    statusLine(wordy, 66),
    "web: in-sync, bbbbbbbbbbbb, never checked, next run in 4m",
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
    "host     web: out of sync with main",
    'runs     bbbbbbbbbbbb "Greet" by Ada, since WHEN (1h ago)',
    "boots    /nix/store/by-hand, which gitops-sync did not deploy",
    'git      branch main is at bbbbbbbbbbbb "Greet" by Ada',
    "checked  never by a run, next run unknown",
    "why      somebody switched by hand: the boot default is /nix/store/by-hand",
    "last     no attempt yet",
    "next     Run `gitops-sync sync --drift correct` to activate the deployed system again.",
  ]);
});
