/** A repository of 10,000 commits and 5,000 files. */
import { assert, assertEquals } from "@std/assert";
import { inFolder } from "../folder.ts";
import { output } from "../world/program.ts";
import {
  chain,
  commitText,
  Fetching,
  git,
  importInto,
  makeBare,
} from "./remote.ts";

const commits = 10_000, files = 5_000;

const main = "refs/heads/main";

/** A line that changes one of the files. */
const touch = (n: number) =>
  `M 100644 inline d${n % 50}/f${n % files}\ndata <<END\n${n}\nEND`;

/** Makes the big repository in a folder; half a second. */
async function makeBig(path: string): Promise<void> {
  const all = Array.from({ length: files }, (_, n) => touch(n)).join("\n");
  let text = commitText(main, 1, { files: all });
  for (let n = 2; n <= commits; n++) {
    text += commitText(main, n, { files: touch(n) });
  }
  await importInto(await makeBare(path), text);
}

/** 300 commits on main; every tenth merges a branch from so far before it. */
function ahead(forkedBefore: number): string {
  let text = "";
  for (let n = commits + 1; n <= commits + 300; n++) {
    const isMerge = n % 10 === 0;
    if (isMerge) {
      const from = `${main}~${forkedBefore}`;
      text += commitText("refs/heads/side", n + 1000, { from });
    }
    text += commitText(main, n, {
      files: touch(n),
      ...(n === commits + 1 ? { from: `${main}^0` } : {}),
      ...(isMerge ? { merge: `:${n + 1000}` } : {}),
    });
  }
  return text;
}

let template: string;

Deno.test.beforeAll(async () => {
  template = await Deno.makeTempDir();
  await makeBig(`${template}/big.git`);
});

Deno.test.afterAll(() => Deno.remove(template, { recursive: true }));

/** A test with a copy of the big repository. */
function test(
  name: string,
  body: (place: { folder: string; big: string }) => Promise<void>,
) {
  Deno.test(name, () =>
    inFolder(async (folder) => {
      const big = `${folder}/big.git`;
      await output(["cp", "-r", `${template}/big.git`, big]);
      await body({ folder, big });
    }));
}

test("one commit and its files are fetched, and no more", async ({ folder, big }) => {
  const fetching = new Fetching(folder, { repository: big });
  const { commit } = await fetching.fetch();
  assertEquals(await fetching.commits(commit.revision), 1);
  const inTree = await git(big, "ls-tree", "-rt", main);
  const objects = new Set(
    inTree.split("\n").map((line) => line.split(/\s/)[2]),
  );
  // Its files and folders, its top folder and itself.
  assertEquals(await fetching.objects(), objects.size + 2);
});

test("the whole history is fetched where that is asked for, also later", async ({ folder, big }) => {
  const whole = new Fetching(`${folder}/whole`, {
    repository: big,
    shallow: false,
  });
  const { commit } = await whole.fetch();
  assertEquals(await whole.commits(commit.revision), commits);
  const later = new Fetching(`${folder}/later`, { repository: big });
  await later.deploy();
  await later.fetch({ shallow: false });
  assertEquals(await later.commits(commit.revision), commits);
  // And a shallow one takes nothing away again.
  await importInto(big, chain(main, 20_001, 20_002, `${main}^0`));
  await later.fetch();
  assertEquals(await later.commits("refs/gitops-sync/candidate"), commits + 2);
});

test("300 commits ahead is forward, and only these are fetched", async ({ folder, big }) => {
  const fetching = new Fetching(folder, { repository: big });
  await fetching.deploy();
  // The branches that were merged began after what is deployed.
  await importInto(big, ahead(0));
  const before = await fetching.objects();
  const { forward, commit } = await fetching.fetch();
  assertEquals(forward, "yes");
  assertEquals(await fetching.commits(commit.revision, "^HEAD"), 330);
  const brought = await fetching.objects() - before;
  // A commit, its top folder, the folder and the file, and a few to unpack by.
  assert(brought <= 5 * 330, String(brought));
});

test("a merged branch that began before what is deployed is seen whole", async ({ folder, big }) => {
  const fetching = new Fetching(folder, { repository: big });
  const base = await fetching.deploy();
  await importInto(big, ahead(500));
  const { forward, commit } = await fetching.fetch();
  assertEquals(forward, "yes");
  const since = [commit.revision, `^${base.commit.revision}`];
  assertEquals(await git(big, "rev-list", "--count", ...since), "330");
  assertEquals(await fetching.commits(...since), 330);
});

test("a rewritten history is told from one that moved on", async ({ folder, big }) => {
  const fetching = new Fetching(folder, { repository: big });
  await fetching.deploy();
  await importInto(big, chain(main, 20_001, 20_300, `${main}~10`));
  assertEquals((await fetching.fetch()).forward, "no");
  // It is the same once more, when all of it is there already.
  assertEquals((await fetching.fetch()).forward, "no");
});

test("a mirror that was lost is made again with what must be compared", async ({ folder, big }) => {
  const fetching = new Fetching(folder, { repository: big });
  const base = await fetching.deploy();
  await importInto(big, ahead(0));
  await Deno.remove(fetching.mirror, { recursive: true });
  const { forward, commit } = await fetching.fetch();
  assertEquals(forward, "yes");
  const since = [commit.revision, `^${base.commit.revision}`];
  assertEquals(await fetching.commits(...since), 330);
});

test("a lost mirror does not hide that the history was rewritten", async ({ folder, big }) => {
  const fetching = new Fetching(folder, { repository: big });
  await fetching.deploy();
  await importInto(big, chain(main, 20_001, 20_003, `${main}~10`));
  // Nobody names the deployed commit any more; the server may drop it.
  for (const isDropped of [false, true]) {
    if (isDropped) await git(big, "gc", "--quiet", "--prune=now");
    await Deno.remove(fetching.mirror, { recursive: true });
    const { forward, commit } = await fetching.fetch();
    assertEquals([forward, commit.subject], ["no", "Commit 20003"]);
  }
});

test("another name is fetched alone, with nothing of the history between", async ({ folder, big }) => {
  const fetching = new Fetching(folder, { repository: big });
  await fetching.deploy();
  await git(big, "branch", "old", `${main}~500`);
  const before = await fetching.objects();
  const { forward, commit } = await fetching.fetch({ ref: "old" });
  assertEquals(forward, "unknown");
  assertEquals(await fetching.commits(commit.revision), 1);
  // 500 changed files, their 50 folders, the top folder and the commit; and a
  // few to unpack them by.
  const brought = await fetching.objects() - before;
  assert(brought <= 700, String(brought));
});

test("what fetches that were cut off have left is no hindrance and goes", async ({ folder, big }) => {
  const fetching = new Fetching(folder, { repository: big });
  await fetching.deploy();
  const git = `${fetching.mirror}/.git`;
  await Deno.writeTextFile(`${git}/objects/pack/tmp_pack_x`, "half a pack");
  await importInto(big, chain(main, 20_001, 20_002, `${main}^0`));
  assertEquals((await fetching.deploy()).forward, "yes");
  const packs = [...Deno.readDirSync(`${git}/objects/pack`)];
  assertEquals(packs.filter(({ name }) => name.startsWith("tmp_")), []);
  assertEquals(fetching.told, []);
  // Killed while it wrote.
  for (const name of ["shallow", "config", "refs/gitops-sync/candidate"]) {
    await Deno.writeTextFile(`${git}/${name}.lock`, "");
  }
  await importInto(big, chain(main, 20_003, 20_004, `${main}^0`));
  const { forward, commit } = await fetching.fetch();
  assertEquals([forward, commit.subject], ["yes", "Commit 20004"]);
  // The mirror is still the same.
  assertEquals(fetching.told, []);
});

test("what many fetches have brought is packed together", async ({ folder, big }) => {
  const fetching = new Fetching(folder, { repository: big });
  await fetching.deploy();
  const packs = `${fetching.mirror}/.git/objects/pack`;
  const count = () =>
    [...Deno.readDirSync(packs)].filter(({ name }) => name.endsWith(".pack"))
      .length;
  const pack = 'cd "$1" && for n in $(seq 48); do echo "$n" | ' +
    "git hash-object -w --stdin | git pack-objects -q objects/pack/pack; done";
  await output(["sh", "-c", pack, "-", `${fetching.mirror}/.git`]);
  assertEquals(count(), 49);
  await importInto(big, chain(main, 20_001, 20_002, `${main}^0`));
  await fetching.deploy();
  assertEquals(count(), 50);
  await importInto(big, chain(main, 20_003, 20_004, `${main}^0`));
  assertEquals((await fetching.deploy()).forward, "yes");
  assert(count() < 10, `${count()} packs`);
});

test("a damaged mirror is made again", async ({ folder, big }) => {
  const fetching = new Fetching(folder, { repository: big });
  await fetching.deploy();
  await importInto(big, ahead(0));
  const packs = `${fetching.mirror}/.git/objects/pack`;
  for (const { name } of Deno.readDirSync(packs)) {
    await Deno.chmod(`${packs}/${name}`, 0o600);
    await Deno.truncate(`${packs}/${name}`, 100);
  }
  const { forward } = await fetching.fetch();
  assertEquals(forward, "yes");
  assertEquals(fetching.told, ["The mirror is damaged; creating a new one"]);
});
