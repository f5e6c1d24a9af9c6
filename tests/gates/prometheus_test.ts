/** Queries to a real Prometheus, and to servers that are none. */
import { assertEquals, assertMatch } from "@std/assert";
import type { PrometheusGate } from "../../lib/config/gate_kinds.ts";
import type { Config } from "../../lib/config/schema.ts";
import { askPrometheus } from "../../lib/gates/prometheus.ts";
import { load } from "../config/load.ts";
import { has, Server } from "../notify/programs.ts";
import { Receiver } from "../notify/receiver.ts";
import { output } from "../world/program.ts";
import { CutServer, unkindAnswers } from "./unkind.ts";

const ignore = !(await has("prometheus") && await has("promtool"));
const revision = "0123456789abcdef0123456789abcdef01234567";

/** Seconds between two samples. */
const step = 30;

/** Four hours of samples around now, each by its age in seconds. */
function samples(now: number): string {
  const kinds: Record<string, (age: number) => number | undefined> = {
    healthy: () => 1,
    down: () => 0,
    // Nothing for ten minutes.
    gap: (age) => age < 1200 && age > 600 ? undefined : 1,
    dip: (age) => age === 300 ? 0 : 1,
    fresh: (age) => age > 600 ? undefined : 1,
    gone: (age) => age < 900 ? undefined : 1,
  };
  const lines = Object.entries(kinds).flatMap(([name, valueAt]) => {
    const labels = `{revision="${revision}",host="web-1"}`;
    const all: string[] = [];
    for (let age = 4 * 3600; age >= -1200; age -= step) {
      const value = valueAt(age);
      if (value !== undefined) {
        all.push(`${name}${labels} ${value} ${now - age}`);
      }
    }
    return [`# TYPE ${name} gauge`, ...all];
  });
  return [...lines, "# EOF", ""].join("\n");
}

async function prometheus(place: string): Promise<Server> {
  const now = Math.floor(Date.now() / 1000 / step) * step;
  await Deno.writeTextFile(`${place}/samples.txt`, samples(now));
  await Deno.writeTextFile(`${place}/prometheus.yml`, "{}\n");
  await output([
    ...["promtool", "tsdb", "create-blocks-from", "openmetrics"],
    `${place}/samples.txt`,
    `${place}/data`,
  ]);
  return await Server.start((port) => [
    "prometheus",
    `--config.file=${place}/prometheus.yml`,
    `--storage.tsdb.path=${place}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
  ], "/-/ready");
}

async function configOf(...queries: unknown[]): Promise<Config> {
  return await load(JSON.stringify({
    repository: "/srv/infra",
    host: "web-1",
    gates: { prometheus: queries },
    timeouts: { gates: "2m" },
  }));
}

async function ask(query: unknown, now = new Date()) {
  const config = await configOf(query);
  const [gate] = config["gates.prometheus"];
  return await askPrometheus(config, gate!, revision, now);
}

Deno.test({
  name: "a query is true now, or for as long as it must be, by Prometheus",
  ignore,
  fn: async () => {
    const place = await Deno.makeTempDir({ prefix: "gitops-sync-gates-" });
    {
      await using server = await prometheus(place);
      const own = 'revision="{revision}",host="{host}"';
      const table: [query: string, span: string | undefined, true | RegExp][] =
        [
          [`healthy{${own}}`, undefined, true],
          [`healthy{${own}} == 1`, "2h", true],
          [`min(healthy{${own}}) == bool 1`, "2h", true],
          ["vector(1)", "30m", true],
          ["1", undefined, true],
          ['healthy{revision="other"}', undefined, /returned no value/],
          [`down{${own}} == 1`, undefined, /returned no value/],
          [`down{${own}}`, undefined, /returned 0/],
          // What is right, and 0: `bool` says which of the two is meant.
          [`down{${own}} == 0`, undefined, /returned 0/],
          [`down{${own}} == bool 0`, undefined, true],
          [`gap{${own}} == 1`, undefined, true],
          [`gap{${own}} == 1`, "2h", /true for \d+m(\d+s)? of 2h/],
          [`gap{${own}} == 1`, "4m", true],
          [`dip{${own}} == bool 1`, "1m", true],
          [`dip{${own}} == bool 1`, "30m", /true for [45]m(\d+s)? of 30m/],
          [`dip{${own}} == 1`, "30m", /true for [45]m(\d+s)? of 30m/],
          [`fresh{${own}} == 1`, "2h", /of 2h/],
          [`gone{${own}} == 1`, undefined, /returned no value/],
          [
            "sum(healthy",
            undefined,
            /status 400; .*rejected the query: .*parse/,
          ],
          ["healthy[5m]", undefined, /returned|format|rejected/],
          ['"text"', undefined, /documented format/],
        ];
      for (const [query, span, expected] of table) {
        const url = `${server.url}/`;
        const gate = { url, query, ...span ? { for: span } : {} };
        const { isOpen, why } = await ask(gate);
        assertEquals(isOpen, expected === true, `${query} ${span}: ${why}`);
        if (expected !== true) assertMatch(why, expected, `${query} ${span}`);
      }
      // The host's clock has no say.
      const ahead = new Date(Date.now() + 365 * 86_400_000);
      const gate = { url: server.url, query: "healthy == 1", for: "1h" };
      assertEquals((await ask(gate, ahead)).isOpen, true);
    }
    await Deno.remove(place, { recursive: true });
  },
});

Deno.test("what is no answer of Prometheus closes the gate", async () => {
  await using receiver = new Receiver();
  const vector = {
    status: "success",
    data: { resultType: "vector", result: [{ metric: {}, value: [9, "1"] }] },
  };
  const good = JSON.stringify(vector);
  const gate = { url: receiver.url, query: "up" };
  for (const [what, [answer, says]] of Object.entries(unkindAnswers(good))) {
    receiver.answer = answer;
    const { isOpen, why, after } = await ask(gate);
    assertEquals(isOpen, false, what);
    assertMatch(why, says, what);
    assertEquals(after, what === "429" ? 600_000 : undefined);
    // The first answer is right, and the range is not.
    receiver.answer = ({ path }) =>
      path.includes("query_range") ? answer() : new Response(good);
    const lasting = await ask({ ...gate, for: "5m" });
    assertEquals(lasting.isOpen, false, what);
    assertMatch(lasting.why, says, what);
  }
  using cut = new CutServer(good);
  assertMatch((await ask({ ...gate, url: cut.url })).why, /did not answer/);
  const letGo = Promise.withResolvers<Response>();
  receiver.answer = () => letGo.promise;
  const config = await configOf(gate);
  const slow: Config = { ...config, "timeouts.gates": 20 };
  const [one] = config["gates.prometheus"] as [PrometheusGate];
  const { isOpen, why } = await askPrometheus(slow, one, revision, new Date());
  assertEquals([isOpen, why], [
    false,
    "Prometheus: it did not answer: no answer in time",
  ]);
  letGo.resolve(new Response());
});

Deno.test("a token goes to its server alone, and is in no message", async () => {
  await using receiver = new Receiver();
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "s3cret\n");
  receiver.answer = () => new Response("{}", { status: 403 });
  const gate = { url: `${receiver.url}/prom`, query: "up", tokenFile: file };
  const { why } = await ask(gate);
  assertEquals(receiver.got[0]!.headers.get("Authorization"), "Bearer s3cret");
  assertMatch(receiver.got[0]!.path, /^\/prom\/api\/v1\/query\?query=up$/);
  assertEquals(why.includes("s3cret"), false);
  for (const text of ["", "two words\n"]) {
    await Deno.writeTextFile(file, text);
    assertMatch((await ask(gate)).why, /holds no token/);
  }
  await Deno.remove(file);
  assertMatch((await ask(gate)).why, /file not found/);
  assertEquals(receiver.got.length, 1);
});
