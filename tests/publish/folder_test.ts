/** `publish` to a folder, caches that fail, and secrets, with real Nix. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { World } from "../world/world.ts";
import { documentOf, Publisher, resultsOf } from "./setting.ts";

const refusal = await World.refusal();
if (refusal) console.log(`publishing is not tested here: ${refusal}`);

Deno.test({
  name: "a folder gets a file for each host, and a dry run gets nothing",
  ignore: refusal !== null,
  fn: async () => {
    await using publisher = await Publisher.make({ demo: {}, other: {} });
    const { world, repository, cache } = publisher;
    const folder = `${world.folder}/www`;
    const publish = async (...args: string[]) =>
      documentOf(
        await publisher.start([
          ...["--json", "--cache", `file://${cache}`, "--folder", folder],
          ...args,
        ]).ended,
      );
    const dry = await publish("--dry-run");
    assertEquals([dry.code, dry.result], [0, "would-publish"], dry.stderr);
    assertEquals(resultsOf(dry), { demo: "evaluated", other: "evaluated" });
    for (const path of [folder, cache]) {
      const { code } = await world.run(["test", "-e", path]);
      assertEquals(code, 1, path);
    }

    const first = await publish();
    assertEquals([first.code, first.result], [0, "published"], first.stderr);
    const { system } = first.hosts[0];
    assertEquals(system, dry.hosts[0].system);
    const file = `${folder}/systems/demo`;
    assertEquals(await Deno.readTextFile(file), `${system}\n`);
    // A web server of another user reads it.
    assertEquals(Deno.statSync(file).mode! & 0o044, 0o044);
    assertEquals((await publish()).result, "unchanged");

    await Deno.writeTextFile(`${folder}/systems/README`, "not a host's\n");
    await repository.publish("One", { knobs: { hosts: ["demo"] } });
    const one = await publish();
    assertEquals([one.code, one.removed], [0, ["other"]], one.stderr);
    const names = [...Deno.readDirSync(`${folder}/systems`)]
      .map(({ name }) => name).sort();
    assertEquals(names, ["README", "demo"]);

    const pattern = ["--build-prebuilt", "{host}/{revision}"];
    const each = await publish(...pattern);
    assertEquals(each.code, 0, each.stderr);
    const revision = await repository.head();
    assertEquals(
      await Deno.readTextFile(`${folder}/demo/${revision}`),
      `${each.hosts[0].system}\n`,
    );
  },
});

Deno.test({
  name: "what is not in the cache, whole and signed, is not published",
  ignore: refusal !== null,
  fn: async () => {
    await using publisher = await Publisher.make({ demo: {}, other: {} });
    const { world, cache } = publisher;
    // Copied once without a signature, which nix copy does not add later.
    await publisher.start([
      ...["--cache", `file://${cache}`, "--folder", `${world.folder}/first`],
    ]).ended;
    const signed = await publisher.document();
    assertEquals([signed.code, signed.result], [0, "published"], signed.stderr);
    const infos = [...Deno.readDirSync(cache)]
      .filter(({ name }) => name.endsWith(".narinfo"))
      .map(({ name }) => Deno.readTextFileSync(`${cache}/${name}`));
    assert(infos.length > 2);
    for (const info of infos) assertStringIncludes(info, "\nSig: ci-1:");

    // One path that can't be written takes its own host alone.
    await publisher.repository.publish("Second", {
      knobs: { hosts: { demo: { greeting: "second" }, other: {} } },
    });
    const dry = await publisher.document("--dry-run");
    const hash = dry.hosts[0].system.slice("/nix/store/".length).split("-")[0];
    await Deno.mkdir(`${cache}/${hash}.narinfo`);
    const some = await publisher.document();
    assertEquals(some.code, 6, some.stderr);
    assertEquals(resultsOf(some), { demo: "failed", other: "cached" });
    assertEquals(some.hosts[0].error.reason, "not-copied");
    assertStringIncludes(some.stderr, "Cannot copy demo to file://");
    assertEquals(await publisher.systemOf("demo"), signed.hosts[0].system);
    // Once that is mended the same command does the rest.
    await Deno.remove(`${cache}/${hash}.narinfo`);
    const rest = await publisher.document();
    assertEquals(rest.code, 0, rest.stderr);
    assertEquals(await publisher.systemOf("demo"), dry.hosts[0].system);
  },
});

Deno.test({
  name: "a host that could not open its secrets is not published",
  ignore: refusal !== null,
  fn: async () => {
    await using publisher = await Publisher.make({ demo: {}, other: {} });
    const { world, repository } = publisher;
    const demo = await world.makeKey(`${world.folder}/demo.key`);
    const other = await world.makeKey(`${world.folder}/other.key`);
    const rules = `keys:
  - &demo ${demo}
  - &other ${other}
creation_rules:
  - path_regex: .*\\.yaml
    key_groups:
      - age: [*demo, *other]
`;
    const files = {
      ".sops.yaml": rules,
      "secrets.yaml": await world.encrypt(demo, "password: hunter2\n"),
    };
    await repository.publish("Secrets", { files });
    const part = await publisher.document();
    assertEquals([part.code, part.result], [5, "published"], part.stderr);
    assertEquals(resultsOf(part), { demo: "built", other: "failed" });
    assertEquals(part.hosts[1].error.reason, "not-for-this-host");
    assertStringIncludes(part.stderr, "the rules name other");
    const all = await publisher.document("--no-secrets-check");
    assertEquals(all.code, 0, all.stderr);
  },
});
