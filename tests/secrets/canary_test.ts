import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { unboundGitopsSync } from "../world/gitops_sync.ts";
import { makeRepository } from "../world/repository.ts";
import { World } from "../world/world.ts";

const refusal = await World.refusal();
if (refusal) console.log(`worlds are not tested here: ${refusal}`);

/** Words that are nowhere but in the secrets. */
const canaries = ["canary-yaml-5f1e", "canary-json-81c0", "canary-age-77aa"];

/** A run, and whether it left anything in its folder in memory. */
const andLook = 'gitops-sync "$@"; code=$?; find "$RUNTIME_DIRECTORY" ' +
  "-mindepth 2 | grep . && exit 99; exit $code";

/** What holds a canary in plain: files of the world, outside /run/secrets. */
async function found(world: World): Promise<string[]> {
  const places = ["etc", "home", "cache", "var", "boot", "nix", "tmp", "run"];
  const ended = await world.run([
    "grep",
    "--recursive",
    "--files-with-matches",
    "--text",
    "--fixed-strings",
    "--exclude-dir=secrets.d",
    ...canaries.flatMap((canary) => ["-e", canary]),
    ...places.map((place) => `${world.folder}/${place}`),
  ]);
  return ended.stdout.split("\n").filter((line) => line !== "");
}

Deno.test({
  name: "no secret is left anywhere, however a run ends",
  ignore: refusal !== null,
  fn: async () => {
    await using world = await World.make();
    await Deno.mkdir(`${world.folder}/tmp`);
    const env = { TMPDIR: `${world.folder}/tmp` };
    const recipient = await world.makeKey();
    await world.output(
      ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f"]
        .concat("/etc/ssh/ssh_host_ed25519_key"),
    );
    const repository = await makeRepository(`${world.folder}/infra`);
    world.configure(repository, { "timeouts.health": "5s" });
    const [yaml, json, age] = canaries;
    const sops = (format: string, text: string) =>
      world.output([
        "sops",
        "encrypt",
        `--age=${recipient}`,
        `--input-type=${format}`,
        `--output-type=${format}`,
        "/dev/stdin",
      ], { input: text }).then((file) => `${file}\n`);
    const good = await sops("yaml", `password: ${yaml}\nother: x\n`);
    await repository.publish("Secrets", {
      knobs: {
        manifest: "script",
        secrets: ["web.yaml#password", "web.json#token", "wifi.age"],
        hang: 1,
      },
      files: {
        "web.yaml": good,
        "web.json": await sops("json", `{"token": "${json}"}`),
        "wifi.age": await world.output(
          ["age", "--encrypt", "--armor", "-r", recipient],
          { input: age! },
        ).then((file) => `${file}\n`),
      },
    });
    // What is looked for would be found.
    for (const canary of canaries) {
      await Deno.writeTextFile(`${world.folder}/tmp/planted`, canary);
      assertEquals(await found(world), [`${world.folder}/tmp/planted`]);
    }
    await Deno.remove(`${world.folder}/tmp/planted`);
    assertEquals(await found(world), []);

    const said: string[] = [];
    const sync = async (code: number | undefined, ...args: string[]) => {
      const ended = await world.run(["sh", "-c", andLook, "-", ...args], {
        env,
      });
      said.push(ended.stdout, ended.stderr);
      if (code !== undefined) assertEquals(ended.code, code, ended.stderr);
      assertEquals(await found(world), []);
    };

    // Every program and its arguments, with the environment it gets.
    const trace = `${world.folder}/trace`;
    const traced = await world.run([
      "strace",
      ...["-f", "-qq", "-v", "-s", "100000", "-e", "trace=execve", "-o", trace],
      ...unboundGitopsSync,
      "sync",
      "--verbose",
    ], { env });
    assertEquals(traced.code, 0, traced.stderr);
    said.push(traced.stdout, traced.stderr);
    const started = await Deno.readTextFile(trace);
    await Deno.remove(trace);
    assert(/execve\([^)]*sops"/.test(started), "sops was started");
    assert(/execve\([^)]*age"/.test(started), "age was started");
    for (const line of started.split("\n")) {
      // What the system itself does is not ours.
      const argv = /execve\([^\[]*\[(.*?)\], \[/.exec(line)?.[1] ?? "";
      for (const word of [...canaries, "AGE-SECRET-KEY"]) {
        assert(!argv.includes(word), `an argument holds a secret: ${argv}`);
      }
      for (const canary of canaries) assert(!line.includes(canary), line);
    }
    assertEquals(await found(world), []);
    assertEquals(
      await world.output(["cat", "/run/secrets/password"]),
      yaml,
    );

    // A run that fails: a secret that was changed by hand, one that became
    // plain, a key that is not there, a snippet that fails.
    const changes: [
      string,
      Parameters<typeof repository.publish>[1],
      number,
    ][] = [
      ["Tampered", {
        files: { "web.yaml": good.replace(/^other: .*\n/m, "") },
      }, 5],
      ["No such key", {
        knobs: { secrets: ["web.yaml#pasword"] },
        files: { "web.yaml": good },
      }, 5],
      ["Fails", {
        knobs: {
          secrets: ["web.yaml#password", "web.json", "wifi.age"],
          activation: "exit 1",
        },
      }, 7],
    ];
    for (const [message, change, code] of changes) {
      await repository.publish(message, change);
      await sync(code, "--verbose");
    }
    await sync(undefined, "--json");

    // And one that is killed, wherever it is by then.
    for (const delay of [150, 300, 450, 600, 800, 1000, 1300, 1700, 2300]) {
      await repository.publish(`Killed after ${delay} ms`, {
        knobs: { activation: "", greeting: `${delay}` },
        files: { "web.yaml": await sops("yaml", `password: ${yaml}\n`) },
      });
      const program = world.startSync(["sync", "--verbose"], { env });
      await new Promise((done) => setTimeout(done, delay));
      program.signal("SIGKILL");
      const ended = await program.ended;
      said.push(ended.stdout, ended.stderr);
      assertEquals(await found(world), []);
    }
    await sync(undefined, "--retry");
    await sync(0);
    for (const text of said) {
      for (const canary of canaries) assert(!text.includes(canary), text);
    }
    assertStringIncludes(said.join("\n"), "[tampered]");
    assertStringIncludes(said.join("\n"), "[no-key]");
  },
});
