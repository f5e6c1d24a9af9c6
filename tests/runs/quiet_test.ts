/** Servers that ask to be left alone. */
import { assertEquals } from "@std/assert";
import { output } from "../world/program.ts";
import type { World } from "../world/world.ts";
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
  says(
    first.stderr,
    "the server asks to slow down",
    "the next request to it is in 1h",
  );
  assertEquals(world.state()?.quiet?.[0]?.asked, 3_600_000);
  const asked = server.requests.length;
  says((await syncTo(world, 3)).stderr, "Wait: the first run after");
  says((await syncTo(world, 3, "--now")).stderr, "Wait: the first run after");
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
    JSON.stringify({ ...state, quiet: [{ ...quiet![0]!, until }] }),
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
  assertEquals([quiet?.[0]?.asked, backoff?.asked], [600_000, 600_000]);
  const asked = server.requests.length;
  await syncTo(world, 3);
  assertEquals(server.requests.length, asked);
});

test("of several URLs, each that asks for it is left alone", async (world) => {
  const { repository } = await prepared(world);
  const copy = `${world.folder}/copy.git`;
  await output(["git", "clone", "--quiet", "--mirror", repository.bare, copy]);
  const works = gitHttp(world.folder);
  const busy = (seconds: string): Handler => () =>
    new Response("no\n", { status: 429, headers: { "retry-after": seconds } });
  let [first, second]: Handler[] = [busy("3600"), works];
  await using one = serve((request) => first!(request));
  await using other = serve((request) => second!(request));
  const mirror = `${other.url}/copy.git`;
  world.configure(repository, {
    repository: `${one.url}/infra.git`,
    mirrors: [mirror],
  });
  const asked = () => [one.requests.length, other.requests.length];
  says((await syncTo(world, 0)).stderr, `${mirror} answers`);
  const [ofFirst, ofSecond] = asked();
  const again = await syncTo(world, 0);
  says(again.stderr, "Wait: the first run after");
  assertEquals(asked()[0], ofFirst);
  assertEquals(asked()[1]! > ofSecond!, true);
  assertEquals(world.state()?.quiet?.map(({ asked }) => asked), [3_600_000]);

  // The mirror asks for it, too, while it sends objects.
  await repository.publish("Another");
  await repository.git("push", "--quiet", copy, "HEAD:main");
  let posts = 1;
  second = (request) =>
    request.method === "POST" && posts-- <= 0
      ? busy("600")(request)
      : works(request);
  says((await syncTo(world, 3)).stderr, "the server asks to slow down");
  const quiet = world.state()?.quiet?.map(({ repository, asked }) => [
    repository,
    asked,
  ]);
  assertEquals(quiet, [[`${one.url}/infra.git`, 3_600_000], [mirror, 600_000]]);
  const before = asked();
  says((await syncTo(world, 3)).stderr, "no mirror answers either");
  await syncTo(world, 3);
  assertEquals(asked(), before);
  assertEquals(world.state()?.quiet?.length, 2);
  first = second = works;
});

/** As if the time had passed. */
function forgetQuiet(world: World): void {
  const { quiet: _, ...rest } = world.state()!;
  world.write("/var/lib/gitops-sync/state.json", JSON.stringify(rest));
}

test("a server that refuses while a system is looked at holds nothing", async (world) => {
  const { repository, revision } = await prepared(world);
  const works = gitHttp(world.folder);
  let asked = 0;
  let later: Handler = works;
  await using server = serve((request) => {
    // The run's own question has two; then comes the fetch.
    const isFetch = request.method === "POST" && ++asked >= 3;
    const answer = asked > 3 || asked === 3 && !isFetch ? later : works;
    return answer(request);
  });
  world.configure(repository, {
    repository: `${server.url}/infra.git`,
    "timeouts.health": "2s",
  });
  later = () =>
    new Response("no\n", { status: 429, headers: { "retry-after": "600" } });
  await syncTo(world, 0);
  runs(world, revision);
  // It is left alone all the same, as if the run had asked it.
  assertEquals(world.state()?.quiet?.map(({ asked }) => asked), [600_000]);
  const before = server.requests.length;
  says((await syncTo(world, 3)).stderr, "Wait: the first run after");
  assertEquals(server.requests.length, before);
  forgetQuiet(world);

  asked = 0;
  later = () => new Response("no\n", { status: 403 });
  await repository.publish("Another");
  const refused = await syncTo(world, 7);
  says(refused.stderr, "does not answer the previous system either");
  assertEquals(world.state()?.holds, []);
  runs(world, revision);
});
