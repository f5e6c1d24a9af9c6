import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { textOf } from "../../lib/serve/actions_request.ts";
import type { World } from "../world/world.ts";
import { deployed, runs, standing, syncTo, test } from "./setting.ts";

const folder = "/run/taken";

/** Settings of a host that has buttons. */
const buttons = {
  "serve.auth.header": "X-Remote-User",
  "serve.auth.origin": "https://web-1.example.org",
  "serve.wanted": "/run/serve/wanted",
};

let number = 0;

/** A file as the server writes it, in the folder that the unit took. */
function ask(world: World, fields: Record<string, string>, text?: string) {
  const at = new Date().toISOString();
  const request = { version: 1, at, by: "ada", ...fields };
  const name = `${++number}-${crypto.randomUUID()}.json`;
  world.write("/run/serve/.keep", "");
  world.write(`${folder}/${name}`, text ?? textOf(request as never));
}

async function pressed(world: World, kind: string) {
  const ended = await syncTo(world, 0, "pressed", kind, folder);
  await Deno.remove(world.path(folder), { recursive: true });
  return ended;
}

test("words of the page are those of the commands, with a name", async (world) => {
  const { repository } = await deployed(world, buttons);
  ask(world, { action: "suspend", for: "2h", reason: "TICKET-12" });
  const { stderr } = await pressed(world, "words");
  assertStringIncludes(stderr, "ada requested suspend on the status page");
  const suspended = JSON.parse(
    world.read("/var/lib/gitops-sync/suspended.json")!,
  );
  assertEquals(suspended.by, "ada (page)");
  assertEquals(suspended.reason, "TICKET-12");
  const { stdout } = await syncTo(world, 0, "status");
  assertStringIncludes(stdout, "Suspended by ada (page) since");
  ask(world, { action: "resume" });
  await pressed(world, "words");
  assertEquals(world.read("/var/lib/gitops-sync/suspended.json"), null);

  world.configure(repository, { ...buttons, "approval": "manual" });
  const revision = await repository.publish("It waits");
  await syncTo(world, 0);
  ask(world, { action: "approve", revision });
  await pressed(world, "words");
  assertEquals(world.history().at(-1)?.by, "ada (page)");
  await syncTo(world, 0);
  runs(world, revision);
});

test("runs of the page are those of the commands, with a name", async (world) => {
  const { repository, revision: first } = await deployed(world, buttons);
  const second = await repository.publish("The second");
  ask(world, { action: "sync" });
  await pressed(world, "runs");
  runs(world, second);
  assertEquals(world.history().at(-1)?.by, "ada (page)");
  ask(world, { action: "rollback", revision: first, reason: "a disk" });
  await pressed(world, "runs");
  runs(world, first);
  const { by, why } = world.history().at(-1)!;
  assertEquals([by, why], ["ada (page)", "a disk"]);
  // What a command refuses is told, and fails no unit.
  ask(world, { action: "rollback", revision: "0".repeat(40) });
  const { stderr } = await pressed(world, "runs");
  assertStringIncludes(stderr, "no good system of that revision is kept");
  assertEquals(standing(world).running, world.running());
});

test("what is no request is refused, and nothing is done", async (world) => {
  await deployed(world, buttons);
  const before = standing(world);
  ask(world, { action: "sync" });
  ask(world, {}, "secret of root\n");
  const { stderr } = await pressed(world, "words");
  assertStringIncludes(stderr, "sync is not for this unit");
  assertStringIncludes(stderr, "it is not a valid request");
  assert(!stderr.includes("secret"), stderr);
  assertEquals(standing(world), before);
});

test("without buttons nothing acts for the page", async (world) => {
  await deployed(world);
  ask(world, { action: "resume" });
  const ended = await syncTo(world, 2, "pressed", "words", folder);
  assertStringIncludes(ended.stderr, "its buttons are switched off");
  const odd = await syncTo(world, 2, "pressed", "other", folder);
  assertStringIncludes(odd.stderr, "expected gitops-sync pressed runs|words");
});
