import { assertEquals, assertStringIncludes } from "@std/assert";
import { makeRepository } from "../world/repository.ts";
import { World } from "../world/world.ts";
import { Bao } from "./bao.ts";

const refusal = await World.refusal();
if (refusal) console.log(`a sync with Vault is not tested here: ${refusal}`);

Deno.test({
  name: "a sync checks what Vault alone opens, and waits out an outage",
  ignore: refusal !== null,
  fn: async () => {
    await using bao = await Bao.start();
    await using world = await World.make();
    const repository = await makeRepository(`${world.folder}/infra`);
    const { roleId, secretId } = await bao.makeRole();
    world.write("/etc/gitops-sync/secret-id", secretId);
    world.configure(repository, {
      "vault.address": bao.address,
      "vault.appRole.roleId": roleId,
      "vault.appRole.secretIdFile": "/etc/gitops-sync/secret-id",
      "timeouts.vault": "1s",
    });
    const agent = world.startSync(["vault-agent"]);
    const socket = "/run/gitops-sync-vault/agent.sock";
    const end = Date.now() + 20_000;
    while ((await world.run(["test", "-S", socket])).code !== 0) {
      if (Date.now() > end) throw new Error("the agent does not listen");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const publish = async (message: string) =>
      await repository.publish(message, {
        files: {
          "vault.yaml": await bao.encrypt(`password: ${message}\n`),
        },
      });
    const first = await publish("first");
    const good = await world.sync();
    assertEquals(good.code, 0, good.stderr);
    assertEquals(world.state()?.lastGood?.revision, first);
    const second = await publish("second");
    await bao.seal();
    const sealed = await world.sync();
    assertEquals(sealed.code, 5, sealed.stderr);
    assertStringIncludes(sealed.stderr, "is sealed");
    assertEquals(world.state()?.lastGood?.revision, first);
    await bao.unseal();
    // The agent answers with an outage for as long as this.
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    const after = await world.sync("--now");
    assertEquals(after.code, 0, after.stderr);
    assertEquals(world.state()?.lastGood?.revision, second);
    // A login that is refused is about the host: the revision is not held.
    await bao.ask("DELETE", "auth/approle/role/host");
    await bao.ask("POST", "sys/leases/revoke-prefix/auth/approle/login");
    const third = await publish("third");
    const refused = await world.sync();
    assertEquals(refused.code, 5, refused.stderr);
    assertStringIncludes(refused.stderr, "refuses the role id or the secret");
    world.write(
      "/etc/gitops-sync/secret-id",
      await bao.remakeRole(roleId),
    );
    const mended = await world.sync("--now");
    assertEquals(mended.code, 0, mended.stderr);
    assertEquals(world.state()?.lastGood?.revision, third);
    agent.signal("SIGTERM");
    await agent.ended;
  },
});
