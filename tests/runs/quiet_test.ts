/** Servers that ask to be left alone. */
import { assertEquals } from "@std/assert";
import { gitHttp, type Handler, serve } from "../git/servers.ts";
import { prepared, runs, says, syncTo, test } from "./setting.ts";

test("a server that asks to slow down is asked no more until then", async (world) => {
  const { repository, revision } = await prepared(world);
  const works = gitHttp(world.folder);
  let handler: Handler = works;
  await using server = serve((request) => handler(request));
  const url = `${server.url}/infra.git`;
  world.configure(repository, { repository: url });
  await syncTo(world, 0);
  const busy = (seconds: string): Handler => () =>
    new Response("no\n", { status: 429, headers: { "retry-after": seconds } });

  handler = busy("3600");
  const first = await syncTo(world, 3);
  says(first.stderr, "the server asks to slow down", "left alone for 1h");
  assertEquals(world.state()?.quiet?.asked, 3_600_000);
  const asked = server.requests.length;
  says((await syncTo(world, 3)).stderr, "it is asked again after");
  says((await syncTo(world, 3, "--now")).stderr, "it is asked again after");
  assertEquals(server.requests.length, asked);
  // Another repository is another server's business.
  const other = `file://${repository.bare}`;
  await syncTo(world, 0, "sync", `--repository=${other}`, "--allow-force-push");

  // The time is over, and the server asks for none.
  const state = world.state()!;
  const { quiet } = state;
  const until = new Date(Date.now() - 1000).toISOString();
  world.write(
    "/var/lib/gitops-sync/state.json",
    JSON.stringify({ ...state, quiet: { ...quiet!, until } }),
  );
  handler = works;
  await syncTo(world, 0, "sync", "--allow-force-push");
  runs(world, revision);
  assertEquals(world.state()?.quiet, undefined);
});

test("a server that asks for it while it sends objects is left alone too", async (world) => {
  const { repository } = await prepared(world);
  const works = gitHttp(world.folder);
  let posts = Infinity;
  await using server = serve((request) =>
    request.method === "POST" && posts-- <= 0
      ? new Response("no\n", { status: 503, headers: { "retry-after": "600" } })
      : works(request)
  );
  world.configure(repository, { repository: `${server.url}/infra.git` });
  await syncTo(world, 0);
  await repository.publish("Another");
  // The names of the run and of the fetch, and then objects.
  posts = 2;
  says((await syncTo(world, 3)).stderr, "the server asks to slow down");
  const { quiet, backoff } = world.state()!;
  assertEquals([quiet?.asked, backoff?.asked], [600_000, 600_000]);
  const asked = server.requests.length;
  await syncTo(world, 3);
  assertEquals(server.requests.length, asked);
});
