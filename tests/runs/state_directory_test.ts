/** State folders with names that programs stumble over. */
import { assertEquals } from "@std/assert";
import { prepared, runs, syncTo, test } from "./setting.ts";

const names = ["a b%20", "ä?", "100%", `a#b'c"d&;`];

test("a state folder may have any name", async (world) => {
  const { repository, revision } = await prepared(world);
  for (const [i, name] of names.entries()) {
    const folder = `/var/lib/${name}`;
    world.configure(repository, { stateDirectory: folder });
    await syncTo(world, 0);
    const next = await repository.publish(`For ${i}`, {
      knobs: { greeting: `hello ${i}` },
    });
    await syncTo(world, 0);
    runs(world, next);
    assertEquals(next === revision, false);
    const { stdout } = await syncTo(world, 0, "status");
    assertEquals(stdout.includes(next.slice(0, 12)), true, name);
  }
});
