import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Settings } from "../world/host.ts";
import { makeRepository } from "../world/repository.ts";
import { World } from "../world/world.ts";
import { Terminal } from "../runs/terminal.ts";

const refusal = await World.refusal();
if (refusal) console.log(`prebuilt systems are not tested here: ${refusal}`);

/** Builds a revision in a world of its own, into a cache; gives its path. */
async function buildElsewhere(
  flake: string,
  cache: string,
  key: string,
): Promise<string> {
  await using ci = await World.make();
  await ci.output(["nixos-rebuild", "build", "--flake", flake], {
    cwd: ci.folder,
  });
  const system = await ci.output(["readlink", "-f", "result"], {
    cwd: ci.folder,
  });
  const to = key === "" ? "" : `?secret-key=${key}`;
  await ci.output(["nix", "copy", "--to", `file://${cache}${to}`, system]);
  return system;
}

/** A gibibyte of nothing, packed into a mebibyte. */
async function bomb(): Promise<Uint8Array<ArrayBuffer>> {
  const [part, parts] = [new Uint8Array(2 ** 20), 2 ** 10];
  let made = 0;
  const zeros = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (made++ < parts) controller.enqueue(part);
      else controller.close();
    },
  });
  const packed = zeros.pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

Deno.test({
  name: "a system that was built elsewhere is fetched, if it is signed",
  ignore: refusal !== null,
  fn: async () => {
    await using world = await World.make();
    const cache = `${world.folder}/cache`, key = `${world.folder}/key`;
    await world.output(
      ["nix-store", "--generate-binary-cache-key", "ci-1", key, `${key}.pub`],
    );
    const trusted = await Deno.readTextFile(`${key}.pub`);
    const options = Object.entries({
      substitute: "true",
      substituters: `file://${cache}`,
      "trusted-public-keys": trusted,
    }).flatMap(([name, value]) => ["--option", name, value]);
    const settings: Settings = {
      "build.from": "cache",
      "build.options": options,
    };
    const repository = await makeRepository(`${world.folder}/infra`, {
      revision: false,
    });
    world.configure(repository, settings);
    const sync = async (code: number, ...args: string[]) => {
      const ended = await world.sync(...args);
      assertEquals(ended.code, code, ended.stdout + ended.stderr);
      return ended;
    };

    // The file is missing in this revision.
    const bare = await repository.publish("Without");
    const flake = `git+file://${repository.bare}?ref=main&rev=${bare}#demo`;
    const none = await sync(6);
    assertStringIncludes(none.stderr, "the commit has no file systems/demo");

    // It is there, but the cache has nothing of it; a repository's own files
    // do not make it another system.
    const system = await buildElsewhere(flake, `${world.folder}/other`, key);
    await repository.publish("Named", {
      files: { "systems/demo": `${system}\n` },
    });
    const empty = await sync(6);
    assertStringIncludes(empty.stderr, `Cannot fetch ${system} of`);
    assertEquals(world.state()?.last?.reason, "not-in-cache");
    assertEquals(world.state()?.holds.length, 1);

    // Not signed, then signed.
    await buildElsewhere(flake, cache, "");
    const unsigned = await sync(6, "sync", "--now");
    assertStringIncludes(unsigned.stderr, "no key that this host trusts");
    assertEquals(world.running(), null);
    // Doctor says whether it can be had, and fetches nothing.
    const host = async () => {
      const { stdout } = await world.sync("doctor", "--json");
      const { checks } = JSON.parse(stdout);
      const { state, text } = checks.find((one: { name: string }) =>
        one.name === "host"
      );
      return `${state}: ${text}`;
    };
    assertStringIncludes(await host(), `ok: a substituter has ${system};`);
    await Deno.remove(cache, { recursive: true });
    await world.output(["sh", "-c", "rm -rf ~/.cache/nix /root/.cache/nix"]);
    assertStringIncludes(await host(), `problem: no substituter has ${system}`);
    await buildElsewhere(flake, cache, key);
    await world.output(["sh", "-c", "rm -rf ~/.cache/nix /root/.cache/nix"]);
    await sync(0, "retry");
    assertStringIncludes(await host(), `ok: ${system} is in the store`);
    assertEquals(world.running(), system);
    assertEquals(world.bootDefault(), system);
    // Nothing was evaluated or built on this host.
    const drv = await world.output(
      ["find", "/nix/store", "-maxdepth", "1", "-name", "*.drv"],
    );
    assertEquals(drv, "");

    await repository.publish("Broken", {
      files: { "systems/demo": `${system}/init\n` },
    });
    const broken = await sync(6);
    assertStringIncludes(broken.stderr, "expected a store path, not");
    const derivation = system.replace(/-[^-]*$/, "-x.drv");
    await repository.publish("Derivation", {
      files: { "systems/demo": derivation },
    });
    await sync(6);
    assertEquals(world.state()?.last?.reason, "no-store-path");
  },
});

/** Serves a cache, a little at a time; lets go of the rest when told to. */
function serveSlowly(folder: string, isOver: () => boolean) {
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      try {
        const bytes = await Deno.readFile(`${folder}${pathname}`);
        let at = 0;
        const body = new ReadableStream({
          async pull(controller) {
            const part = bytes.slice(
              at,
              at += isOver() ? bytes.length : 40_000,
            );
            if (part.length > 0) controller.enqueue(part);
            else controller.close();
            if (!isOver()) await new Promise((r) => setTimeout(r, 50));
          },
        });
        const length = { "content-length": String(bytes.length) };
        return new Response(body, { headers: length });
      } catch {
        return new Response("", { status: 404 });
      }
    },
  );
}

Deno.test({
  name: "a system that is fetched shows what comes, and how much of it",
  ignore: refusal !== null,
  fn: async () => {
    await using world = await World.make();
    const cache = `${world.folder}/cache`, key = `${world.folder}/key`;
    await world.output(
      ["nix-store", "--generate-binary-cache-key", "ci-1", key, `${key}.pub`],
    );
    let isOver = false;
    const server = serveSlowly(cache, () => isOver);
    const options = Object.entries({
      substitute: "true",
      substituters: `http://127.0.0.1:${server.addr.port}`,
      "trusted-public-keys": await Deno.readTextFile(`${key}.pub`),
    }).flatMap(([name, value]) => ["--option", name, value]);
    const repository = await makeRepository(`${world.folder}/infra`);
    world.configure(repository, {
      "build.from": "cache",
      "build.options": options,
    });
    const large = "mkdir -p $out; head -c 6000000 /dev/urandom >$out/firmware";
    const bare = await repository.publish("Without", {
      knobs: { build: large },
    });
    const flake = `git+file://${repository.bare}?ref=main&rev=${bare}#demo`;
    const system = await buildElsewhere(flake, cache, key);
    await repository.publish("Named", {
      files: { "systems/demo": `${system}\n` },
    });
    try {
      await using terminal = await Terminal.open(world, {
        columns: 80,
        shell: ["sh"],
      });
      await terminal.keys("PS1='> '; clear; gitops-sync sync", "Enter");
      await terminal.shows(
        /build +\d of \d copied.*\n +↓ nixos-system-demo.* MiB/,
      );
      isOver = true;
      await terminal.shows(/Deployed /);
    } finally {
      isOver = true;
      await server.shutdown();
    }
    assertEquals(world.running(), system);
  },
});

Deno.test({
  name: "a server names the system of a revision, when it has it",
  ignore: refusal !== null,
  fn: async () => {
    await using world = await World.make();
    const repository = await makeRepository(`${world.folder}/infra`);
    let answer: Response = new Response("", { status: 404 });
    const asked: string[] = [];
    const server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      onListen: () => {},
    }, (request) => {
      const { pathname, search } = new URL(request.url);
      asked.push(pathname + search);
      return answer.clone();
    });
    try {
      const base = `http://127.0.0.1:${server.addr.port}`;
      const revision = await repository.publish("First");
      // It is in the store already, as if it had been fetched.
      const flake =
        `git+file://${repository.bare}?ref=main&rev=${revision}#demo`;
      const cwd = { cwd: world.folder };
      await world.output(["nixos-rebuild", "build", "--flake", flake], cwd);
      const system = await world.output(["readlink", "-f", "result"], cwd);
      world.configure(repository, {
        "build.from": "cache",
        "build.prebuilt": `${base}/{host}/{revision}?key=precious`,
        "timeouts.remote": "5s",
      });
      const missing = await world.sync();
      assertEquals(missing.code, 6, missing.stderr);
      assertStringIncludes(missing.stderr, "answered with status 404");
      assertEquals(world.state()?.backoff?.failures, 1);
      answer = new Response(null, {
        status: 302,
        headers: { location: `${base}/elsewhere` },
      });
      const moved = await world.sync("sync", "--now");
      assertStringIncludes(moved.stderr, "answered with status 302");
      answer = new Response(await bomb(), {
        headers: { "content-encoding": "gzip" },
      });
      const large = await world.sync("sync", "--now");
      assertStringIncludes(large.stderr, "is longer than a store path");
      answer = new Response("rubbish\n");
      const rubbish = await world.sync("sync", "--now");
      assertStringIncludes(rubbish.stderr, 'not "rubbish"');
      answer = new Response(`${system}\n`);
      const found = await world.sync("sync", "--now");
      assertEquals(found.code, 0, found.stderr);
      assertEquals(world.running(), system);
      assertEquals([...new Set(asked)], [`/demo/${revision}?key=precious`]);
    } finally {
      await server.shutdown();
    }
    await repository.publish("Second");
    const away = await world.sync();
    assertEquals(away.code, 6, away.stderr);
    assertStringIncludes(away.stderr, "did not answer");
    assertStringIncludes(away.stderr, "Connection refused");
    // What stands after `?` may be a token.
    for (const name of ["state.json", "history.jsonl"]) {
      const text = world.read(`/var/lib/gitops-sync/${name}`) ?? "";
      assertStringIncludes(text, "/demo/");
      assertEquals(text.includes("precious"), false, text);
    }
  },
});
