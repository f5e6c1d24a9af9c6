import { assertEquals, assertStringIncludes } from "@std/assert";
import { optionNames } from "../../lib/config/schema.ts";
import { counted, type Counts } from "../../lib/report/counts.ts";
import { exposition } from "../../lib/report/exposition.ts";
import { type MetricFacts, metricsOf } from "../../lib/report/metrics.ts";
import { isAttempt } from "../../lib/state/history.ts";
import type { HistoryEntry, Result } from "../../lib/state/state.ts";
import { has } from "../notify/programs.ts";

const ignore = !await has("promtool");
const folder = new URL("../../docs/monitoring", import.meta.url).pathname;

const entry = (id: string, result: Result, more = {}): HistoryEntry => ({
  version: 1,
  id,
  command: "sync",
  at: `2026-11-26T22:0${id}:00.000Z`,
  ms: 1234,
  result,
  exit: result === "failed" ? 6 : 0,
  stages: [
    { stage: "fetch", ms: 1 },
    { stage: "build", ms: 1000 },
    { stage: "build", ms: 233 },
  ],
  ...more,
});

const none: Counts = { version: 1, results: {}, failures: {} };

/** All that there can be to tell, with texts that need care. */
const all: MetricFacts = {
  host: "web",
  ring: "canary",
  version: "1.2.3",
  state: {
    version: 1,
    earlier: [],
    holds: [],
    seen: {
      ref: "main",
      revision: "a".repeat(40),
      kind: "branch",
      at: "2026-11-26T22:00:00.000Z",
    },
    lastGood: {
      revision: "b".repeat(40),
      subject: "",
      author: "",
      committedAt: "",
      system: "/nix/store/x",
      at: "2026-11-26T22:00:00.500Z",
      target: {
        repository: "",
        ref: 'odd"\\ref\n',
        directory: "",
        host: "",
        operation: "switch",
      },
    },
    waiting: {
      revision: "c".repeat(40),
      subject: "",
      author: "",
      committedAt: "",
      system: "/nix/store/y",
      since: "2026-11-26T22:00:00.000Z",
      target: {
        repository: "",
        ref: "main",
        directory: "",
        host: "",
        operation: "switch",
      },
    },
    gated: {
      revision: "c".repeat(40),
      subject: "",
      author: "",
      committedAt: "",
      system: "/nix/store/y",
      since: "2026-11-26T22:00:00.000Z",
      at: "2026-11-26T22:00:00.000Z",
      notBefore: "2026-11-26T22:00:00.000Z",
      gates: [{
        name: "soak",
        isOpen: true,
        since: "2026-11-26T22:00:00.000Z",
        why: "",
      }, {
        name: 'checks "ci"/*',
        isOpen: false,
        since: "2026-11-26T22:00:01.000Z",
        why: "",
      }],
      target: {
        repository: "",
        ref: "main",
        directory: "",
        host: "",
        operation: "switch",
      },
    },
  },
  counts: counted(none, [entry("1", "failed", { stage: "build" })]),
  last: entry("1", "failed", { stage: "build" }),
  isSuspended: true,
  hasDrift: false,
  needsReboot: false,
  needsPerson: false,
  fault: { stage: "build", reason: "builder-failed" },
  behind: 1500,
  gates: ["soak", 'checks "ci"/*', "command"],
  waiting: 2,
};

/** Runs promtool on a text. */
async function promtool(args: string[], input = "", cwd = folder) {
  const child = new Deno.Command("promtool", {
    args,
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return { code, said: text.decode(stdout) + text.decode(stderr) };
}

Deno.test({
  name: "promtool finds nothing wrong with the metrics",
  ignore,
  fn: async () => {
    for (const facts of [all, { ...all, state: fresh() }]) {
      const text = exposition(metricsOf(facts));
      const { code, said } = await promtool(["check", "metrics"], text);
      assertEquals({ code, said }, { code: 0, said: "" }, text);
    }
    const wrong = await promtool(["check", "metrics"], "no_help 1\n");
    assertStringIncludes(wrong.said, "no help");
  },
});

const fresh = (): MetricFacts["state"] => ({
  version: 1,
  earlier: [],
  holds: [],
});

Deno.test("a person's word is no attempt", () => {
  const failed = entry("1", "failed", { stage: "build" });
  const words = (["approved", "rejected", "accepted", "unreached"] as const)
    .map((result, i) => entry(String(i + 2), result));
  assertEquals([failed, ...words].filter(isAttempt), [failed]);
  const counts = counted(none, [entry("1", "tested"), entry("2", "waiting")]);
  const text = exposition(metricsOf({ ...all, counts }));
  for (const result of ["tested", "waiting"]) {
    const line = `attempts_total{result="${result}"} 1`;
    assertStringIncludes(text, `\ngitops_sync_${line}\n`);
  }
});

Deno.test("each value is what the facts say", () => {
  const text = exposition(metricsOf(all));
  for (
    const line of [
      'build_info{version="1.2.3"} 1',
      'host_info{host="web",ring="canary"} 1',
      `revision_info{revision="${"b".repeat(40)}",ref="odd\\"\\\\ref\\n"} 1`,
      "last_success_timestamp_seconds 1795730400.5",
      "behind_seconds 1.5",
      'attempts_total{result="failed"} 1',
      'attempts_total{result="deployed"} 0',
      'failures_total{stage="build"} 1',
      "last_attempt_exit_code 6",
      'last_attempt_stage_duration_seconds{stage="build"} 1.233',
      "suspended 1",
      "held 0",
      "approval_wanted 1",
      'attempts_total{result="waiting"} 0',
      'fault_info{stage="build",reason="builder-failed"} 1',
      "messages_waiting 2",
      'gate_open{gate="soak"} 1',
      'gate_open{gate="checks \\"ci\\"/*"} 0',
      'gate_open{gate="command"} 1',
      'gate_since_timestamp_seconds{gate="checks \\"ci\\"/*"} 1795730401',
    ]
  ) assertStringIncludes(text, `\ngitops_sync_${line}\n`);
  const { waiting, ...rest } = all.state;
  const approved = { by: "ada", at: "2026-11-26T22:01:00.000Z" };
  const state = { ...rest, waiting: { ...waiting!, approved } };
  for (const one of [rest, state]) {
    assertStringIncludes(
      exposition(metricsOf({ ...all, state: one })),
      "\ngitops_sync_approval_wanted 0\n",
    );
  }
});

Deno.test("an attempt is counted once, whatever the history forgets", () => {
  const history = [
    entry("1", "failed", { stage: "build" }),
    entry("2", "deployed", {
      revision: "r2",
      stages: [{ stage: "prove", ms: 1 }],
    }),
  ];
  const first = counted(none, history);
  assertEquals(first.results, { failed: 1, deployed: 1 });
  assertEquals(first.proven, "r2");
  assertEquals(counted(first, history), first);
  // The oldest half is gone, with what was counted last.
  const later = counted(first, [entry("3", "failed", { stage: "health" })]);
  assertEquals(later.results, { failed: 2, deployed: 1 });
  assertEquals(later.failures, { build: 1, health: 1 });
  // An empty history counts nothing, and forgets nothing.
  assertEquals(counted(first, []).results, first.results);
});

Deno.test({
  name: "the alert rules do what their tests say",
  ignore,
  fn: async () => {
    const check = await promtool(["check", "rules", "alerts.yml"]);
    assertEquals(check.code, 0, check.said);
    const test = await promtool(["test", "rules", "alerts_test.yml"]);
    assertEquals(test.code, 0, test.said);
    const rules = Deno.readTextFileSync(`${folder}/alerts.yml`);
    const tests = Deno.readTextFileSync(`${folder}/alerts_test.yml`);
    for (const [, name] of rules.matchAll(/- alert: (\w+)/g)) {
      assertStringIncludes(tests, `alertname: ${name}\n`);
    }
  },
});

Deno.test("rules, board and documentation name metrics that exist", () => {
  const known = new Set(metricsOf(all).map(({ name }) => name));
  known.add("last_check_timestamp_seconds");
  const files = ["alerts.yml", "alerts_test.yml", "dashboard.json"];
  for (const file of [...files, "../metrics.md"]) {
    const text = Deno.readTextFileSync(`${folder}/${file}`);
    const named = [...text.matchAll(/gitops_sync_(\w+)/g)].map(([, n]) => n!);
    assertEquals(named.filter((name) => !known.has(name)), [], file);
    if (file !== "../metrics.md") continue;
    const missing = [...known].filter((name) => !named.includes(name));
    assertEquals(missing, [], "docs/metrics.md lists them all");
  }
  assertEquals(optionNames.includes("metrics.textfile"), true);
});
