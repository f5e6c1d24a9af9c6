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

/** Keeps what is put, and gives it; who asks does not matter to it. */
function objectServer() {
  const objects = new Map<string, Uint8Array<ArrayBuffer>>();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      if (request.method === "PUT") {
        objects.set(pathname, await request.bytes());
        return new Response();
      }
      const found = objects.get(pathname);
      if (!found) return new Response("NoSuchKey", { status: 404 });
      return new Response(request.method === "HEAD" ? null : found, {
        headers: { "Content-Length": String(found.length) },
      });
    },
  );
  const host = `127.0.0.1:${server.addr.port}`;
  return { objects, host, close: () => server.shutdown() };
}

/** Whether the Nix here was built with S3. Debian's is not. */
async function hasS3(): Promise<boolean> {
  await using world = await World.make();
  const asked = ["store", "ping", "--store", "s3://nix?endpoint=127.0.0.1:9"];
  const { stderr } = await world.run(["nix", ...asked]);
  return !stderr.includes("don't know how to open");
}

const noS3 = refusal !== null || !await hasS3();
if (noS3) console.log("s3:// is not tested here: this Nix can't open s3://");

const stores = {
  http: (host: string) => `http://${host}/nix`,
  s3: (host: string) =>
    `s3://nix?endpoint=${host}&scheme=http&region=eu-west-1`,
};

for (const [scheme, urlOf] of Object.entries(stores)) {
  Deno.test({
    name: `a store behind ${scheme}:// gets all, signed`,
    ignore: refusal !== null || scheme === "s3" && noS3,
    fn: async () => {
      await using publisher = await Publisher.make({ demo: {}, other: {} });
      const server = objectServer();
      try {
        const url = urlOf(server.host);
        const env = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "key" };
        const first = await publishTo(publisher, url, env);
        assertEquals(
          [first.code, first.result],
          [0, "published"],
          first.stderr,
        );
        for (const { system } of first.hosts) {
          const hash = system.slice("/nix/store/".length).split("-")[0];
          const info = server.objects.get(`/nix/${hash}.narinfo`);
          const text = new TextDecoder().decode(info);
          assertStringIncludes(text, "\nSig: ci-1:");
        }
        const again = await publishTo(publisher, url, env);
        assertEquals(resultsOf(again), { demo: "cached", other: "cached" });
      } finally {
        await server.close();
      }
    },
  });
}

Deno.test({
  name: "a kind of cache that Nix can't open is named, and nothing is written",
  ignore: refusal !== null,
  fn: async () => {
    await using publisher = await Publisher.make({ demo: {} });
    const { code, result, stderr } = await publishTo(publisher, "no://cache");
    assertEquals([code, result], [6, "not-published"]);
    assertStringIncludes(stderr, "don't know how to open");
    assertStringIncludes(stderr, "for s3:// use a Nix that was built with S3");
    assertStringIncludes(stderr, "no://cache");
    const { folder } = publisher.world;
    const there = await publisher.world.run(["test", "-e", `${folder}/www`]);
    assertEquals(there.code, 1);
  },
});
