/** A host of an older version that asks for signatures goes on as it was. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { alone } from "../trust/lab.ts";
import { Keys } from "../trust/keys.ts";
import { makeRepository } from "../world/repository.ts";
import { World } from "../world/world.ts";
import { folderOf, stateFolder } from "./story.ts";

const refusal = await World.refusal();
if (refusal) console.log(`signed upgrades are not tested here: ${refusal}`);

/** The state that 0.1.0 wrote, for what this host has deployed. */
function oldState(world: World): string {
  const file = `${folderOf("0.1.0")}/state/state.json`;
  const old = JSON.parse(Deno.readTextFileSync(file));
  const { revision, subject, target, system, at, boot } = world.state()!
    .lastGood!;
  const lastGood = { ...old.lastGood, revision, subject, target, system };
  const { checksum: _, sealedAt: __, last: ___, ...rest } = old;
  return JSON.stringify({
    ...rest,
    lastGood: { ...lastGood, at, boot },
    seen: { ...old.seen, revision },
    followed: old.followed.map((one: Record<string, unknown>) => ({
      ...one,
      repository: target.repository,
      revision,
    })),
  });
}

Deno.test({
  name:
    "a host of 0.1.0 with verify.mode head goes forward alone, signed alone",
  ignore: refusal !== null,
  fn: async () => {
    await using world = await World.make();
    await using keys = await Keys.make(`${world.folder}/keys`);
    const repository = await makeRepository(`${world.folder}/infra`);
    await repository.git("config", "gpg.format", "ssh");
    await repository.git("config", "user.signingkey", keys.path("ada"));
    world.write("/etc/gitops-sync/signers", keys.signerLine("ada"));
    world.configure(repository, {
      "verify.mode": "head",
      "verify.allowedSigners": "/etc/gitops-sync/signers",
    });
    const publish = async (message: string, isSigned: boolean) => {
      await repository.git("config", "commit.gpgsign", String(isSigned));
      return await repository.publish(message);
    };
    const sync = async (code: number) => {
      const ended = await world.run([...alone, "gitops-sync", "sync"]);
      assertEquals(ended.code, code, ended.stderr);
      return ended.stdout + ended.stderr;
    };
    const first = await publish("One", true);
    await sync(0);
    world.write(`${stateFolder}/state.json`, oldState(world));
    assertEquals(world.state()?.followed?.[0]?.digest, undefined);
    assertStringIncludes(await sync(0), "In sync");

    const second = await publish("Two", true);
    await sync(0);
    assertEquals(world.state()?.lastGood?.revision, second);
    assert(world.state()?.followed?.[0]?.digest, "known by what is signed");

    world.write(`${stateFolder}/state.json`, oldState(world));
    const unsigned = await publish("Three", false);
    assertStringIncludes(await sync(4), "is not signed");
    assert(world.state()!.holds.some((one) => one.revision === unsigned));

    const back = `${first}:refs/heads/main`;
    await repository.git("push", "--quiet", "--force", "origin", back);
    assertStringIncludes(await sync(4), "which is older than");
    assertEquals(world.state()?.lastGood?.revision, second);
  },
});
