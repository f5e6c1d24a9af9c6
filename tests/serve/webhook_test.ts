import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Endpoint, hmac, pushes, requestOf, secret } from "./hook.ts";

const infra = "git.example.org/me/infra";

for (const [forge, push] of Object.entries(pushes)) {
  Deno.test(`a push of ${forge} to what this host follows wants a run`, async () => {
    await using endpoint = await Endpoint.make();
    const answer = await endpoint.answer(
      await requestOf(push("refs/heads/main")),
    );
    assertEquals([answer.status, await endpoint.takesWish()], [202, true]);
    for (const ref of ["refs/heads/mainly", "refs/tags/v1", "refs/heads/x"]) {
      const answer = await endpoint.answer(await requestOf(push(ref)));
      assertEquals([answer.status, await endpoint.takesWish()], [200, false]);
      assertStringIncludes(await answer.text(), "does not follow");
    }
  });
}

Deno.test("any URL of the repository is the same one", async () => {
  const same = [
    `https://${infra}`,
    `https://${infra}.git/`,
    `https://GIT.example.org:443/me/infra.git`,
    `git@git.example.org:me/infra.git`,
    `git.example.org:me/infra`,
    `ssh://git@git.example.org:2222/me/infra.git`,
    `https://git.example.org/me/%69nfra`,
    // Forges take any case.
    `https://git.example.org/Me/Infra.git`,
  ];
  const others = [
    `https://${infra}2`,
    `https://git.example.org/you/infra`,
    `https://git.example.org.evil.test/me/infra`,
    `https://evil.test/git.example.org/me/infra`,
    `https://evil.test/me/infra`,
    `file:///srv/me/infra`,
  ];
  const push = pushes.github!("refs/heads/main");
  for (const url of [...same, ...others]) {
    await using endpoint = await Endpoint.make(url);
    await endpoint.answer(await requestOf(push));
    assertEquals(await endpoint.takesWish(), same.includes(url), url);
  }
});

Deno.test("a forge's host for ssh on the port of https is the forge", async () => {
  const table = {
    "ssh://git@ssh.github.com:443/me/infra.git": "github.com",
    "ssh://git@altssh.gitlab.com:443/me/infra.git": "gitlab.com",
    "ssh://git@altssh.bitbucket.org:443/me/infra.git": "bitbucket.org",
  };
  for (const [url, host] of Object.entries(table)) {
    await using endpoint = await Endpoint.make(url);
    const push = {
      headers: { "x-github-event": "push" },
      body: {
        ref: "refs/heads/main",
        repository: { clone_url: `https://${host}/me/infra.git` },
      },
    };
    await endpoint.answer(await requestOf(push));
    assert(await endpoint.takesWish(), url);
  }
});

Deno.test("a push in a form, as forges send it unless told otherwise, is heard", async () => {
  await using endpoint = await Endpoint.make();
  const { headers, body } = pushes.github!("refs/heads/main");
  const form = new URLSearchParams({ payload: JSON.stringify(body) });
  const bytes = new TextEncoder().encode(form.toString());
  const request = new Request("http://localhost/webhook", {
    method: "POST",
    headers: {
      ...headers,
      "content-type": "application/x-www-form-urlencoded",
      "x-hub-signature-256": `sha256=${await hmac(secret, bytes)}`,
    },
    body: bytes,
  });
  assertEquals((await endpoint.answer(request)).status, 202);
  assert(await endpoint.takesWish());
});

Deno.test("a tag, a full name and a pattern of tags are followed", async () => {
  const cases: readonly [string, string, boolean][] = [
    ["v1", "refs/tags/v1", true],
    ["refs/tags/v1", "refs/tags/v1", true],
    ["refs/tags/v1", "refs/heads/v1", false],
    ["refs/heads/main", "refs/heads/main", true],
    ["semver:>=1", "refs/tags/v2", true],
    ["tags:v*", "refs/tags/other", true],
    ["semver:>=1", "refs/heads/v2", false],
  ];
  for (const [ref, moved, follows] of cases) {
    await using endpoint = await Endpoint.make(undefined, ref);
    await endpoint.answer(await requestOf(pushes.gitea!(moved)));
    assertEquals(await endpoint.takesWish(), follows, `${ref} ${moved}`);
  }
});

Deno.test("a signed request that is no forge's wants a run", async () => {
  await using endpoint = await Endpoint.make();
  const bytes = new TextEncoder().encode("now");
  const request = new Request("http://localhost/webhook", {
    method: "POST",
    headers: { "x-signature": `sha256=${await hmac(secret, bytes)}` },
    body: bytes,
  });
  assertEquals((await endpoint.answer(request)).status, 202);
  assert(await endpoint.takesWish());
});

Deno.test("a push of Bitbucket's server that names no URL wants a run", async () => {
  await using endpoint = await Endpoint.make();
  // As its documentation has it; what it sends has links in most cases.
  const body = {
    eventKey: "repo:refs_changed",
    date: "2017-09-19T09:45:32+1000",
    actor: { name: "admin", id: 1, active: true, slug: "admin" },
    repository: {
      slug: "infra",
      id: 84,
      name: "infra",
      scmId: "git",
      project: { key: "ME", id: 84, name: "me", type: "NORMAL" },
      public: false,
    },
    changes: [{
      ref: { id: "refs/heads/main", displayId: "main", type: "BRANCH" },
      refId: "refs/heads/main",
      fromHash: "ecddabb624f6f5ba43816f5926e580a5f680a932",
      toHash: "178864a7d521b6f5e720b386b2c2b0ef8563e0dc",
      type: "UPDATE",
    }],
  };
  const answer = async (body: unknown) => {
    const headers = { "x-event-key": "repo:refs_changed" };
    const { status } = await endpoint.answer(
      await requestOf({ headers, body }),
    );
    return [status, await endpoint.takesWish()];
  };
  assertEquals(await answer(body), [202, true]);
  // Where it names one, that counts.
  const links = {
    clone: [
      { href: "ssh://git@git.example.org:7999/me/other.git", name: "ssh" },
      { href: "https://git.example.org/scm/me/other.git", name: "http" },
    ],
    self: [{ href: "https://git.example.org/projects/ME/repos/other/browse" }],
  };
  const repository = { ...body.repository, links };
  assertEquals(await answer({ ...body, repository }), [200, false]);
  for (
    const odd of [
      { ...body, changes: [] },
      { ...body, repository: { slug: "infra" } },
      { ...body, eventKey: "repo:forked" },
    ]
  ) assertEquals(await answer(odd), [400, false]);
});

Deno.test("a repeated delivery wants a run once a minute", async () => {
  await using endpoint = await Endpoint.make();
  const push = pushes.gitlab!("refs/heads/main");
  const deliver = async () => {
    await endpoint.answer(await requestOf(push));
    return await endpoint.takesWish();
  };
  assertEquals(await deliver(), true);
  assertEquals(await deliver(), false);
  endpoint.time += 59_000;
  assertEquals(await deliver(), false);
  endpoint.time += 2_000;
  assertEquals(await deliver(), true);
  // However many others came in between, memory is bounded and none is lost.
  for (let i = 0; i < 1_100; i++) {
    const body = { ...push.body as object, i };
    await endpoint.answer(await requestOf({ ...push, body }));
  }
  assertEquals(await deliver(), true);
});

Deno.test("a push that can't be passed on is heard when it comes again", async () => {
  await using endpoint = await Endpoint.make();
  const push = pushes.gitlab!("refs/heads/main");
  await Deno.mkdir(endpoint.file);
  const failed = await endpoint.answer(await requestOf(push));
  assertEquals(failed.status, 503);
  await Deno.remove(endpoint.file);
  const answer = await endpoint.answer(await requestOf(push));
  assertEquals([answer.status, await endpoint.takesWish()], [202, true]);
});

Deno.test("other events, and what is no push, want no run", async () => {
  await using endpoint = await Endpoint.make();
  const signed = async (headers: Record<string, string>, body: unknown) => {
    const request = await requestOf({ headers, body });
    const answer = await endpoint.answer(request);
    assertEquals(await endpoint.takesWish(), false);
    return answer.status;
  };
  assertEquals(await signed({ "x-github-event": "ping" }, { zen: "…" }), 200);
  assertEquals(await signed({ "x-gitlab-event": "Issue Hook" }, {}), 200);
  const push = { "x-github-event": "push" };
  const odd = [
    null,
    [],
    "push",
    {},
    { ref: 5, repository: { clone_url: `https://${infra}` } },
    { ref: "refs/heads/main" },
    { ref: "refs/heads/main", repository: { clone_url: {} } },
    { ref: "refs/heads/main", repository: "https://git.example.org/me/infra" },
    { push: { changes: [null, 3, { new: { name: {} } }] }, repository: {} },
    JSON.parse('{"__proto__": {"ref": "refs/heads/main"}}'),
  ];
  for (const body of odd) assertEquals(await signed(push, body), 400);
});

Deno.test("nobody without the secret gets in, and none is told", async () => {
  await using endpoint = await Endpoint.make();
  const push = pushes.github!("refs/heads/main");
  const wrong = await requestOf(push, "x".repeat(32));
  const bare = new Request(wrong.url, {
    method: "POST",
    body: JSON.stringify(push.body),
    headers: push.headers,
  });
  for (const request of [wrong, bare]) {
    const answer = await endpoint.answer(request);
    assertEquals([answer.status, await endpoint.takesWish()], [401, false]);
    const said = await answer.text() + endpoint.told.join();
    assert(!said.includes(secret), said);
  }
  // A secret that can't be read lets nobody in.
  endpoint.secrets = () => Promise.reject(new Error("Cannot read it"));
  const answer = await endpoint.answer(await requestOf(push));
  assertEquals([answer.status, await endpoint.takesWish()], [401, false]);
});

Deno.test("other methods and paths are told so", async () => {
  await using endpoint = await Endpoint.make();
  const answer = async (method: string, path: string) =>
    (await endpoint.answer(new Request(`http://localhost${path}`, { method })))
      .status;
  assertEquals(await answer("GET", "/webhook"), 405);
  assertEquals(await answer("DELETE", "/webhook"), 405);
  for (
    const path of ["/", "/webhook/", "/Webhook", "/webhook%00", "//webhook"]
  ) {
    assertEquals(await answer("POST", path), 404, path);
  }
});
