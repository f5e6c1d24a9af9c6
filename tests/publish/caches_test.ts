/** `publish` to the kinds of caches that `nix copy` takes, with real Nix. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { makeKey, sshdRefusal, startSshd } from "../git/servers.ts";
import { World } from "../world/world.ts";
import { documentOf, Publisher, resultsOf } from "./setting.ts";

const refusal = await World.refusal();
if (refusal) console.log(`publishing is not tested here: ${refusal}`);
const noSsh = refusal ?? await sshdRefusal();
if (noSsh) console.log(`ssh:// is not tested here: ${noSsh}`);

/** Publishes to a cache, and a folder of the world. */
async function publishTo(
  publisher: Publisher,
  cache: string,
  env: Record<string, string> = {},
) {
  const { folder } = publisher.world;
  const args = [
    ...["--json", "--cache", cache, "--cache-key", `${folder}/cache-key`],
    ...["--folder", `${folder}/www`],
  ];
  return documentOf(await publisher.start(args, { env }).ended);
}

for (const scheme of ["ssh", "ssh-ng"]) {
  Deno.test({
    name: `a machine behind ${scheme}:// gets all, signed`,
    ignore: noSsh !== null,
    fn: async () => {
      await using publisher = await Publisher.make({ demo: {}, other: {} });
      await using machine = await World.make();
      const key = `${publisher.world.folder}/ssh`;
      // A machine takes only what is signed with a key that it trusts.
      await Deno.writeTextFile(
        `${machine.folder}/nix.conf`,
        `trusted-public-keys = ${publisher.trusted}\n`,
        { append: true },
      );
      const inside = `NIX_CONF_DIR=${machine.folder}`;
      await using sshd = await startSshd(
        machine.folder,
        await makeKey(key),
        [`SetEnv ${inside} XDG_CACHE_HOME=${machine.folder}/cache`],
        machine,
      );
      const known = `${publisher.world.folder}/known_hosts`;
      await Deno.writeTextFile(known, sshd.knownHosts);
      const env = {
        NIX_SSHOPTS: `-p ${sshd.port} -o UserKnownHostsFile=${known}`,
      };
      const url = `${scheme}://root@127.0.0.1?ssh-key=${key}`;
      const first = await publishTo(publisher, url, env);
      assertEquals([first.code, first.result], [0, "published"], first.stderr);
      assertEquals(resultsOf(first), { demo: "built", other: "built" });
      for (const { system } of first.hosts) {
        const asked = ["path-info", "--json", "--recursive", system];
        const infos = JSON.parse(
          await machine.output(["nix", ...asked]),
        ) as { signatures?: string[] }[];
        assert(infos.length > 1);
        for (const { signatures = [] } of infos) {
          assertStringIncludes(signatures.join(), "ci-1:");
        }
      }
      const again = await publishTo(publisher, url, env);
      assertEquals(again.result, "unchanged", again.stderr);
      assertEquals(resultsOf(again), { demo: "cached", other: "cached" });
      // A key that may not enter.
      await Deno.writeTextFile(`${machine.folder}/authorized_keys`, "");
      const shut = await publishTo(publisher, url, env);
      assertEquals([shut.code, shut.result], [6, "not-published"]);
      assertStringIncludes(shut.stderr, "Permission denied");
    },
  });
}
