import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { inFolder } from "../folder.ts";
import { check, failure, numbers } from "../secrets/check.ts";
import { makeRepository } from "../world/repository.ts";
import { Agent } from "./agent.ts";
import { Bao } from "./bao.ts";

Deno.test("the check opens what only Vault opens, and tells its troubles apart", async () => {
  await inFolder(async (folder) => {
    await using bao = await Bao.start();
    const repository = await makeRepository(`${folder}/infra`);
    await repository.publish("For Vault", {
      files: { "web.yaml": await bao.encrypt("password: hunter2\n") },
    });
    const role = Agent.withRole(folder, await bao.makeRole());
    const agent = await Agent.start(bao, role);
    const config = {
      "secrets.identities": [],
      "vault.address": bao.address,
      "vault.socket": agent.socket,
    };
    const refused = async (reason: string, next: string) => {
      const error = failure(await check(folder, repository, config));
      assertStringIncludes(error.details.join("\n"), `web.yaml [${reason}]: `);
      assertEquals([error.exit, error.next], [5, next], reason);
      return error;
    };
    try {
      const first = await check(folder, repository, config);
      assertEquals(numbers(first), [1, 0]);
      assertEquals(first.decrypted, ["sops"]);
      // Whether Vault opens it is asked each time.
      const second = await check(folder, repository, config);
      assertEquals(second.decrypted, ["sops"]);

      // One that may decrypt nothing.
      await bao.ask("POST", "sys/policies/acl/host", {
        policy: 'path "sops/decrypt/other" { capabilities = ["update"] }',
      });
      const denied = await refused("vault-refused", "retry");
      const told = denied.details.join("\n");
      assertStringIncludes(told, 'path "sops/decrypt/host"');
      assert(!denied.hints.join().includes("age-keygen"), denied.hints.join());
      await bao.ask("POST", "sys/policies/acl/host", {
        policy: 'path "sops/decrypt/*" { capabilities = ["update"] }',
      });
      // What was encrypted before may not be decrypted any more.
      await bao.ask("POST", "sops/keys/host/rotate");
      await bao.ask("POST", "sops/keys/host/config", {
        min_decryption_version: 2,
      });
      await refused("vault-refused", "retry");
      await bao.ask("POST", "sops/keys/host/config", {
        min_decryption_version: 1,
        deletion_allowed: true,
      });
      assertEquals(numbers(await check(folder, repository, config)), [1, 0]);
      await bao.ask("DELETE", "sops/keys/host");
      await refused("vault-refused", "retry");
      await bao.ask("DELETE", "sys/mounts/sops");
      await refused("vault-refused", "retry");
      await bao.seal();
      await refused("vault-sealed", "retry");
      await bao.stop();
      await agent.stop();
      await refused("vault-unreachable", "retry");
    } finally {
      await agent[Symbol.asyncDispose]();
    }
  });
});
