import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { inFolder } from "../folder.ts";
import { Fetching, git, makeInfra, refusedBy, tipOf } from "./remote.ts";
import { gitHttp, type HttpServer, serve, withToken } from "./servers.ts";

const token = "hunter2$(id)`id`'\"%40";

/** What a test of a server with a token works with. */
interface Place {
  folder: string;
  server: HttpServer;
  /** The bare repository's folder. */
  infra: string;
  repository: string;
  /** Writes a token file; gives its path. */
  write(text: string): Promise<string>;
}

/** A test with a server that wants the token. */
function test(name: string, body: (place: Place) => Promise<void>) {
  Deno.test(name, () =>
    inFolder(async (folder) => {
      const infra = await makeInfra(folder, 3);
      await using server = serve(withToken(token, gitHttp(folder)));
      const write = async (text: string) => {
        await Deno.writeTextFile(`${folder}/a token`, text);
        return `${folder}/a token`;
      };
      const repository = `${server.url}/infra.git`;
      await body({ folder, server, infra, repository, write });
    }));
}

test("a token opens the repository, whatever ends its line", async ({ folder, infra, repository, write, server }) => {
  for (const text of [token, `${token}\n`, `${token}\r\n`, `${token}\n\n`]) {
    const tokenFile = await write(text);
    const { revision } = await tipOf({ repository, tokenFile });
    assertEquals(revision, await git(infra, "rev-parse", "main"));
  }
  const tokenFile = await write(token);
  const fetching = new Fetching(folder, { repository, tokenFile });
  assertEquals((await fetching.fetch()).commit.subject, "Commit 3");
  assertEquals(new Set(server.offered), new Set([`git:${token}`]));
});

test("the user name goes with the token", async ({ repository, write, server }) => {
  const tokenFile = await write(token);
  const username = "x access@token";
  await tipOf({ repository, tokenFile, username });
  assertEquals(new Set(server.offered), new Set([`${username}:${token}`]));
});

test("a token is not sent before the server wants one", async ({ folder, write }) => {
  await using open = serve(gitHttp(folder));
  const repository = `${open.url}/infra.git`;
  await tipOf({ repository, tokenFile: await write(token) });
  assertEquals(open.offered, []);
});

test("a token that is refused is named by its file and never shown", async ({ repository, write }) => {
  const tokenFile = await write("expired\n");
  const error = await refusedBy({ repository, tokenFile });
  assertEquals([error.reason, error.exit, error.next], ["denied", 3, "retry"]);
  assertEquals(error.hints, [
    `check that the token in ${tokenFile} may read the repository and has not expired`,
  ]);
  assert(!Deno.inspect(error).includes("expired\n"));
});

test("a token file that holds no token is told, and nothing is sent", async ({ folder, repository, write, server }) => {
  const table: [string, string | undefined, string][] = [
    ["empty", await write(""), "is empty"],
    ["missing", `${folder}/missing`, "does not exist"],
    ["a folder", folder, "can't be read"],
    ["none", undefined, "set tokenFile to its path"],
  ];
  for (const [name, tokenFile, hint] of table) {
    const error = await refusedBy({ repository, tokenFile });
    assertEquals([error.reason, error.exit], ["denied", 3], name);
    assertStringIncludes(error.hints.join(), hint);
    if (tokenFile) assertStringIncludes(error.hints.join(), tokenFile);
  }
  assertEquals(server.offered, []);
});

test("a token file of several lines is told as such and not shown", async ({ repository, write }) => {
  const tokenFile = await write("# my token\nhunter2\n");
  const error = await refusedBy({ repository, tokenFile });
  assertEquals(error.reason, "denied");
  assertStringIncludes(error.hints.join(), "has more than one line");
  assert(!Deno.inspect(error).includes("hunter2"));
});

test("a token stays with its server where that sends on to another", async ({ write, folder }) => {
  await using other = serve(withToken(token, gitHttp(folder)));
  await using first = serve((request) => {
    const { pathname, search } = new URL(request.url);
    return Response.redirect(`${other.url}${pathname}${search}`, 302);
  });
  const tokenFile = await write(token);
  const error = await refusedBy({
    repository: `${first.url}/infra.git`,
    tokenFile,
  });
  assertEquals(error.reason, "denied");
  assertStringIncludes(
    error.hints.join(),
    `redirects to ${other.url},`,
  );
  assertEquals(other.offered, []);
  // What it advises works.
  await tipOf({ repository: `${other.url}/infra.git`, tokenFile });
});

test("a token goes along where its server sends on to another path", async ({ folder, write }) => {
  const works = withToken(token, gitHttp(folder));
  await using server = serve((request) => {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith("/old")) return works(request);
    return Response.redirect(request.url.replace("/old", "/infra"), 301);
  });
  const repository = `${server.url}/old.git`;
  const changes = { repository, tokenFile: await write(token) };
  const { commit } = await new Fetching(folder, changes).fetch();
  assertEquals(commit.subject, "Commit 3");
});

test("an open repository is found where its server sends to", async ({ folder }) => {
  await using other = serve(gitHttp(folder));
  await using first = serve((request) => {
    const { pathname, search } = new URL(request.url);
    return Response.redirect(`${other.url}${pathname}${search}`, 301);
  });
  const repository = `${first.url}/infra.git`;
  const { commit } = await new Fetching(folder, { repository }).fetch();
  assertEquals(commit.subject, "Commit 3");
});
