/** Git's other format of references (Git 2.45 and newer; Debian 13 has 2.47). */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { exists } from "@std/fs";
import { makeRepository } from "../world/repository.ts";
import { Machine } from "./machine.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`reftable is not tested here: ${refusal}`);

const mirror = "/var/lib/gitops-sync/repo";

Deno.test({
  name: "a host and a repository whose Git defaults to reftable work as others",
  ignore: refusal !== null,
  fn: async () => {
    await using machine = await Machine.boot();
    const repository = await makeRepository(`${machine.shared}/infra`);
    // What a host may say, and what root's own configuration may.
    const env = { GIT_DEFAULT_REF_FORMAT: "reftable" };
    machine.write(
      "/root/.gitconfig",
      "[init]\n\tdefaultRefFormat = reftable\n",
    );
    const git = (...args: string[]) =>
      machine.output(["git", "-c", "safe.directory=*", ...args], { env });
    await repository.publish("The first system");
    const copy = "/srv/copy.git";
    await git("clone", "-q", "--bare", machine.urlOf(repository), copy);
    assert(await exists(machine.path(`${copy}/reftable`)), "it is a reftable");
    machine.configure(repository, { repository: `file://${copy}` });
    const deploy = async (subject: string) => {
      const revision = await repository.publish(subject);
      const url = machine.urlOf(repository);
      await git("-C", copy, "fetch", "-q", url, "+refs/heads/*:refs/heads/*");
      const { code, stderr } = await machine.sync("sync");
      assertEquals(code, 0, stderr);
      assertEquals(machine.state()?.lastGood?.revision, revision);
      assertEquals(
        await exists(machine.path(`${mirror}/.git/reftable`)),
        false,
      );
      return stderr;
    };
    await deploy("The second system");
    assertStringIncludes((await machine.sync("sync")).stdout, "In sync");
    // Nix reads no such mirror, whoever made it.
    await git("-C", mirror, "refs", "migrate", "--ref-format=reftable");
    assert(await exists(machine.path(`${mirror}/.git/reftable`)), "migrated");
    const told = await deploy("The third system");
    assertStringIncludes(
      told,
      "The mirror uses reftables, which Nix does not read; creating a new one",
    );
    await deploy("The fourth system");
  },
});
