import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Knobs } from "../world/repository.ts";
import { makeRepository } from "../world/repository.ts";
import { World } from "../world/world.ts";

const refusal = await World.refusal();
if (refusal) console.log(`worlds are not tested here: ${refusal}`);

/** A test with a world of its own. */
function test(name: string, body: (world: World) => Promise<void>) {
  Deno.test({
    name,
    ignore: refusal !== null,
    fn: async () => {
      await using world = await World.make();
      await body(world);
    },
  });
}

for (const manifest of ["script", "systemd"] as const) {
  test(`what a system installs is proven before it is activated (${manifest})`, async (world) => {
    const recipient = await world.makeKey();
    const repository = await makeRepository(`${world.folder}/infra`);
    world.configure(repository);
    const good = await world.encrypt(recipient, "password: swordfish\n");
    const age = await world.output(
      ["age", "--encrypt", "--armor", "-r", recipient],
      { input: "tuna" },
    );
    const publish = (message: string, knobs: Knobs) =>
      repository.publish(message, {
        knobs: { manifest, ...knobs },
        files: { "web.yaml": good, "mail.age": `${age}\n` },
      });
    await publish("Good", { secrets: ["web.yaml#password", "mail.age"] });
    const first = await world.sync("--verbose");
    assertEquals(first.code, 0, first.stderr);
    assertStringIncludes(first.stderr, "2 secrets of the system can be");
    const running = world.running();
    assertEquals(
      await world.output(["cat", "/run/secrets/password", "/run/secrets/mail"]),
      "swordfishtuna",
    );

    await publish("A key that is not there", { secrets: ["web.yaml#pasword"] });
    const second = await world.sync();
    assertEquals(second.code, 5, second.stderr);
    assertStringIncludes(
      second.stderr,
      "web.yaml, key pasword [no-key]: secret pasword is to come from it, but there is no pasword, only password",
    );
    assertEquals(world.running(), running);
    assertEquals(world.state()?.last?.stage, "prove");
    assertEquals(world.state()?.holds.length, 1);
    assert(world.calls().every(({ system }) => system === running));
  });
}
