/** Repositories and servers that are legal, if unusual. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { inFolder } from "../folder.ts";
import { output } from "../world/program.ts";
import {
  chain,
  Fetching,
  git,
  importInto,
  makeBare,
  makeInfra,
  refusedBy,
  tipOf,
} from "./remote.ts";
import { gitHttp, serve } from "./servers.ts";

Deno.test("a repository is reached by file:// and by its path, however that is written", async () => {
  await inFolder(async (folder) => {
    for (
      const name of ["infra.git", "100%", "%20", "ünï", "a'b\"$(id)", "a;b&c"]
    ) {
      const infra = await makeBare(`${folder}/${name}`);
      await importInto(infra, chain("refs/heads/main", 1, 2));
      const urls = [infra];
      if (!name.includes("%")) urls.push(`file://${infra}`);
      for (const [i, repository] of urls.entries()) {
        const fetching = new Fetching(`${folder}/state ${i} ${name}`, {
          repository,
        });
        assertEquals((await fetching.fetch()).commit.subject, "Commit 2", name);
      }
    }
  });
});

Deno.test("a repository of SHA-256 is fetched, and so is one that changed its hash", async () => {
  await inFolder(async (folder) => {
    const infra = await makeInfra(folder, 2);
    const fetching = new Fetching(`${folder}/state`, { repository: infra });
    await fetching.deploy();
    await Deno.remove(infra, { recursive: true });
    await makeBare(infra, "--object-format=sha256");
    await importInto(infra, chain("refs/heads/main", 1, 3));
    const { commit } = await fetching.fetch();
    assertEquals(commit.revision, await git(infra, "rev-parse", "main"));
    assertEquals(commit.revision.length, 64);
    const fresh = new Fetching(`${folder}/fresh`, { repository: infra });
    await fresh.deploy();
    await importInto(
      infra,
      chain("refs/heads/main", 4, 5, "refs/heads/main^0"),
    );
    assertEquals((await fresh.fetch()).forward, "yes");
  });
});

Deno.test("a branch that moves while it is fetched is taken as it is by then", async () => {
  await inFolder(async (folder) => {
    const infra = await makeInfra(folder, 2);
    const fetching = new Fetching(`${folder}/state`, { repository: infra });
    const tip = await tipOf({ repository: infra });
    await importInto(
      infra,
      chain("refs/heads/main", 3, 4, "refs/heads/main^0"),
    );
    const { commit } = await fetching.fetch({}, tip);
    assertEquals(commit.revision, await git(infra, "rev-parse", "main"));
  });
});

Deno.test("a server that gives something older than it says is not believed", async () => {
  await inFolder(async (folder) => {
    const infra = await makeInfra(folder, 2);
    await output(["cp", "-r", infra, `${folder}/copy.git`]);
    await importInto(
      infra,
      chain("refs/heads/main", 3, 4, "refs/heads/main^0"),
    );
    const works = gitHttp(folder);
    let fetches = false;
    // Questions go to one copy, and what fetches asks for to one that lags.
    await using server = serve(async (request) => {
      const body = await request.bytes();
      const url = request.url.replace("infra", fetches ? "copy" : "infra");
      const { method, headers } = request;
      return works(
        new Request(url, { method, headers, ...(body.length ? { body } : {}) }),
      );
    });
    const repository = `${server.url}/infra.git`;
    const fetching = new Fetching(`${folder}/state`, { repository });
    fetching.before = ({ args }) => fetches = args.includes("fetch");
    const error = await assertRejects(() => fetching.fetch(), SyncError);
    const { reason, exit, next } = error as SyncError;
    assertEquals([reason, exit, next], ["not-current", 3, "retry"]);
    fetching.before = () => {};
    assertEquals((await fetching.fetch()).commit.subject, "Commit 4");
  });
});

Deno.test("a remote that is shallow itself is followed like any other", async () => {
  await inFolder(async (folder) => {
    const infra = await makeInfra(folder, 20);
    const cut = await makeBare(`${folder}/cut.git`);
    const pull = (...depth: string[]) =>
      git(cut, "fetch", "--quiet", ...depth, `file://${infra}`, "+main:main");
    await pull("--depth=5");
    const fetching = new Fetching(`${folder}/state`, { repository: cut });
    assertEquals((await fetching.deploy()).commit.subject, "Commit 20");
    const more = (first: number, last: number) =>
      importInto(
        infra,
        chain("refs/heads/main", first, last, "refs/heads/main^0"),
      );
    await more(21, 24);
    await pull();
    const later = await fetching.deploy();
    assertEquals([later.forward, later.commit.subject], ["yes", "Commit 24"]);
    // Cut off after what is deployed: then nothing says that it moved forward.
    await more(25, 29);
    await pull("--depth=2");
    const beyond = await fetching.fetch();
    assertEquals([beyond.forward, beyond.commit.subject], ["no", "Commit 29"]);
    const whole = new Fetching(`${folder}/whole`, {
      repository: cut,
      shallow: false,
    });
    assertEquals((await whole.deploy()).commit.subject, "Commit 29");
    await more(30, 31);
    await pull();
    assertEquals((await whole.fetch()).forward, "yes");
  });
});

Deno.test("another user's folder is not trusted, and says so", async () => {
  await inFolder(async (folder) => {
    const repository = await makeInfra(folder);
    if (Deno.uid() !== 0) return console.log("not tested: needs root");
    await output(["chown", "-R", "12345", repository]);
    const error = await refusedBy({ repository });
    assertEquals([error.reason, error.exit], ["owner", 3]);
    assertStringIncludes(error.hints.join(), "ssh://");
  });
});
