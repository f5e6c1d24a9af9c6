/** The commands `fleet` and `fleet wait`, as they are typed. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mustFitSchema } from "../schema.ts";
import { gitopsSync } from "../world/gitops_sync.ts";
import { run } from "../world/program.ts";
import { end, type MadeHost, revisionOf, samplesOf } from "./samples.ts";

const a = revisionOf("a"), b = revisionOf("b");

/**
 * A stand-in for Prometheus that has these hosts, with times as of now. It
 * knows the expressions that the program asks for.
 */
async function withPrometheus(
  hosts: readonly MadeHost[],
  work: (url: string) => Promise<void>,
) {
  const series = samplesOf(hosts).split("\n").flatMap((line) => {
    const [, name, labels, value, at] =
      /^gitops_sync_(\w+)\{(.*)\} (\S+) (\d+)$/.exec(line) ?? [];
    if (name === undefined) return [];
    const metric = Object.fromEntries(
      [...labels!.matchAll(/(\w+)="([^"]*)"/g)].map(([, k, v]) => [k, v]),
    );
    return [{ name, metric, value: value!, at: Number(at) }];
  });
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const form = await request.formData();
      const query = String(form.get("query")), time = Number(form.get("time"));
      const name = /gitops_sync_(\w+)/.exec(query)![1];
      const isLast = query.startsWith("last_over_time(");
      const moved = time - end;
      const result = series.filter((one) =>
        one.name === name && (isLast ? one.at % 120 === 0 : one.at >= end)
      ).map(({ metric, value }) => ({
        metric,
        value: [
          time,
          name!.endsWith("_timestamp_seconds")
            ? String(Number(value) + moved)
            : value,
        ],
      }));
      return Response.json({
        status: "success",
        data: { resultType: "vector", result },
      });
    },
  );
  await work(`http://127.0.0.1:${server.addr.port}`);
}

/** Runs a command of the fleet; a document is held to the schema. */
async function fleet(code: number, url: string, ...words: string[]) {
  const config = await Deno.makeTempFile({ suffix: ".yaml" });
  await Deno.writeTextFile(config, `fleet: {prometheus: "${url}"}\n`);
  const ended = await run([...gitopsSync, ...words, "--config", config]);
  await Deno.remove(config);
  assertEquals(ended.code, code, ended.stdout + ended.stderr);
  if (words.includes("--json")) mustFitSchema(ended.stdout);
  return ended;
}

const well: MadeHost[] = [
  { name: "web-2", ring: "1" },
  { name: "web-10", ring: "1" },
  { name: "db-1", ring: "2" },
];

Deno.test("fleet tells how all hosts stand", async () => {
  await withPrometheus(well, async (url) => {
    const { stdout } = await fleet(0, url, "fleet", "--exit-code");
    assert(!stdout.includes("\u001b"));
    assertEquals(
      stdout.split("\n").map((line) => line.split(" ")[0]),
      ["HOST", "db-1", "web-2", "web-10", "3", ""],
    );
    assertStringIncludes(stdout, "3 hosts: 3 ok");
    const one = await fleet(0, url, "fleet", "--ring", "2", "--json");
    assertEquals(JSON.parse(one.stdout).hosts.length, 1);
    await fleet(3, url, "fleet", "--ring", "9", "--exit-code", "--json");
    await fleet(3, url, "fleet", "--hosts", "web-3", "--exit-code");
    await fleet(2, url, "fleet", "--hosts", "web 3;");
    await fleet(2, url, "fleet", "HEAD");
  });
  const behind = { values: { behind_seconds: 90 }, seen: b };
  await withPrometheus([...well, { name: "late", ...behind }], async (url) => {
    const { stdout } = await fleet(12, url, "fleet", "--exit-code", "--json");
    assertEquals(JSON.parse(stdout).hosts[0].host, "late");
    await fleet(0, url, "fleet");
  });
  const none = await fleet(3, "http://127.0.0.1:1", "fleet", "--json");
  assertEquals(JSON.parse(none.stdout).error.reason, "fleet-unreachable");
});

Deno.test("fleet wait ends when a ring is well, or can't be", async () => {
  const short = ["--within", "1s"];
  await withPrometheus(well, async (url) => {
    const wait = (code: number, ...words: string[]) =>
      fleet(code, url, "fleet", "wait", ...words, "--json");
    const reached = await wait(0, a, "--ring", "1", "--at-least", "2");
    assertEquals(JSON.parse(reached.stdout).result, "reached");
    const many = await wait(3, a, "--ring", "1", "--at-least", "3", ...short);
    assertEquals(JSON.parse(many.stdout).result, "timeout");
    await wait(12, b, "--ring", "1", ...short);
    await wait(3, a, "--ring", "none", ...short);
    await wait(3, a, "--hosts", "web-*,web-99", ...short);
    await wait(2);
    await wait(2, a, "--within", "never");
  });
  const held = { name: "web-3", values: { held: 1 }, seen: b };
  await withPrometheus([...well, held], async (url) => {
    const failed = await fleet(9, url, "fleet", "wait", b, "--within", "1h");
    assertStringIncludes(failed.stdout, "bbbbbbbbbbbb is blocked");
    assertStringIncludes(
      failed.stdout,
      "manual action is needed for the others",
    );
  });
  await fleet(3, "http://127.0.0.1:1", "fleet", "wait", a, ...short);
});
