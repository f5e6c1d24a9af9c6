/** What doctor says of gates: whether they can be asked. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { run } from "../../lib/process/run_command.ts";
import { gateChecks } from "../../lib/doctor/gates_checks.ts";
import { load } from "../config/load.ts";
import { Receiver } from "../notify/receiver.ts";

const [check] = gateChecks;

async function look(gates: Record<string, unknown>, url = "") {
  const config = await load(JSON.stringify({
    repository: "/srv/infra",
    gates,
    commitStatus: url ? { url: `${url}/api`, project: "a/b" } : {},
  }));
  return await check!.look({
    effects: {
      run: (command) => run(command),
      now: () => new Date(),
      monotonic: () => performance.now(),
      sleep: () => Promise.resolve(),
      tell: () => {},
    },
    config,
    known: {
      tip: {
        revision: "0123456789abcdef0123456789abcdef01234567",
        kind: "branch",
        name: "refs/heads/main",
      },
    },
  });
}

Deno.test("a gate that can be asked is well, open or not", async () => {
  assertEquals((await look({})).text, "no gates are configured");
  assertEquals((await look({ soak: "2h" })).text, "1 gate can be queried");
  await using server = new Receiver();
  server.answer = ({ path }) =>
    path.includes("query=")
      ? Response.json({
        status: "success",
        data: { resultType: "vector", result: [] },
      })
      : Response.json({ statuses: null });
  const prometheus = [{ url: server.url, query: "up" }];
  const gates = {
    checks: ["ci"],
    forge: "gitea",
    prometheus,
    command: ["/bin/true"],
  };
  assertEquals(await look(gates, server.url), {
    state: "ok",
    text: "3 gates can be queried",
  });
  server.answer = () => new Response("<html>", { status: 502 });
  const { state, text, details } = await look(gates, server.url);
  assertEquals(state, "problem");
  assertStringIncludes(text, "the forge: it answered with status 502");
  assertStringIncludes(details![0]!, `${server.url}: Prometheus: it answered`);
});

Deno.test("files and programs that are missing are found", async () => {
  const table: [Record<string, unknown>, string][] = [
    [{ command: ["/no/such"] }, "/no/such (gates.command) can't be run"],
    [{ command: ["/etc/passwd"] }, "is not an executable file"],
    [
      { checks: ["ci"], forge: "gitea", tokenFile: "/no/token" },
      "Cannot read /no/token (gates.tokenFile): file not found",
    ],
    [
      {
        prometheus: [{ url: "http://127.0.0.1:1", query: "up" }],
        caFile: "/etc/passwd",
      },
      "/etc/passwd (gates.caFile) holds no certificate",
    ],
    [{ checks: ["ci"], forge: "gitea" }, "did not answer"],
  ];
  for (const [gates, says] of table) {
    const { state, text, hints } = await look(gates, "http://127.0.0.1:1");
    assertEquals(state, "problem", says);
    assertStringIncludes(text, says);
    assertEquals(hints, [
      "fix this: a gate that can't be queried stays closed",
    ]);
  }
});
