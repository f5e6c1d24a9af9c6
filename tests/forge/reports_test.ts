import { assertEquals, assertMatch } from "@std/assert";
import type { Forge } from "../../lib/forge/headers.ts";
import { isOfStars as isOf } from "../../lib/base/pattern.ts";
import { judge } from "../../lib/forge/judge.ts";
import { type Report, reportsOf } from "../../lib/forge/reports.ts";
import { unkindAnswers } from "../gates/unkind.ts";
import { Receiver } from "../notify/receiver.ts";

const revision = "0123456789abcdef0123456789abcdef01234567";
const forges: readonly Forge[] = ["github", "gitlab", "gitea", "forgejo"];

type Entry = Record<string, unknown>;

/** A forge with these statuses and check runs, as its documentation says. */
function forgeOf(
  forge: Forge,
  statuses: Entry[],
  runs: Entry[] = [],
  token = "t0ken",
) {
  const project = forge === "gitlab" ? "team%2Fsub%2Finfra" : "team/sub/infra";
  const commits = `/api/repos/${project}/commits/${revision}`;
  return ({ path, headers }: Receiver["got"][0]): Response => {
    const url = new URL(path, "http://forge");
    const page = (all: Entry[], most: number) => {
      const { searchParams: query } = url;
      const size = Number(query.get("per_page") ?? query.get("limit"));
      if (!(size > 0 && size <= 100)) throw new Error(`${path}: size`);
      const at = Number(query.get("page"));
      // Administrators make pages of Gitea shorter.
      const own = Math.min(size, most);
      return all.slice((at - 1) * own, at * own);
    };
    const given = forge === "gitlab"
      ? headers.get("PRIVATE-TOKEN")
      : headers.get("Authorization")?.replace(/^(Bearer|token) /, "");
    if (given !== token) return new Response("{}", { status: 401 });
    switch (`${forge === "forgejo" ? "gitea" : forge} ${url.pathname}`) {
      case `github ${commits}/status`:
        return Response.json({
          state: "pending",
          sha: revision,
          total_count: statuses.length,
          statuses: page(statuses, 100),
        });
      case `github ${commits}/check-runs`:
        assertEquals(url.searchParams.get("filter"), "latest");
        return Response.json({
          total_count: runs.length,
          check_runs: page(runs, 100),
        });
      case `gitea ${commits}/status`: {
        const own = page(statuses, 10);
        // Of nothing, and of the page alone.
        return Response.json({
          state: "",
          sha: "",
          total_count: own.length,
          statuses: own.length === 0 ? null : own,
        });
      }
      case `gitlab /api/projects/${project}/repository/commits/${revision}/statuses`:
        return Response.json(page(statuses, 100));
      default:
        return new Response("{}", { status: 404 });
    }
  };
}

/** A status in the words of a forge. */
function status(forge: Forge, name: string, state: string, id: number): Entry {
  switch (forge) {
    case "github":
      return { context: name, state, id, description: null };
    case "gitlab":
      return {
        name,
        status: state === "failure" ? "failed" : state,
        id,
        sha: revision,
      };
    default:
      return { context: name, status: state, id };
  }
}

async function ask(
  forge: Forge,
  receiver: Receiver,
  { token = "t0ken", signal = AbortSignal.timeout(120_000) } = {},
) {
  return await reportsOf(
    forge,
    { api: `${receiver.url}/api`, project: "team/sub/infra" },
    revision,
    { token, ca: undefined, signal, now: new Date() },
  );
}

Deno.test("each forge's reports are read, page by page, and the newest counts", async () => {
  for (const forge of forges) {
    await using receiver = new Receiver();
    const all = Array.from(
      { length: 205 },
      (_, i) => status(forge, `ci/${i}`, "success", 10 + i),
    );
    // Two of one name, the newer one first and last.
    all.unshift(status(forge, "ci/a", "success", 900));
    all.push(
      status(forge, "ci/a", "failure", 3),
      status(forge, "ci/b", "failure", 5),
      status(forge, "ci/b", "success", 901),
      status(forge, "ci/c", "success", 6),
      status(forge, "ci/c", "pending", 902),
    );
    receiver.answer = forgeOf(forge, all);
    const { reports, why } = await ask(forge, receiver) as {
      reports: Report[];
      why?: string;
    };
    assertEquals(why, undefined, forge);
    assertEquals(reports.length, 208, forge);
    const stateOf = (name: string) =>
      reports.filter((one) => one.name === name).map(({ state }) => state);
    assertEquals(stateOf("ci/a"), ["success"], forge);
    assertEquals(stateOf("ci/b"), ["success"], forge);
    assertEquals(stateOf("ci/c"), ["other"], forge);
    assertEquals(stateOf("ci/204"), ["success"], forge);
  }
});

Deno.test("check runs count as statuses do, by check suite", async () => {
  await using receiver = new Receiver();
  const run = (name: string, id: number, suite: number, more: Entry) => ({
    id,
    name,
    head_sha: revision,
    status: "completed",
    conclusion: "success",
    app: { id: 15368 },
    check_suite: { id: suite },
    ...more,
  });
  receiver.answer = forgeOf("github", [], [
    run("build", 1, 1, { conclusion: "failure" }),
    run("build", 2, 1, {}),
    // A job of the same name in another workflow.
    run("test", 3, 1, {}),
    run("test", 4, 2, { conclusion: "timed_out" }),
    run("lint", 5, 1, { status: "in_progress", conclusion: null }),
    run("docs", 6, 1, { conclusion: "skipped" }),
    run("odd", 7, 1, { status: "queued", conclusion: "success" }),
    run("new", 8, 1, { conclusion: "a word of next year" }),
  ]);
  const found = await ask("github", receiver) as { reports: Report[] };
  const table: [pattern: string, isOpen: boolean, says: RegExp][] = [
    ["build", true, /^1 check passed$/],
    ["test", false, /test is timed_out/],
    ["lint", false, /lint is in_progress/],
    ["docs", false, /no report matches docs/],
    ["odd", false, /odd is queued/],
    ["new", false, /new is a word of next year/],
    ["b*", true, /1 check/],
    ["*", false, /, and 1 more$/],
    ["Build", false, /no report matches/],
  ];
  for (const [pattern, isOpen, says] of table) {
    const judged = judge(pattern, found.reports, "gitops-sync/web");
    assertEquals(judged.isOpen, isOpen, pattern);
    assertMatch(judged.why, says);
  }
});

Deno.test("a host does not wait for its own status", () => {
  const of = (name: string, state: Report["state"]): Report => ({
    name,
    state,
    said: state,
  });
  const reports = [
    of("gitops-sync/web", "other"),
    of("gitops-sync/canary", "success"),
  ];
  assertEquals(judge("gitops-sync/*", reports, "gitops-sync/web").isOpen, true);
  assertEquals(
    judge("gitops-sync/w*", reports, "gitops-sync/web").isOpen,
    false,
  );
  assertEquals(judge("gitops-sync/*", reports, "gitops-sync/a").isOpen, false);
});

Deno.test("what a forge does not say as documented is known by nobody", async () => {
  for (const forge of forges) {
    await using receiver = new Receiver();
    const right = status(forge, "ci/a", "success", 1);
    const good = JSON.stringify(
      forge === "gitlab" ? [right] : { statuses: [right], check_runs: [] },
    );
    for (const [what, [answer, says]] of Object.entries(unkindAnswers(good))) {
      receiver.answer = answer;
      const found = await ask(forge, receiver);
      assertMatch(found.why ?? "open", says, `${forge}: ${what}`);
      if (what === "429") {
        assertEquals((found as { after?: number }).after, 600_000);
      }
    }
    const bent: [Entry, RegExp][] = [
      [{ ...right, context: undefined, name: 7 }, /documented format/],
      [{ ...right, state: 1, status: null }, /documented format/],
      // Which of two is newer can't be told.
      [{ ...right, id: "2", description: "b" }, /documented format/],
    ];
    for (const [entry, says] of bent) {
      receiver.answer = forgeOf(forge, [right, entry]);
      assertMatch((await ask(forge, receiver)).why ?? "open", says, forge);
    }
    receiver.answer = forgeOf(forge, [right]);
    const refused = await ask(forge, receiver, { token: "other" });
    assertMatch(refused.why ?? "open", /status 401/);
    const { reports } = await ask(forge, receiver) as { reports: Report[] };
    assertEquals(reports.length, 1);
  }
});

Deno.test("a forge that is slow, repeats itself, or never ends is no answer", async () => {
  await using receiver = new Receiver();
  const letGo = Promise.withResolvers<Response>();
  receiver.answer = () => letGo.promise;
  const slow = await ask("gitea", receiver, {
    signal: AbortSignal.timeout(50),
  });
  assertEquals(slow.why, "it did not answer: no answer in time");
  letGo.resolve(new Response("{}"));
  let id = 0;
  const fresh = (many: number) =>
    Array.from({ length: many }, () => ({
      ...status("gitea", `ci/${id++}`, "success", id),
      name: `ci/${id}`,
      status: "success",
      state: "success",
    }));
  // A page after the other, with no end.
  receiver.answer = () =>
    Response.json({ statuses: fresh(100), check_runs: [] });
  for (const forge of ["github", "gitea"] as const) {
    assertMatch((await ask(forge, receiver)).why ?? "open", /more than 50/);
  }
  // The number of the page is ignored.
  const same = fresh(100);
  receiver.answer = () =>
    Response.json({ statuses: same, check_runs: [], total_count: 1000 });
  for (const forge of ["github", "gitea"] as const) {
    const { reports } = await ask(forge, receiver) as { reports: Report[] };
    assertEquals(reports.length, 100);
  }
  // Of another commit: a cache in between, say.
  receiver.answer = () =>
    Response.json({ sha: "f".repeat(40), statuses: [], check_runs: [] });
  assertMatch(
    (await ask("github", receiver)).why ?? "open",
    /documented format/,
  );
  receiver.answer = () =>
    Response.json([{
      ...status("gitlab", "ci", "success", 1),
      sha: "f".repeat(40),
    }]);
  assertMatch((await ask("gitlab", receiver)).why ?? "open", /another commit/);
});

Deno.test("a star stands for any characters, and nothing else is special", () => {
  const table: [pattern: string, name: string, expected: boolean][] = [
    ["ci/*", "ci/build", true],
    ["ci/*", "ci/", true],
    ["ci/*", "cix", false],
    ["*", "anything at all", true],
    ["a*b*c", "a-b-c", true],
    ["a*b*c", "abc", true],
    ["a*b*c", "acb", false],
    ["a*a", "a", false],
    ["*x*x*", "x", false],
    ["build (*)", "build (x86)", true],
    ["c.", "ci", false],
    ["ci", "ci", true],
    ["ci", "ci2", false],
    [`${"*a".repeat(50)}b`, "a".repeat(255), false],
  ];
  for (const [pattern, name, expected] of table) {
    assertEquals(isOf(pattern, name), expected, `${pattern} ${name}`);
  }
});
