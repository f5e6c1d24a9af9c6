import { assertEquals, assertRejects } from "@std/assert";
import { SyncError } from "../../lib/base/errors.ts";
import { askRemote } from "../../lib/git/remote.ts";
import { inFolder } from "../folder.ts";
import { effects } from "../secrets/keys.ts";

const revision = "a".repeat(40);

/** A server that wants a password and keeps which ones it was offered. */
function serve(answer: (request: Request) => Response) {
  const offered: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const header = request.headers.get("authorization");
      if (header) offered.push(atob(header.replace("Basic ", "")));
      return answer(request);
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  return { offered, url, [Symbol.asyncDispose]: () => server.shutdown() };
}

const wanted = () =>
  new Response("", { status: 401, headers: { "www-authenticate": "Basic" } });

/** The list of a repository as a plain file (gitprotocol-http(5)). */
const listed = (request: Request) =>
  request.headers.has("authorization")
    ? new Response(`${revision}\trefs/heads/main\n`)
    : wanted();

const config = (folder: string, repository: string) => ({
  repository,
  ref: "main",
  sshKeyFile: undefined,
  knownHosts: undefined,
  tokenFile: `${folder}/token file`,
  username: "me",
  "timeouts.remote": 30_000,
});

Deno.test("the token reaches the server of the repository", async () => {
  await inFolder(async (folder) => {
    await using server = serve(listed);
    await Deno.writeTextFile(`${folder}/token file`, "hunter2$(id)'\"\n");
    const repository = `${server.url}/infra.git`;
    const { tip } = await askRemote(effects, config(folder, repository));
    assertEquals(tip, {
      revision,
      kind: "branch",
      name: "refs/heads/main",
    });
    assertEquals(new Set(server.offered), new Set(["me:hunter2$(id)'\""]));
  });
});

Deno.test("the token does not follow a redirect to another server", async () => {
  await inFolder(async (folder) => {
    await using other = serve(listed);
    await using server = serve((request) => {
      const { pathname, search } = new URL(request.url);
      return Response.redirect(`${other.url}${pathname}${search}`, 302);
    });
    await Deno.writeTextFile(`${folder}/token file`, "hunter2\n");
    const repository = `${server.url}/infra.git`;
    await assertRejects(
      () => askRemote(effects, config(folder, repository)),
      SyncError,
      "it does not accept this host's credentials",
    );
    assertEquals(other.offered, []);
  });
});
