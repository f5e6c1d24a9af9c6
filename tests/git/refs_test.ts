/** Names that are legal, if unusual. */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { options } from "../../lib/config/schema.ts";
import { missing } from "../../lib/sync/unreached.ts";
import { inFolder } from "../folder.ts";
import { output } from "../world/program.ts";
import {
  chain,
  configOf,
  Fetching,
  git,
  importInto,
  makeBare,
  makeInfra,
  tipOf,
  watched,
} from "./remote.ts";

const user = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];

Deno.test("names that Git allows are followed to their commit", async () => {
  await inFolder(async (folder) => {
    const infra = await makeInfra(folder, 4);
    const names = [
      "feature/with/slashes",
      "häuser-☃",
      "it's",
      'say"so"',
      "$(id)`id`",
      "a;b|c&d>e<f",
      "100%",
      "a@b",
      "#1",
      "-",
      "HEAD",
      "main-2",
      "x/main",
      "a,b=c",
      "{x}",
      "!important",
      "f".repeat(40),
      "f".repeat(200),
    ].filter((name) => name !== "-");
    for (const [i, name] of names.entries()) {
      const commit = await git(infra, "rev-parse", `main~${i % 4}`);
      // A name that looks like a commit is one, unless it is written in full.
      const ref = /^f{40}$/.test(name) ? `refs/heads/${name}` : name;
      await git(infra, "update-ref", `refs/heads/${name}`, commit);
      assertEquals(options.ref.kind.read(ref), ref);
      const fetching = new Fetching(`${folder}/${i}`, {
        repository: infra,
        ref,
      });
      const fetched = await fetching.deploy();
      assertEquals(fetched.commit.revision, commit, name);
      assertEquals(fetched.tip.name, `refs/heads/${name}`);
      assertEquals((await fetching.fetch()).forward, "yes");
    }
  });
});

Deno.test("names outside of branches and tags are followed too", async () => {
  await inFolder(async (folder) => {
    const infra = await makeInfra(folder, 3);
    for (
      const ref of ["refs/pull/7/head", "refs/deploy/web-1", "refs/heads/main"]
    ) {
      await git(infra, "update-ref", ref, "main");
      const fetching = new Fetching(`${folder}/${ref}`, {
        repository: infra,
        ref,
      });
      const { tip } = await fetching.deploy();
      assertEquals([tip.name, tip.kind], [ref, "branch"]);
      await git(infra, "update-ref", ref, "main~1");
      assertEquals((await fetching.fetch()).forward, "no");
      await git(infra, "update-ref", ref, "main");
    }
  });
});

Deno.test("a tag, annotated, light or nested, is followed to its commit", async () => {
  await inFolder(async (folder) => {
    const infra = await makeInfra(folder, 3);
    const commit = await git(infra, "rev-parse", "main~1");
    await git(infra, "tag", "light", commit);
    await git(infra, ...user, "tag", "-m", "One", "annotated", commit);
    await git(infra, ...user, "tag", "-m", "Two", "nested", "annotated");
    for (const ref of ["light", "annotated", "nested"]) {
      for (const name of [ref, `refs/tags/${ref}`]) {
        const fetching = new Fetching(`${folder}/${name}`, {
          repository: infra,
          ref: name,
        });
        const { commit: got, tip } = await fetching.deploy();
        assertEquals([got.revision, tip.revision], [commit, commit], name);
        assertEquals(tip.kind, "tag");
        assertEquals((await fetching.fetch()).forward, "yes");
      }
    }
    await git(infra, "tag", "--force", "light", "main~2");
    const moved = new Fetching(`${folder}/light`, {
      repository: infra,
      ref: "light",
    });
    assertEquals((await moved.fetch()).commit.subject, "Commit 1");
  });
});

Deno.test("from a tag to a branch and back nothing is compared", async () => {
  await inFolder(async (folder) => {
    const infra = await makeInfra(folder, 3);
    await git(infra, "tag", "v1", "main~1");
    const fetching = new Fetching(`${folder}/state`, {
      repository: infra,
      ref: "v1",
    });
    await fetching.deploy();
    const later = await fetching.deploy({ ref: "main" });
    assertEquals([later.forward, later.tip.kind], ["unknown", "branch"]);
    const back = await fetching.deploy({ ref: "v1" });
    assertEquals([back.forward, back.commit.subject], ["unknown", "Commit 2"]);
    // Another name, and then on by that name.
    await fetching.deploy({ ref: "main" });
    await importInto(
      infra,
      chain("refs/heads/main", 4, 5, "refs/heads/main^0"),
    );
    assertEquals((await fetching.fetch({ ref: "main" })).forward, "yes");
    const commit = await git(infra, "rev-parse", "main~3");
    const pinned = await fetching.fetch({ ref: commit });
    assertEquals([pinned.commit.revision, pinned.forward], [commit, "unknown"]);
  });
});

Deno.test("a name that is not UTF-8 is told as such, and never proposed", async () => {
  await inFolder(async (folder) => {
    const infra = await makeInfra(folder, 1);
    const commit = await git(infra, "rev-parse", "main");
    const line = new TextEncoder().encode(`${commit} refs/heads/caf?\n`);
    line[line.indexOf(0x3f)] = 0xe9;
    await Deno.writeFile(`${infra}/packed-refs`, line);
    const { effects } = watched();
    // What comes of such bytes on the command line and in a file.
    const ref = "caf\ufffd";
    const error = await missing(effects, configOf({ repository: infra, ref }));
    assertEquals(error.reason, "ref-missing");
    assertEquals(
      error.message,
      `Cannot follow ${ref}: this name is not valid UTF-8`,
    );
    assertStringIncludes(
      error.hints.join(),
      "Rename the branch or tag to a name in UTF-8",
    );
    const near = await missing(
      effects,
      configOf({ repository: infra, ref: "cafe" }),
    );
    assert(!near.hints.join().includes("\ufffd"), near.hints.join());
  });
});

Deno.test("a default branch of another name does not matter; a missing one is told", async () => {
  await inFolder(async (folder) => {
    const infra = await makeBare(`${folder}/infra.git`);
    await git(infra, "symbolic-ref", "HEAD", "refs/heads/trunk");
    await importInto(infra, chain("refs/heads/trunk", 1, 2));
    const { effects } = watched();
    const error = await missing(effects, configOf({ repository: infra }));
    assertEquals([error.reason, error.exit], ["ref-missing", 3]);
    assertStringIncludes(error.hints.join(), "trunk");
    await importInto(infra, chain("refs/heads/main", 11, 13));
    assertEquals((await tipOf({ repository: infra })).name, "refs/heads/main");
    const trunk = await tipOf({ repository: infra, ref: "trunk" });
    assertEquals(trunk.revision, await git(infra, "rev-parse", "trunk"));
  });
});

Deno.test("a name that is a branch and a tag is refused until it is written in full", async () => {
  await inFolder(async (folder) => {
    const infra = await makeInfra(folder, 2);
    await git(infra, "tag", "main", "main~1");
    const error = await assertRejects(
      () => tipOf({ repository: infra }),
      SyncError,
    ) as SyncError;
    assertEquals([error.reason, error.exit], ["ref-ambiguous", 3]);
    for (
      const [kind, subject] of [["heads", "Commit 2"], ["tags", "Commit 1"]]
    ) {
      const fetching = new Fetching(`${folder}/${kind}`, {
        repository: infra,
        ref: `refs/${kind}/main`,
      });
      assertEquals((await fetching.fetch()).commit.subject, subject);
    }
  });
});

Deno.test("a tag of a file or a folder is no revision", async () => {
  await inFolder(async (folder) => {
    const infra = await makeInfra(folder, 2);
    for (
      const [name, object] of [["file", "main:n"], ["tree", "main^{tree}"]]
    ) {
      await output(["git", "-C", infra, "tag", name!, object!]);
      const fetching = new Fetching(`${folder}/${name}`, {
        repository: infra,
        ref: name!,
      });
      const error = await assertRejects(() => fetching.fetch(), SyncError);
      assertEquals((error as SyncError).reason, "not-a-commit", name);
      assertEquals((error as SyncError).exit, 3);
    }
  });
});

Deno.test("a commit that was fetched before is taken again, whole or alone", async () => {
  await inFolder(async (folder) => {
    const repository = await makeInfra(folder, 3);
    const ref = await git(repository, "rev-parse", "main");
    for (const shallow of [true, false]) {
      const state = `${folder}/state-${shallow}`;
      const fetching = new Fetching(state, { repository, ref, shallow });
      for (let times = 0; times < 2; times++) {
        assertEquals((await fetching.fetch()).commit.revision, ref);
      }
    }
  });
});
