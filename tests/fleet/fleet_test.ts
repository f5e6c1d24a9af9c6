/** The fleet by a real Prometheus, and by servers that are none. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { verdictOf } from "../../lib/cli/command/fleet_wait.ts";
import { fleetLines } from "../../lib/cli/command/fleet_text.ts";
import { noInk } from "../../lib/cli/output/ink.ts";
import { widthOf } from "../../lib/cli/output/width.ts";
import { fleetOf } from "../../lib/fleet/fleet.ts";
import type { FleetHost } from "../../lib/fleet/host.ts";
import { load } from "../config/load.ts";
import { has } from "../notify/programs.ts";
import { end, type MadeHost, prometheusWith, revisionOf } from "./samples.ts";

const now = new Date(end * 1000);
const a = revisionOf("a"), b = revisionOf("b");

const configFor = (text: string) => load(`repository: /srv/infra\n${text}`);

const askPrometheus = async (url: string, wish = {}, at = now) =>
  await fleetOf(await configFor(`fleet: {prometheus: "${url}"}`), {
    hosts: [],
    ...wish,
  }, at);

/** Hosts, each with the state that it must be told to be in. */
const made: (MadeHost & { state: FleetHost["state"] })[] = [
  { name: "ok-1", ring: "1", state: "ok" },
  { name: "old-1", isOld: true, state: "ok" },
  { name: "broken", values: { needs_person: 1 }, state: "needs-person" },
  {
    name: "faulty",
    fault: { stage: "build", reason: "builder-failed" },
    state: "failing",
  },
  { name: "failed", values: { last_attempt_exit_code: 6 }, state: "failing" },
  { name: "held", values: { held: 1 }, seen: b, state: "held" },
  { name: "asleep", checked: 3600, state: "silent" },
  { name: "mute", checked: null, state: "silent" },
  { name: "ahead", checked: -3600, state: "silent" },
  { name: "gone", silent: 7200, state: "silent" },
  { name: "half", values: { held: null }, state: "unknown" },
  { name: "odd", values: { behind_seconds: NaN }, state: "unknown" },
  { name: "drifted", values: { drift: 1 }, state: "drift" },
  { name: "back", values: { rolled_back: 1 }, state: "rolled-back" },
  {
    name: "paused",
    values: { suspended: 1 },
    checked: 7200,
    state: "suspended",
  },
  { name: "asks", values: { approval_wanted: 1 }, state: "unapproved" },
  {
    name: "gated",
    gates: { soak: 0, checks: 0, command: 1 },
    values: { behind_seconds: 90 },
    seen: b,
    state: "gated",
  },
  { name: "late", values: { behind_seconds: 90 }, seen: b, state: "behind" },
  {
    name: "queued",
    values: { slot_wanted_timestamp_seconds: end - 60, behind_seconds: 90 },
    seen: b,
    state: "behind",
  },
  { name: "new", revision: null, state: "behind" },
  { name: "reboot", values: { needs_reboot: 1 }, state: "reboot" },
  {
    name: "labelled",
    ring: "2",
    target: 'instance="x:9100",job="node",host="rack-7"',
    state: "ok",
  },
];

Deno.test({
  name: "each host stands as its metrics say, by a real Prometheus",
  ignore: !(await has("prometheus") && await has("promtool")),
  fn: async () => {
    const place = await Deno.makeTempDir({ prefix: "gitops-sync-fleet-" });
    {
      await using prometheus = await prometheusWith(place, made);
      const { hosts, source } = await askPrometheus(prometheus.url);
      assertEquals(source, "prometheus");
      const states = Object.fromEntries(
        hosts.map(({ host, state }) => [host, state]),
      );
      assertEquals(
        states,
        Object.fromEntries(made.map(({ name, state }) => [name, state])),
      );
      assertEquals(hosts[0]?.host, "broken");
      const ok = hosts.find(({ host }) => host === "ok-1");
      assertEquals(ok, {
        host: "ok-1",
        ring: "1",
        state: "ok",
        why: "",
        revision: a,
        seen: a,
        behind: 0,
        since: "2026-11-26T21:00:00Z",
        gate: null,
        checkedAt: "2026-11-26T21:59:00Z",
      });
      const gated = hosts.find(({ host }) => host === "gated");
      assertEquals(gated?.gate, "checks, soak");
      const queued = hosts.find(({ host }) => host === "queued");
      assertEquals(queued?.why, "it waits for a slot of its group");
      // By ring, by pattern, and by a name that nobody has heard of.
      const of = async (wish: Parameters<typeof askPrometheus>[1]) =>
        (await askPrometheus(prometheus.url, wish)).hosts
          .map(({ host, state }) => `${host} ${state}`);
      assertEquals(await of({ ring: "1" }), ["ok-1 ok"]);
      assertEquals(await of({ ring: "9" }), []);
      assertEquals(await of({ hosts: ["o*-1", "web-9"] }), [
        "web-9 silent",
        "ok-1 ok",
        "old-1 ok",
      ]);
      assertEquals(await of({ hosts: ["late"], ring: "1" }), []);
      // A week later nobody is well.
      const later = new Date(now.getTime() + 6 * 86_400_000);
      const then = await askPrometheus(prometheus.url, {}, later);
      assertEquals(new Set(then.hosts.map(({ state }) => state)).size, 1);
      assertEquals(then.hosts[0]?.state, "silent");
    }
    await Deno.remove(place, { recursive: true });
  },
});

/** A server on loopback that answers as it is told. */
async function withServer(
  answer: (request: Request) => Response | Promise<Response>,
  work: (url: string) => Promise<void>,
) {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    answer,
  );
  await work(`http://127.0.0.1:${server.addr.port}`);
}

const failsWith = async (work: Promise<unknown>, reason: string) => {
  const error = await assertRejects(() => work, SyncError) as SyncError;
  assertEquals(error.reason, reason, error.message);
  assertEquals(error.exit, 3);
};

Deno.test("an answer that is not whole is none", async () => {
  const vector = (result: unknown, more = {}) =>
    Response.json({
      status: "success",
      data: { resultType: "vector", result },
      ...more,
    });
  const answers: [() => Response, string][] = [
    [() => new Response("no", { status: 503 }), "fleet-unreachable"],
    [() => new Response("<html>"), "fleet-unreachable"],
    [
      () => Response.redirect("http://127.0.0.1:9/", 302),
      "fleet-unreachable",
    ],
    [() => Response.json({}), "fleet-answer"],
    [() => Response.json(null), "fleet-answer"],
    [() => Response.json({ status: "error", error: "x" }), "fleet-answer"],
    [() => vector([{ metric: { a: 1 }, value: [0, "1"] }]), "fleet-answer"],
    [() => vector([{ metric: {} }]), "fleet-answer"],
    [() => vector([], { warnings: ["a store is away"] }), "fleet-answer"],
  ];
  for (const [answer, reason] of answers) {
    await withServer(
      answer,
      (url) => failsWith(askPrometheus(url), reason),
    );
  }
  await failsWith(askPrometheus("http://127.0.0.1:1"), "fleet-unreachable");
});

Deno.test("the forge tells of the hosts that gave a status", async () => {
  const all = Array.from({ length: 130 }, (_, i) => ({
    id: i,
    context: `gitops-sync/web-${i}`,
    state: i === 7 ? "failure" : i === 8 ? "pending" : "success",
    description: i === 7 ? "health: \u001b[31munit-failed" : "deployed",
    updated_at: "2026-11-26T21:30:00Z",
  }));
  const mixed = [{ id: 999, context: "ci/build", state: "failure" }, ...all];
  const text = (url: string, forge: string) =>
    `commitStatus: {forge: ${forge}, url: "${url}", project: team/infra}`;
  const wish = { hosts: ["web-*", "db-1"], revision: a };
  for (const forge of ["github", "gitea", "gitlab"]) {
    const asked: string[] = [];
    await withServer((request) => {
      const { pathname, searchParams } = new URL(request.url);
      asked.push(pathname);
      const size = forge === "gitea" ? 30 : 100;
      const page = Number(searchParams.get("page"));
      const list = mixed.slice((page - 1) * size, page * size);
      const named = list.map(({ context, state, ...rest }) =>
        forge === "github"
          ? { context, state, ...rest }
          : forge === "gitea"
          ? { context, status: state, ...rest }
          : {
            name: context,
            status: state === "failure" ? "failed" : state,
            ...rest,
          }
      );
      return Response.json(forge === "gitlab" ? named : { statuses: named });
    }, async (url) => {
      const config = await configFor(text(url, forge));
      const { hosts, source } = await fleetOf(config, wish, now);
      assertEquals([source, hosts.length], ["forge", 131]);
      assertEquals(
        hosts.slice(0, 3).map(({ host, state }) => [host, state]),
        [["web-7", "failing"], ["db-1", "silent"], ["web-8", "behind"]],
      );
      assert(!hosts[0]!.why.includes("\u001b"));
      assertEquals(verdictOf(hosts, a, 1), "waiting");
      const well = hosts.filter(({ state }) => state === "ok");
      assertEquals(verdictOf(well, a, 128), "reached");
      assertEquals(verdictOf(well, b, 1), "waiting");
    });
    assert(asked.length > 1, forge);
  }
});

Deno.test("a list of a forge that is not understood is none", async () => {
  const status = { id: 1, context: "gitops-sync/web", state: "success" };
  const answers: [() => Response, string][] = [
    [() => new Response("no", { status: 503 }), "fleet-unreachable"],
    [() => Response.json({}), "fleet-answer"],
    [() => Response.json({ statuses: [1] }), "fleet-answer"],
    // Which of two is the newer one?
    [
      () => Response.json({ statuses: [{ ...status, id: "1" }] }),
      "fleet-answer",
    ],
    // A list without an end.
    [
      () => Response.json({ statuses: [{ ...status, id: Math.random() }] }),
      "fleet-answer",
    ],
  ];
  for (const [answer, reason] of answers) {
    await withServer(answer, async (url) => {
      const config = await configFor(
        `commitStatus: {forge: gitea, url: "${url}", project: team/infra}`,
      );
      await failsWith(fleetOf(config, { hosts: [], revision: a }, now), reason);
    });
  }
});

Deno.test("hosts are well only if there are enough and each is", () => {
  const host = (changes: Partial<FleetHost>): FleetHost => ({
    host: "web",
    ring: null,
    state: "ok",
    why: "",
    revision: a,
    seen: a,
    behind: 0,
    since: null,
    gate: null,
    checkedAt: null,
    ...changes,
  });
  assertEquals(verdictOf([], a, 1), "waiting");
  assertEquals(verdictOf([host({})], a, 1), "reached");
  assertEquals(verdictOf([host({})], a, 2), "waiting");
  assertEquals(verdictOf([host({}), host({ revision: b })], a, 1), "waiting");
  assertEquals(verdictOf([host({ state: "reboot" })], a, 1), "reached");
  for (const state of ["silent", "unknown", "suspended", "drift"] as const) {
    assertEquals(verdictOf([host({}), host({ state })], a, 1), "waiting");
  }
  const held = host({ state: "held", revision: b });
  assertEquals(verdictOf([host({}), held], a, 1), "failed");
  // It holds another one, and takes this one yet.
  assertEquals(verdictOf([{ ...held, seen: b }], a, 1), "waiting");
});

Deno.test("the table fits every terminal, and is whole without one", () => {
  const hosts: FleetHost[] = Array.from({ length: 50 }, (_, i) => ({
    host: `host-with-a-long-name-${i}`,
    ring: "canary",
    state: i === 0 ? "needs-person" : "ok",
    why: i === 0 ? "activate: bootloader-failed and a long reason 日本語" : "",
    revision: a,
    seen: a,
    behind: 90_000,
    since: "2026-11-26T21:00:00Z",
    gate: null,
    checkedAt: "2026-11-26T21:59:00Z",
  }));
  const fleet = { source: "prometheus" as const, at: now.toISOString(), hosts };
  for (const room of [20, 40, 60, 80, 100, 120, 200]) {
    const lines = fleetLines(fleet, { ink: noInk, room, most: 10 });
    for (const line of lines) {
      assert(widthOf(line) <= room, `${room}: ${line}`);
    }
    assert(lines[1]!.startsWith("host-with-a-long-na"), lines[1]);
  }
  const narrow = fleetLines(fleet, { ink: noInk, room: 80, most: 40 });
  assertEquals(narrow.length, 43);
  assert(narrow[0]!.includes("WHY") && !narrow[0]!.includes("BEHIND"));
  const whole = fleetLines(fleet, {
    ink: noInk,
    room: undefined,
    most: Infinity,
  });
  assertEquals(whole.length, 52);
  assert(whole[1]!.endsWith("日本語"));
  assertEquals(whole.at(-1), "50 hosts: 1 needs-person, 49 ok");
});
