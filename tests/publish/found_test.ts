/** What `publish` finds in a branch, and whom it is asked to publish. */
import { assertEquals, assertThrows } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { chosenHosts, fileNames } from "../../lib/publish/pattern.ts";
import { sourceAt } from "../../lib/publish/source.ts";
import { ToBranch } from "../../lib/publish/to_branch.ts";
import { configOf, watched } from "../git/remote.ts";
import { makeRepository } from "../world/repository.ts";

const system = `/nix/store/${"0".repeat(32)}-nixos-system-web`;

Deno.test("an odd file in the branch hides no other host's system", async () => {
  const folder = await Deno.makeTempDir({ prefix: "gitops-sync-branch-" });
  try {
    const repository = await makeRepository(`${folder}/infra`);
    const revision = await repository.publish("First");
    await repository.git("switch", "--quiet", "--create", "deploy");
    await Deno.mkdir(`${repository.folder}/systems`);
    const files = {
      "a-odd": "ü".repeat(500),
      "b-odd": new Uint8Array([0xff, 0xfe, 0x0a, 0x80]),
      web: `${system}\n`,
    };
    for (const [name, content] of Object.entries(files)) {
      await Deno.writeFile(
        `${repository.folder}/systems/${name}`,
        typeof content === "string"
          ? new TextEncoder().encode(content)
          : content,
      );
    }
    await repository.git("add", "--all");
    const text = `Publish\n\nPublished-From: ${revision}\n`;
    await repository.git("commit", "--quiet", "--message", text);
    await repository.git("push", "--quiet", "origin", "deploy");
    // A tag of the same name is another thing.
    await repository.git("tag", "deploy", revision);
    await repository.git("push", "--quiet", "origin", "refs/tags/deploy");
    await repository.git("switch", "--quiet", "main");

    const { effects } = watched();
    const source = await sourceAt(effects, repository.folder);
    const config = configOf({ repository: `file://${repository.bare}` });
    const place = await ToBranch.make(effects, config, source, {
      name: "deploy",
      names: fileNames("systems/{host}", revision, true),
      key: undefined,
      folder,
    });
    assertEquals(await place.read(), new Map([["web", system]]));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a list of hosts that names none is a mistake, and not all or nothing", () => {
  const hosts = ["db", "web1", "web2"];
  assertEquals(chosenHosts(hosts, " web* ,, db,"), hosts);
  for (const list of ["", " ", ",", " , "]) {
    const error = assertThrows(() => chosenHosts(hosts, list), SyncError);
    assertEquals((error as SyncError).reason, "no-such-host", list);
  }
});
