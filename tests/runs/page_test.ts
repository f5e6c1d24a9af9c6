import { assert, assertEquals, assertMatch } from "@std/assert";
import { short } from "../../lib/base/text.ts";
import { freePort } from "../notify/programs.ts";
import type { World } from "../world/world.ts";
import { deployed, says, syncTo, test } from "./setting.ts";

const folder = "/var/lib/gitops-sync";
const facts = `${folder}/page/facts.json`;

const modeOf = (world: World, path: string) =>
  Deno.statSync(world.path(path)).mode! & 0o7777;

/** The page as text, once the server answers. */
async function asked(url: string): Promise<string> {
  for (let i = 0;; i++) {
    try {
      return await (await fetch(url)).text();
    } catch (error) {
      if (i === 600) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

test("runs leave what the page shows, and nothing else is opened", async (world) => {
  const url = `127.0.0.1:${freePort()}`;
  const settings = { "serve.page": true, "serve.listen": url };
  const { repository, revision } = await deployed(world, settings);
  const [{ id }] = world.history() as [{ id: string }];
  const open: [string, number][] = [
    [folder, 0o700],
    [`${folder}/page`, 0o755],
    [facts, 0o644],
    [`${folder}/attempts`, 0o755],
    [`${folder}/attempts/${id}`, 0o755],
    [`${folder}/attempts/${id}/head.jsonl`, 0o644],
    [`${folder}/state.json`, 0o600],
    [`${folder}/history.jsonl`, 0o600],
  ];
  for (const [path, mode] of open) {
    assertEquals(modeOf(world, path), mode, path);
  }

  let server = world.startSync(["serve"]);
  const page = (path = "/") => asked(`http://${url}${path}`);
  says(await page(), "<b>in sync with main</b>");
  says(await page(), short(revision));
  says(await page(`/attempts/${id}`), "build: begins");
  says(await page(`/attempts/${id}.txt`), "build: begins");

  // A run in full with nothing to do, and one that takes the shortcut.
  for (const what of ["full", "settled"]) {
    const old = Math.floor(Date.now() / 1000) - 3 * 3600;
    Deno.utimeSync(world.path(facts), old, old);
    assertMatch(await page(), /<dd class="">3h\d*m? ago, next run/, what);
    await syncTo(world, 0);
    assertMatch(
      await page(),
      /<dd class="">(?:just now|\S+s ago), next run/,
      what,
    );
  }

  // Each command that says how the host is to stand says it here, too.
  await syncTo(world, 0, "suspend", "--reason", "for a while");
  says(await page(), "<b>suspended; in sync with main</b>");
  says(await page(), "(for a while)");
  await syncTo(world, 0, "resume");
  says(await page(), "<b>in sync with main</b>");

  const next = await repository.publish("The <second> system");
  world.configure(repository, {
    ...settings,
    "windows.deploy": ["deny 00:00-24:00"],
  });
  // It reads the configuration when it starts.
  server.signal("SIGTERM");
  await server.ended;
  server = world.startSync(["serve"]);
  await syncTo(world, 0);
  says(await page(), `${short(next)}</code> waits for a deployment window`);
  says(await page(), "There is no plan for");
  await syncTo(world, 0, "plan");
  const planned = await page();
  says(planned, "a sync would change nothing now; later it would deploy");
  says(planned, "The &lt;second&gt; system");
  assert(!planned.includes("The <second>"));

  // What can't be read is not what it was.
  const state = world.read(`${folder}/state.json`)!;
  world.write(`${folder}/state.json`, "cut off");
  await world.startSync(["sync"]).ended;
  says(await page(), "nothing is known yet");
  world.write(`${folder}/state.json`, state);
  server.signal("SIGTERM");
  assertEquals((await server.ended).code, 0);
});

test("without serve.page nothing is left, and there is nothing to serve", async (world) => {
  await deployed(world);
  const [{ id }] = world.history() as [{ id: string }];
  assertEquals(world.read(facts), null);
  assertEquals(modeOf(world, `${folder}/attempts/${id}`), 0o700);
  assertEquals(modeOf(world, `${folder}/attempts/${id}/head.jsonl`), 0o600);
  const { stderr } = await syncTo(world, 2, "serve");
  says(stderr, "expected serve.webhookSecretFile or serve.page");
});
