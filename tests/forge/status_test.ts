import { assert, assertEquals } from "@std/assert";
import { placeOf } from "../../lib/forge/place.ts";
import { requestOf, toForge } from "../../lib/forge/status.ts";
import { Receiver } from "../notify/receiver.ts";
import { load } from "../config/load.ts";

const revision = "0123456789abcdef0123456789abcdef01234567";

Deno.test("the place of a project is that of the repository", async () => {
  const table: [
    forge: string,
    repository: string,
    api?: string,
    project?: string,
  ][] = [
    [
      "github",
      "https://github.com/me/infra.git",
      "https://api.github.com",
      "me/infra",
    ],
    [
      "github",
      "git@github.com:me/infra.git",
      "https://api.github.com",
      "me/infra",
    ],
    [
      "github",
      "ssh://git@github.com/me/infra",
      "https://api.github.com",
      "me/infra",
    ],
    [
      "github",
      "ssh://git@ssh.github.com:443/me/infra.git",
      "https://api.github.com",
      "me/infra",
    ],
    [
      "gitlab",
      "ssh://git@altssh.gitlab.com:443/me/infra.git",
      "https://gitlab.com/api/v4",
      "me/infra",
    ],
    [
      "github",
      "https://ghe.example.org/me/infra",
      "https://ghe.example.org/api/v3",
      "me/infra",
    ],
    [
      "gitlab",
      "https://gitlab.com/a/b/c/infra.git/",
      "https://gitlab.com/api/v4",
      "a/b/c/infra",
    ],
    [
      "gitlab",
      "https://git.example.org:8443/a/infra",
      "https://git.example.org:8443/api/v4",
      "a/infra",
    ],
    [
      "gitea",
      "ssh://git@git.example.org:2222/me/infra.git",
      "https://git.example.org/api/v1",
      "me/infra",
    ],
    ["forgejo", "forge:me/infra", "https://forge/api/v1", "me/infra"],
    [
      "forgejo",
      "https://codeberg.org/me/in%20fra",
      "https://codeberg.org/api/v1",
      "me/in fra",
    ],
    [
      "gitea",
      "https://git.example.org/50%/x",
      "https://git.example.org/api/v1",
      "50%/x",
    ],
    ["gitea", "/srv/infra"],
    ["none", "https://github.com/me/infra.git"],
  ];
  for (const [forge, repository, api, project] of table) {
    const config = await load(
      `repository: "${repository}"\ncommitStatus: {forge: ${forge}}`,
    );
    const expected = api === undefined ? undefined : { api, project };
    assertEquals(placeOf(config) as unknown, expected, repository);
  }
});

/** A forge as its documentation says, strict about all that it says. */
function strict(forge: string, token: string) {
  const states: Record<string, string[]> = {
    github: ["error", "failure", "pending", "success"],
    gitea: ["pending", "success", "error", "failure", "warning"],
    forgejo: ["pending", "success", "error", "failure", "warning"],
    gitlab: ["pending", "running", "success", "failed", "canceled"],
  };
  return ({ method, path, headers, text }: Receiver["got"][0]): Response => {
    const wrong = (status: number) => new Response("{}", { status });
    const isGitLab = forge === "gitlab";
    const authorization = isGitLab
      ? headers.get("PRIVATE-TOKEN")
      : headers.get("Authorization");
    const expected = isGitLab
      ? token
      : `${forge === "github" ? "Bearer" : "token"} ${token}`;
    if (authorization !== expected) return wrong(401);
    // GitHub refuses who does not say who it is.
    if (!headers.get("User-Agent")) return wrong(403);
    const place = isGitLab
      ? `/api/projects/team%2Finfra/statuses/${revision}`
      : `/api/repos/team/infra/statuses/${revision}`;
    if (method !== "POST" || path !== place) return wrong(404);
    const body = JSON.parse(text);
    if (!states[forge]!.includes(body.state)) return wrong(422);
    if (!(isGitLab ? body.name : body.context)) return wrong(422);
    if (forge === "github" && body.description.length > 140) return wrong(422);
    return new Response("{}", { status: 201 });
  };
}

Deno.test("each forge takes each state, with its own words and token", async () => {
  for (const forge of ["github", "gitlab", "gitea", "forgejo"]) {
    await using receiver = new Receiver();
    receiver.answer = strict(forge, "t0ken");
    const config = await load(
      `repository: /srv/infra\nhost: web-1\ncommitStatus: {forge: ${forge}, url: "${receiver.url}/api/", project: team/infra}`,
    );
    for (const state of ["pending", "success", "failure"] as const) {
      const sent = await toForge(
        config,
        {
          revision,
          state,
          description: `${"a long text ".repeat(30)}\nof two lines`,
          link: "https://git.example.org/x",
        },
        { token: "t0ken" },
        new Date(),
      );
      assertEquals(sent, { result: "done" }, `${forge} ${state}`);
    }
    const [first] = receiver.bodies;
    assertEquals(first.context ?? first.name, "gitops-sync/web-1");
    assertEquals(first.target_url, "https://git.example.org/x");
    // A token that is refused may be renewed by tomorrow.
    const sent = await toForge(
      config,
      { revision, state: "success", description: "" },
      { token: "other" },
      new Date(),
    );
    assertEquals(sent.result, "later");
    assert(!JSON.stringify(sent).includes("other"), JSON.stringify(sent));
  }
});

Deno.test("GitLab's word that a status is there already is no failure", async () => {
  await using receiver = new Receiver();
  const there =
    '{"message":"Cannot transition status via :enqueue from :pending"}';
  const letGo = Promise.withResolvers<void>();
  const endless = () =>
    new ReadableStream({
      async pull(controller) {
        controller.enqueue(new Uint8Array(64 * 1024));
        await new Promise((resolve) => setTimeout(resolve, 1));
      },
      cancel: () => letGo.resolve(),
    });
  const table: [forge: string, BodyInit | (() => BodyInit), result: string][] =
    [
      ["gitlab", there, "done"],
      ["gitea", there, "refused"],
      ["gitlab", '{"message":"Pipeline is locked"}', "refused"],
      ["gitlab", '{"message":{"target_url":["is blocked"]}}', "refused"],
      ["gitlab", "", "refused"],
      ["gitlab", new Uint8Array([0xff, 0xfe, 0]), "refused"],
      ["gitlab", endless, "refused"],
    ];
  for (const [forge, body, result] of table) {
    receiver.answer = () =>
      new Response(typeof body === "function" ? body() : body, {
        status: 400,
      });
    const config = await load(
      `repository: /srv/infra\ncommitStatus: {forge: ${forge}, url: "${receiver.url}", project: a/b}`,
    );
    const sent = await toForge(
      config,
      { revision, state: "pending", description: "" },
      { token: "t" },
      new Date(),
    );
    assertEquals(sent.result, result, `${forge} ${body}`);
  }
  // No more than the beginning of an answer is read.
  await letGo.promise;
});

Deno.test("limits of rate are told apart from refusals", async () => {
  await using receiver = new Receiver();
  const config = await load(
    `repository: /srv/infra\ncommitStatus: {forge: github, url: "${receiver.url}", project: a/b}`,
  );
  const now = new Date("2026-11-26T22:00:00Z");
  const at = (ms: number) => String((now.getTime() + ms) / 1000);
  const table: [number, Record<string, string>, after?: number][] = [
    [403, { "Retry-After": "60" }, 60_000],
    [429, { "Retry-After": "Thu, 26 Nov 2026 22:05:00 GMT" }, 300_000],
    [
      403,
      { "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": at(900_000) },
      900_000,
    ],
    [
      429,
      { "RateLimit-Remaining": "0", "RateLimit-Reset": at(30_000) },
      30_000,
    ],
    // Seconds from now, as drafts of the IETF have it.
    [429, { "RateLimit-Remaining": "0", "RateLimit-Reset": "30" }, 30_000],
    [403, { "X-RateLimit-Remaining": "12", "X-RateLimit-Reset": at(900_000) }],
    [403, {}],
    [429, { "Retry-After": "soon" }],
  ];
  for (const [status, headers, after] of table) {
    receiver.answer = () => new Response("", { status, headers });
    const sent = await toForge(
      config,
      { revision, state: "success", description: "" },
      { token: "t" },
      now,
    );
    assertEquals(sent.result, "later");
    assertEquals("after" in sent ? sent.after : undefined, after, `${after}`);
  }
});

Deno.test("nothing of a status leads out of the project's place", async () => {
  const config = await load(
    `repository: /srv/infra\ncommitStatus: {forge: gitea, url: "https://a/api/v1", project: "a/../../admin?x#y"}`,
  );
  const request = requestOf(
    config,
    { revision, state: "success", description: "" },
    "t",
  )!;
  const { pathname, search, hash } = new URL(request.url);
  assertEquals([search, hash], ["", ""]);
  assert(pathname.endsWith(`/statuses/${revision}`), pathname);
});
