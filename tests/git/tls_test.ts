/** What the environment says: whom to trust, and by which way to go. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { inFolder } from "../folder.ts";
import { startProxy } from "./proxy.ts";
import { Fetching, makeInfra, refusedBy, tipOf } from "./remote.ts";
import { type Authority, freePort, gitHttp, makeAuthority } from "./servers.ts";
import { serve, withToken } from "./servers.ts";

const variables = [
  "GIT_SSL_CAINFO",
  "NIX_SSL_CERT_FILE",
  "SSL_CERT_FILE",
  ...["http_proxy", "https_proxy", "all_proxy", "no_proxy"].flatMap((name) => [
    name,
    name.toUpperCase(),
  ]),
];

/** Runs `work` where the environment says this of authorities and proxies. */
async function where(
  environment: Record<string, string>,
  work: () => Promise<void>,
): Promise<void> {
  const before = variables.map((name) => [name, Deno.env.get(name)] as const);
  for (const name of variables) Deno.env.delete(name);
  for (const [name, value] of Object.entries(environment)) {
    Deno.env.set(name, value);
  }
  try {
    await work();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}

/** A test with a repository, a private authority, and a token. */
function test(
  name: string,
  body: (
    place: { folder: string; authority: Authority; tokenFile: string },
  ) => Promise<void>,
) {
  Deno.test(name, () =>
    inFolder(async (folder) => {
      await makeInfra(folder, 3);
      const authority = await makeAuthority(folder);
      const tokenFile = `${folder}/token`;
      await Deno.writeTextFile(tokenFile, "hunter2\n");
      await body({ folder, authority, tokenFile });
    }));
}

test("a private authority is trusted where the environment names it", async ({ folder, authority, tokenFile }) => {
  await using server = serve(withToken("hunter2", gitHttp(folder)), authority);
  const repository = `${server.url}/infra.git`;
  for (const name of ["GIT_SSL_CAINFO", "NIX_SSL_CERT_FILE", "SSL_CERT_FILE"]) {
    await where({ [name]: authority.file }, async () => {
      const { commit } = await new Fetching(`${folder}/${name}`, {
        repository,
        tokenFile,
      }).fetch();
      assertEquals(commit.subject, "Commit 3", name);
    });
  }
  assertEquals(new Set(server.offered), new Set(["git:hunter2"]));
});

test("a server that is not trusted gets no token", async ({ folder, authority, tokenFile }) => {
  await using server = serve(withToken("hunter2", gitHttp(folder)), authority);
  const repository = `${server.url}/infra.git`;
  const elsewhere = `https://localhost:${new URL(server.url).port}/infra.git`;
  const table: [Record<string, string>, string, string][] = [
    [{}, repository, "GIT_SSL_CAINFO"],
    [{ GIT_SSL_CAINFO: `${folder}/none` }, repository, `${folder}/none`],
    [{ NIX_SSL_CERT_FILE: `${folder}/none` }, repository, `${folder}/none`],
    // The certificate is of another name.
    [{ GIT_SSL_CAINFO: authority.file }, elsewhere, "GIT_SSL_CAINFO"],
  ];
  for (const [environment, repository, hint] of table) {
    await where(environment, async () => {
      const error = await refusedBy({ repository, tokenFile });
      const told = error.details.join();
      assertEquals([error.reason, error.exit], ["certificate", 3], told);
      assertStringIncludes(error.hints.join(), hint);
    });
  }
  assertEquals(server.requests, []);
});

test("HTTP in place of HTTPS, and the other way, is told", async ({ folder, authority }) => {
  await using plain = serve(gitHttp(folder));
  await using secure = serve(gitHttp(folder), authority);
  await where({}, async () => {
    for (
      const url of [
        plain.url.replace("http:", "https:"),
        secure.url.replace("https:", "http:"),
      ]
    ) {
      const error = await refusedBy({ repository: `${url}/infra.git` });
      assertEquals([error.reason, error.exit], ["not-git", 3], url);
      assertStringIncludes(error.hints.join(), "https:// or http://");
    }
  });
});

test("a proxy is used where the environment names it, and no_proxy obeyed", async ({ folder, authority, tokenFile }) => {
  await using plain = serve(withToken("hunter2", gitHttp(folder)));
  await using secure = serve(withToken("hunter2", gitHttp(folder)), authority);
  const { host } = new URL(secure.url);
  for (
    const [server, method] of [[plain, "GET"], [secure, "CONNECT"]] as const
  ) {
    await using proxy = startProxy();
    const environment = {
      GIT_SSL_CAINFO: authority.file,
      http_proxy: proxy.url,
      https_proxy: proxy.url,
    };
    const changes = { repository: `${server.url}/infra.git`, tokenFile };
    await where(environment, async () => {
      const fetching = new Fetching(`${folder}/${method}`, changes);
      assertEquals((await fetching.fetch()).commit.subject, "Commit 3");
    });
    assert(proxy.asked.some((one) => one.startsWith(method)), method);
    if (server === secure) {
      assertEquals(new Set(proxy.asked), new Set([`CONNECT ${host}`]));
    }
    const before = proxy.asked.length;
    await where(
      { ...environment, no_proxy: "127.0.0.1" },
      () => tipOf(changes).then(() => {}),
    );
    assertEquals(proxy.asked.length, before);
  }
});

test("a proxy that refuses, or is not there, is told as such", async ({ folder, authority, tokenFile }) => {
  await using plain = serve(gitHttp(folder));
  await using secure = serve(gitHttp(folder), authority);
  for (const server of [plain, secure]) {
    const table: [string | undefined, string, string][] = [
      ["407 Proxy Authentication Required", "proxy", "http_proxy"],
      ["502 Bad Gateway", "unreachable", "proxy"],
      [undefined, "unreachable", "proxy"],
    ];
    for (const [refuse, reason, hint] of table) {
      await using proxy = startProxy(refuse);
      const url = refuse ? proxy.url : `http://127.0.0.1:${freePort()}`;
      const environment = {
        GIT_SSL_CAINFO: authority.file,
        http_proxy: url,
        https_proxy: url,
      };
      await where(environment, async () => {
        const repository = `${server.url}/infra.git`;
        const error = await refusedBy({ repository, tokenFile });
        const told = `${server.url} ${refuse}: ${error.details.join()}`;
        assertEquals([error.reason, error.exit], [reason, 3], told);
        assertStringIncludes(error.hints.join(), hint);
      });
    }
  }
  assertEquals([...plain.requests, ...secure.requests], []);
});
