/** What the inputs of a flake, and the builders, may do to a run. */
import { assertEquals } from "@std/assert";
import { short } from "../../lib/base/text.ts";
import { type Handler, serve } from "../git/servers.ts";
import { output } from "../world/program.ts";
import { deployed, runs, says, syncTo, test } from "./setting.ts";

/** An input `lib`, as an archive and as what flake.lock says of it. */
interface Input {
  archive: Uint8Array<ArrayBuffer>;
  narHash: string;
}

async function makeInput(folder: string): Promise<Input> {
  await Deno.mkdir(`${folder}/lib`, { recursive: true });
  await Deno.writeTextFile(`${folder}/lib/default.nix`, "{ }\n");
  // So long that half of it is some blocks.
  const noise = crypto.getRandomValues(new Uint8Array(60_000));
  await Deno.writeFile(`${folder}/lib/noise`, noise);
  await output(["tar", "-czf", `${folder}/lib.tar.gz`, "-C", folder, "lib"]);
  const features = ["--extra-experimental-features", "nix-command"];
  const hash = ["nix", ...features, "hash", "path", `${folder}/lib`];
  return {
    archive: await Deno.readFile(`${folder}/lib.tar.gz`),
    narHash: (await output(hash)).trim(),
  };
}

/** The stand-in's flake, which reads an input `lib` first. */
async function withInput(url: string, narHash: string) {
  const path = new URL("../system/flake.nix", import.meta.url);
  const flake = (await Deno.readTextFile(path)).replace(
    "  outputs =\n    { self }:\n",
    `  inputs.lib = { url = "${url}"; flake = false; };\n  outputs =\n    { self, lib }:\n    builtins.seq (import lib) (\n`,
  ).replace(/}\s*$/, ");\n}\n").replace(/;(\s*\);\s*}\s*)$/, "$1");
  const original = { type: "tarball", url };
  const lib = {
    flake: false,
    locked: { ...original, narHash },
    original,
  };
  const lock = {
    nodes: { lib, root: { inputs: { lib: "lib" } } },
    root: "root",
    version: 7,
  };
  return { "flake.nix": flake, "flake.lock": JSON.stringify(lock) };
}

const answer = (status: number, body: BodyInit, headers = {}): Handler => () =>
  new Response(body, { status, headers });

const bent = (archive: Uint8Array<ArrayBuffer>, from = archive.length / 2) =>
  archive.map((byte, at) => at > from && at < from + 64 ? 0 : byte);

/** What a server may answer once, and the reason that is recorded. */
const bad: [string, (archive: Uint8Array<ArrayBuffer>) => Handler, string][] = [
  [
    "an archive that is cut off",
    (archive) => answer(200, archive.slice(0, archive.length / 2)),
    "network",
  ],
  [
    "a page of a captive portal",
    () => answer(200, "<html>Log in</html>\n"),
    "network",
  ],
  ["nothing", () => answer(200, ""), "network"],
  [
    "an archive that is bent",
    (archive) => answer(200, bent(archive)),
    "hash-mismatch",
  ],
  ["401", () => answer(401, "Bad credentials\n"), "input-denied"],
  ["403", () => answer(403, "Forbidden\n"), "input-denied"],
  [
    "403 with the words of a forge",
    () => answer(403, "You have triggered an abuse detection mechanism.\n"),
    "slow-down",
  ],
];

test("an input that a server spoils once holds no revision", async (world) => {
  let handler: Handler = answer(404, "");
  await using server = serve((request) => handler(request));
  const { repository } = await deployed(world);
  for (const [i, [name, spoiled, reason]] of bad.entries()) {
    // One that is in the store is not fetched again.
    const input = await makeInput(`${world.folder}/${i}`);
    handler = spoiled(input.archive);
    const url = `${server.url}/${i}/lib.tar.gz`;
    const revision = await repository.publish(`An input with ${name}`, {
      files: await withInput(url, input.narHash),
    });
    await syncTo(world, 6, "--build-options=--option", ...quick);
    const { holds, last, backoff } = world.state()!;
    assertEquals([last?.reason, holds], [reason, []], name);
    assertEquals(backoff?.revision, revision, name);
    // What Nix has kept of it does not count.
    handler = answer(200, input.archive);
    await syncTo(world, 0, "sync", "--now");
    runs(world, revision);
  }
});

/** Nix tries by itself some times, with pauses. */
const quick = [
  "--build-options=download-attempts",
  "--build-options=1",
];

test("a server of inputs that asks to slow down is left alone", async (world) => {
  const input = await makeInput(world.folder);
  await using server = serve(answer(429, "slow down\n"));
  const { repository } = await deployed(world);
  await repository.publish("An input", {
    files: await withInput(`${server.url}/lib.tar.gz`, input.narHash),
  });
  const first = await syncTo(world, 6, "--build-options=--option", ...quick);
  says(first.stderr, "the server limits requests");
  const asked = server.requests.length;
  await syncTo(world, 9);
  assertEquals(server.requests.length, asked);
});

test("a host that may build nothing now holds nothing", async (world) => {
  const { repository } = await deployed(world);
  const revision = await repository.publish("Another system", {
    knobs: { greeting: "hi" },
  });
  const options = ["--build-options=--max-jobs", "--build-options=0"];
  const ended = await syncTo(world, 6, ...options);
  says(ended.stderr, "no machine may build this", "max-jobs");
  assertEquals(world.state()?.holds, []);
  await syncTo(world, 0, "sync", "--now");
  runs(world, revision);
});

test("a throw of the flake's own code holds its revision", async (world) => {
  const { repository } = await deployed(world);
  const revision = await repository.publish("A misspelt key", {
    knobs: { gretting: "hi" } as Record<string, string>,
  });
  const ended = await syncTo(world, 6);
  says(ended.stderr, "evaluation failed: host.json: unknown key gretting");
  const { holds, last } = world.state()!;
  assertEquals(last?.reason, "evaluation-error");
  assertEquals(holds.map(({ revision }) => revision), [revision]);
  says((await syncTo(world, 9)).stderr, `${short(revision)} has been blocked`);
});

test("an input that is private comes with the netrc file that is named", async (world) => {
  const input = await makeInput(`${world.folder}/private`);
  const asked: (string | null)[] = [];
  await using server = serve((request) => {
    const given = request.headers.get("authorization");
    asked.push(given);
    const isKnown = given === `Basic ${btoa("me:hunter2")}`;
    return isKnown ? new Response(input.archive) : new Response("no\n", {
      status: 401,
      headers: { "www-authenticate": 'Basic realm="x"' },
    });
  });
  // Not where Nix would look by itself.
  const netrc = `${world.folder}/private/netrc`;
  await Deno.writeTextFile(
    netrc,
    "machine elsewhere login me password wrong\nmachine 127.0.0.1 login me password hunter2\n",
    { mode: 0o600 },
  );
  const { repository } = await deployed(world);
  const revision = await repository.publish("A private input", {
    files: await withInput(`${server.url}/lib.tar.gz`, input.narHash),
  });
  const refused = await syncTo(world, 6);
  says(refused.stderr, "access to an input was denied", "inputs.netrcFile");
  const ended = await syncTo(world, 0, "--now", `--inputs-netrc-file=${netrc}`);
  runs(world, revision);
  assertEquals(asked.includes(`Basic ${btoa("me:hunter2")}`), true);
  assertEquals(ended.text.includes("hunter2"), false);
});
