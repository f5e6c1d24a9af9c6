/** Gates that ask servers, with the permissions of the program. */
import { assert, assertEquals } from "@std/assert";
import { short } from "../../lib/base/text.ts";
import { Receiver } from "../notify/receiver.ts";
import { deployed, runs, says, syncTo, test } from "./setting.ts";

/** A Gitea and a Prometheus at one address, and who is told. */
function answersOf(
  said: { checks: Record<string, string>; query: string },
): Receiver["answer"] {
  return ({ path, method }) => {
    if (method === "POST") return new Response("{}", { status: 201 });
    const url = new URL(path, "http://server");
    if (url.pathname === "/prometheus/api/v1/query") {
      const value = { metric: {}, value: [1, said.query] };
      return Response.json({
        status: "success",
        data: { resultType: "vector", result: [value] },
      });
    }
    const isStatus = /^\/api\/v1\/repos\/team\/infra\/commits\/\w+\/status$/
      .test(url.pathname);
    if (!isStatus) return new Response("{}", { status: 404 });
    const all = Object.entries(said.checks)
      .map(([context, status], id) => ({ context, status, id }));
    return Response.json({
      statuses: url.searchParams.get("page") === "1" ? all : null,
    });
  };
}

test("a forge and Prometheus open the way, and somebody is told", async (world) => {
  const { repository, revision: first } = await deployed(world);
  await using server = new Receiver();
  const said = {
    checks: { "ci/build": "pending", "gitops-sync/demo": "pending" } as Record<
      string,
      string
    >,
    query: "0",
  };
  server.answer = answersOf(said);
  world.write("/etc/gitops-sync/read-token", "t0ken\n");
  world.configure(repository, {
    "gates.checks": ["ci/*", "*"],
    "gates.prometheus": [{
      url: `${server.url}/prometheus`,
      query: 'ok{r="{revision}", h="{host}"}',
    }],
    "gates.tellAfter": "1ms",
    "gates.tokenFile": world.path("/etc/gitops-sync/read-token"),
    "commitStatus.tokenFile": world.path("/etc/gitops-sync/read-token"),
    "commitStatus.forge": "gitea",
    "commitStatus.url": `${server.url}/api/v1`,
    "commitStatus.project": "team/infra",
    "notify.webhook.url": `${server.url}/hook`,
    "notify.by": "unit",
  });
  const second = await repository.publish("Second");
  const waits = await syncTo(world, 0);
  says(
    waits.stdout,
    "it waits for the gates checks ci/*, checks *, prometheus 1",
    "ci/build is pending",
  );
  const [query] = server.got.filter(({ path }) => path.includes("query="))
    .map(({ path }) => new URL(path, server.url).searchParams.get("query"));
  assertEquals(query, `ok{r="${second}", h="demo"}`);
  const statuses = server.got.filter(({ path }) => path.includes("/status"));
  assert(statuses.length > 0);
  for (const { headers } of statuses) {
    assertEquals(headers.get("Authorization"), "token t0ken");
  }
  said.checks["ci/build"] = "success";
  says((await syncTo(world, 0)).stdout, "waits for the gate prometheus 1");
  runs(world, first);
  said.query = "1";
  // Between two looks at a gate that was closed just now is no pause.
  says((await syncTo(world, 0, "sync", "--now")).stdout, "Deployed");
  runs(world, second);
  // A server that asks for a pause gets one.
  const third = await repository.publish("Third");
  server.answer = () =>
    new Response("", { status: 429, headers: { "Retry-After": "900" } });
  says((await syncTo(world, 0)).stdout, "status 429");
  const { at, notBefore } = world.state()!.gated!;
  assertEquals(Date.parse(notBefore) - Date.parse(at), 900_000);
  const many = server.got.length;
  says((await syncTo(world, 0)).stdout, "status 429");
  assertEquals(server.got.length, many, "nobody is asked before its time");
  await syncTo(world, 0, "sync", "--skip-gates", "--reason", "no forge");
  runs(world, third);
  server.answer = answersOf(said);
  server.got.splice(0);
  await syncTo(world, 0, "notify");
  const told = server.got.filter(({ path }) => path === "/hook")
    .map(({ text }) => JSON.parse(text));
  assertEquals(
    told.map(({ event, about }) => [event, about?.event].join(" ").trim()),
    [
      "gate-closed",
      "deployed",
      "recovered gate-closed",
      "gate-closed",
      "gates-skipped",
      "deployed",
      "recovered gate-closed",
    ],
  );
  says(told[0].summary, short(second), "waits for the gates checks ci/*");
  const skip = told.find(({ event }) => event === "gates-skipped");
  assertEquals([skip.message, skip.revision], ["no forge", third]);
  says(skip.summary, "root skipped the gates", ": deployed");
  const states = server.got
    .filter(({ path, method }) => method === "POST" && path !== "/hook")
    .map(({ text }) => JSON.parse(text))
    .map(({ state, description }) => `${state} ${description}`);
  assert(
    states.includes(
      "pending waits on demo for the gates checks ci/*, checks *, prometheus 1",
    ),
    states.join("\n"),
  );
});

test("of tags, the newest that has soaked and is still there is deployed", async (world) => {
  const { repository, revision: first } = await deployed(world);
  const tag = async (name: string) => {
    await repository.git("tag", name);
    await repository.git("push", "--quiet", "origin", name);
    return await repository.head();
  };
  await tag("v1.0");
  const settings = { ref: "tags:v*", "gates.soak": "2h" };
  world.configure(repository, settings);
  await syncTo(world, 0, "sync", "--now");
  const state = "/var/lib/gitops-sync/state.json";
  /** What was seen was seen so much earlier. */
  const age = (minutes: number) => {
    const { checksum: _, sealedAt: __, ...all } = JSON.parse(
      world.read(state)!,
    );
    const before = (at: string) =>
      new Date(Date.parse(at) - minutes * 60_000).toISOString();
    for (const one of all.sightings) {
      one.since = before(one.since);
      one.clock.uptime -= minutes * 60;
    }
    all.lastGood.at = before(all.lastGood.at);
    if (all.gated) all.gated.notBefore = before(all.gated.notBefore);
    world.write(state, JSON.stringify(all));
  };
  await repository.commit("Second");
  const second = await tag("v1.1");
  says((await syncTo(world, 0)).stdout, "waits for the gate soak");
  age(121);
  await repository.commit("Third");
  const third = await tag("v1.2");
  says((await syncTo(world, 0)).stdout, `Deployed ${short(second)}`);
  runs(world, second);
  says((await syncTo(world, 0)).stdout, `Built ${short(third)}`);
  // One that was taken back is none that has soaked.
  age(121);
  await repository.commit("Fourth");
  const fourth = await tag("v1.3");
  await repository.git("push", "--quiet", "origin", ":refs/tags/v1.2");
  const run = await syncTo(world, 0);
  says(run.text, `no longer has ${short(third)}`, `Built ${short(fourth)}`);
  runs(world, second);
  assert(first !== second);
});
