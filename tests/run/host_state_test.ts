import { assertEquals } from "@std/assert";
import type { Config } from "../../lib/config/schema.ts";
import { type HostFacts, hostStateOf } from "../../lib/run/host_state.ts";
import { targetOf } from "../../lib/run/decide.ts";
import type { Deployment, Hold, State } from "../../lib/state/state.ts";

const good = "/nix/store/good";
const old = "a".repeat(40), tip = "b".repeat(40);
const now = new Date("2026-03-01T12:00:00Z");
const at = "2026-03-01T11:00:00Z";
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
} as unknown as Config;
const target = targetOf(config);
const commit = { subject: "", author: "", committedAt: at };

const lastGood = (revision: string): Deployment => ({
  ...commit,
  revision,
  target,
  system: good,
  at,
});
const hold = (reason: string): Hold => ({
  revision: tip,
  target,
  stage: "build",
  reason,
  message: "",
  hints: [],
  since: at,
});
const attempt: State["attempt"] & object = {
  id: "1",
  command: "sync",
  commit: { ...commit, revision: tip },
  target,
  startedAt: at,
  stage: "build",
  bootId: "1",
};
const suspension = { since: at, until: null, reason: null };
const rolledBack = { by: "ada", at, system: good };
const manual = { ...config, approval: "manual" } as Config;
const waiting = {
  ...commit,
  revision: tip,
  target,
  system: "/nix/store/new",
  since: at,
};
const closed = { ...config, "windows.deploy": ["deny 00:00-24:00"] };

/** The state of a host whose facts are these; the remote names `tip`. */
function stateOf(state: Partial<State>, more: Partial<HostFacts> = {}) {
  return hostStateOf({
    config,
    state: { version: 1, earlier: [], holds: [], ...state },
    systems: { running: good, bootDefault: good },
    now,
    tip: { revision: tip, kind: "branch", name: "refs/heads/main" },
    isBusy: false,
    ...more,
  });
}

Deno.test("each state has its facts, and the order is that of docs/json.md", () => {
  const held = { lastGood: lastGood(old), holds: [hold("builder-failed")] };
  const { tip: _, ...silent } = { tip: undefined };
  const table: [string, string][] = [
    [stateOf({ lastGood: lastGood(tip) }), "in-sync"],
    [stateOf({ lastGood: lastGood(old) }), "out-of-sync"],
    [stateOf({}), "out-of-sync"],
    [stateOf(held), "held"],
    [stateOf({ ...held, holds: [hold("rolled-back")] }), "rolled-back"],
    [
      stateOf({
        backoff: {
          revision: tip,
          failures: 2,
          notBefore: "2026-03-01T12:10:00Z",
        },
      }),
      "waiting",
    ],
    [stateOf({ lastGood: lastGood(old) }, { config: closed }), "waiting"],
    [
      stateOf({ lastGood: lastGood(old), waiting }, { config: manual }),
      "waiting",
    ],
    [stateOf({ lastGood: lastGood(old), rolledBack }), "rolled-back"],
    // Somebody switched by hand.
    [
      stateOf({ lastGood: lastGood(tip) }, {
        systems: { running: "/nix/store/other", bootDefault: good },
      }),
      "out-of-sync",
    ],
    // A run that asks and has begun nothing changes no state.
    [stateOf({ lastGood: lastGood(tip) }, { isBusy: true }), "in-sync"],
    // Of several the first counts.
    [stateOf({ ...held, attempt }, { isBusy: true, suspension }), "deploying"],
    [stateOf({ ...held, attempt }, { suspension }), "out-of-sync"],
    [stateOf(held, { suspension }), "suspended"],
    [stateOf(held, { config: closed }), "held"],
  ];
  for (const [i, [found, expected]] of table.entries()) {
    assertEquals(found, expected, `row ${i}`);
  }
  const facts = { config, now, isBusy: false, ...silent };
  const unknown = hostStateOf({
    ...facts,
    state: { version: 1, earlier: [], holds: [], lastGood: lastGood(tip) },
    systems: { running: good, bootDefault: good },
  });
  assertEquals(unknown, "unknown", "what nobody knows is not in sync");
});
