import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import type { Event } from "../../lib/base/effects.ts";
import { agreement } from "../../lib/report/agreement.ts";
import { readPage } from "../../lib/report/page_facts.ts";
import { statusRows } from "../../lib/report/status_text.ts";
import { html } from "../../lib/serve/html.ts";
import { admitWith } from "../../lib/serve/page/admit.ts";
import { targetOf } from "../../lib/run/decide.ts";
import {
  ago,
  deployment,
  entry,
  holdOn,
  now,
  PageHost,
  revisions,
  someHistory,
} from "./page_host.ts";
import { pages } from "./pages.ts";

/** The tags and the names of their attributes: all but texts and values. */
function structure(page: string): string[] {
  const rest = page.replace(
    /<style>[^]*?<\/style>|<script>[^]*?<\/script>/g,
    "",
  );
  return (rest.match(/<[^>]*>/g) ?? [])
    .map((tag) => tag.replace(/"[^"]*"/g, '""').replace(/\s+/g, " "));
}

const id = "20260302-141812-d07e";

/** A host of which each text that comes from elsewhere is given. */
async function hostWith(text: string): Promise<PageHost> {
  const host = await PageHost.make({
    windows: { deploy: ["Mon-Fri 22:00-04:00"] },
  }, {
    admit: () =>
      Promise.resolve({ actions: html`<button title="${text}">ok</button>` }),
  });
  const { config } = host;
  const named = { ...config, host: text } as typeof config;
  Object.assign(host.config, { host: text });
  const commit = {
    ...deployment(named, revisions.tip, text, ago(9_000_000)),
    author: text,
    signers: [{ kind: "ssh" as const, name: text, key: text }],
  };
  const lines: Event[] = [
    { kind: "start", stage: "build" },
    { kind: "line", stage: "build", text },
    { kind: "message", level: "error", text, details: [text], hints: [text] },
  ];
  host.log(id, lines);
  host.log(someHistory()[1]!.id, lines, {
    result: "failed",
    exit: 6,
    message: text,
  });
  Deno.writeTextFileSync(
    `${host.folder}/attempts/${id}/live.json`,
    JSON.stringify({
      stage: "build",
      text,
      last: text,
      tasks: [{ kind: "build", name: text, ms: 1, note: text }],
    }),
  );
  const last = {
    at: ago(1_000),
    result: "failed" as const,
    exit: 6 as const,
    revision: revisions.tip,
    message: text,
    hints: [text],
    times: 2,
  };
  host.leave({
    lastGood: { ...commit, revision: revisions.good },
    last,
    isolation: text,
    waiting: { ...commit, since: ago(1_000) },
    holds: [{ ...holdOn(named, text), hints: [text], reason: text }],
    rolledBack: {
      by: text,
      reason: text,
      at: ago(5_000),
      system: "/nix/store/x",
    },
    attempt: {
      id,
      command: "sync",
      commit,
      target: targetOf(named),
      startedAt: ago(5_000),
      stage: "build",
      bootId: "1",
    },
  }, {
    isBusy: true,
    busy: { pid: 1, command: text, since: now.getTime() },
    suspension: { since: ago(1_000), until: null, reason: text },
    history: someHistory().map((one) => ({
      ...one,
      subject: text,
      author: text,
      by: text,
      why: text,
      ...one.message ? { message: text, reason: text } : {},
    })),
    tip: {
      revision: revisions.tip,
      kind: "branch",
      name: text,
      servedBy: text,
    },
  }, {
    plan: {
      at: ago(1_000),
      revision: revisions.tip,
      headline: text,
      rows: [{ label: text, text }],
    },
  });
  return host;
}

/** Texts that end what they stand in, in HTML, an attribute or a script. */
const hostile = [
  `</p></pre></span></title><script>alert(1)</script>`,
  `"><img src=x onerror=alert(1)>`,
  `' onmouseover='alert(1)`,
  `<!--`,
  `]]><svg/onload=alert(1)>`,
  `&lt;script&gt;&#60;b>`,
  `\u2028</script><base href=//evil.example>`,
  `javascript:alert(1)`,
  `{{7*7}}\${7*7}<%= 7 %>`,
  `event: part\ndata: {"id":"state","html":"x"}\n\n`,
];

Deno.test("no text from elsewhere becomes HTML, on any page", async () => {
  await using harmless = await hostWith("harmless");
  const paths = ["/", `/attempts/${id}`, `/attempts/${someHistory()[1]!.id}`];
  const expected = await Promise.all(
    paths.map(async (path) =>
      structure(await (await harmless.ask(path)).text())
    ),
  );
  for (const text of hostile) {
    await using host = await hostWith(text);
    for (const [i, path] of paths.entries()) {
      const answer = await host.ask(path);
      assertEquals(answer.status, 200);
      const page = await answer.text();
      assertEquals(structure(page), expected[i], `${path}: ${text}`);
    }
    assertEquals(host.faults, []);
  }
});

Deno.test("nor does it become an event of a stream", async () => {
  for (const text of hostile) {
    await using host = await hostWith(text);
    const names = new Set<string>();
    for await (const { event } of eventsOf(await host.ask("/events"))) {
      names.add(event);
      if (names.size === 2) break;
    }
    assertEquals([...names].sort(), ["head", "part"]);
  }
});

Deno.test("the whole log as text is shown as text", async () => {
  await using host = await hostWith(hostile[0]!);
  const answer = await host.ask(`/attempts/${id}.txt`);
  assertEquals(answer.headers.get("content-type"), "text/plain; charset=utf-8");
  assertEquals(answer.headers.get("x-content-type-options"), "nosniff");
  assertStringIncludes(await answer.text(), "build| </p></pre>");
});

interface Seen {
  event: string;
  data: Record<string, string>;
}

/** The events of an answer, as they come. */
async function* eventsOf(answer: Response): AsyncGenerator<Seen> {
  assertEquals(answer.headers.get("content-type"), "text/event-stream");
  let rest = "";
  const decoder = new TextDecoder();
  // What never comes ends the test, and not the whole suite.
  const limit = AbortSignal.timeout(120_000);
  const body = answer.body!.pipeThrough(new TransformStream(), {
    signal: limit,
  });
  for await (const bytes of body) {
    rest += decoder.decode(bytes, { stream: true });
    const all = rest.split("\n\n");
    rest = all.pop()!;
    for (const one of all) {
      const [, event, data] = /^event: (\w+)\ndata: ([^]*)$/.exec(one) ?? [];
      if (event !== undefined) yield { event, data: JSON.parse(data!) };
    }
  }
}

Deno.test("the page says what status says", async () => {
  for (const [name, make] of Object.entries(pages)) {
    const { host, path } = await make();
    await using _ = host;
    const seen = readPage(host.config, now);
    if (!seen || path !== "/" || name === "long") continue;
    const page = (await (await host.ask("/")).text())
      .replace(/<\/?(?:code|span|b)[^>]*>/g, "").replaceAll("&quot;", '"');
    const facts = {
      ...seen.facts,
      nextRun: { at: new Date(now.getTime() + 240_000) },
    };
    for (const { label, text } of statusRows(facts, agreement(facts))) {
      const words = label === "host" ? text.replace(/^web-1: /, "") : text;
      assertStringIncludes(page, words, `${name}: ${label}`);
    }
  }
});

Deno.test("a page may load nothing but its own style and script", async () => {
  await using host = await PageHost.make();
  host.leaveInSync();
  const answer = await host.ask("/");
  const page = await answer.text();
  const policy = answer.headers.get("content-security-policy")!;
  for (
    const [name, directive] of [["style", "style-src"], [
      "script",
      "script-src",
    ]]
  ) {
    const [, text] = new RegExp(`<${name}>([^]*?)</${name}>`).exec(page)!;
    const bytes = new TextEncoder().encode(text);
    const { createHash } = await import("node:crypto");
    const digest = createHash("sha256").update(bytes).digest("base64");
    assertStringIncludes(policy, `${directive} 'sha256-${digest}'`);
  }
  assertMatch(policy, /^default-src 'none'; /);
  assert(!/unsafe|\*|https?:/.test(policy), policy);
  assert(!/\b(?:style|on\w+)=/.test(structure(page).join("")));
  // Nothing has an address elsewhere.
  const links = [...page.matchAll(/(?:href|src|action)="([^"]*)"/g)]
    .map(([, link]) => link!);
  assert(links.length > 3);
  assertEquals(
    links.filter((link) => !/^\/(?!\/)|^data:image\/svg\+xml,/.test(link)),
    [],
  );
});

Deno.test("what is no page of this host is told so", async () => {
  await using host = await PageHost.make();
  host.leaveInSync();
  await Deno.writeTextFile(`${host.folder}/secret`, "a secret");
  const odd = [
    "/attempts/",
    "/attempts/../secret",
    "/attempts/%2e%2e%2fsecret",
    "/attempts/20260101-000000-aaaa",
    "/attempts/20260101-000000-aaaa.txt",
    "/attempts/20260101-000000-aaaa/events",
    "/attempts/20260302-112000-4b11/../../secret",
    "/attempts/20260302-112000-4b11/head.jsonl",
    "/attempts/20260302-112000-4b11.json",
    "/attempts/20260302-112000-4b11%00.txt",
    "/page/facts.json",
    "/state.json",
    "/events/",
    "//",
  ];
  for (const path of odd) {
    const answer = await host.ask(path);
    assertEquals(answer.status, 404, path);
    assert(!(await answer.text()).includes("a secret"));
  }
  for (const path of ["/", "/events", "/attempts/20260302-112000-4b11"]) {
    for (const method of ["POST", "PUT", "DELETE"]) {
      const answer = await host.ask(path, { method });
      assertEquals(answer.status, 405, `${method} ${path}`);
      await answer.body?.cancel();
    }
  }
  assertEquals(host.faults, []);
});

Deno.test("who may not read is turned away from every address", async () => {
  await using host = await PageHost.make({}, {
    admit: () => Promise.resolve(new Response("no", { status: 401 })),
  });
  host.leaveInSync();
  const known = someHistory()[0]!.id;
  const paths = [
    "/",
    "/events",
    `/attempts/${known}`,
    `/attempts/${known}.txt`,
  ];
  for (const path of [...paths, `/attempts/${known}/events`, "/attempts/x"]) {
    const answer = await host.ask(path);
    assertEquals([answer.status, await answer.text()], [401, "no"], path);
  }
});

Deno.test("a stream sends what differs, and ends with the right to read", async () => {
  let mayRead = true;
  await using host = await PageHost.make({}, {
    now: () => new Date(),
    admit: () =>
      Promise.resolve(mayRead ? {} : new Response("no", { status: 401 })),
  });
  host.leaveInSync();
  const ids: string[] = [];
  let step = 0;
  for await (const { event, data } of eventsOf(await host.ask("/events"))) {
    if (event === "again") {
      step = 3;
      break;
    }
    if (event === "part") ids.push(data.id!);
    if (step === 0 && ids.includes("history")) {
      step = 1;
      host.leave({
        lastGood: deployment(host.config, revisions.old, "Back", ago(0)),
      });
    }
    if (step === 1 && data.html?.includes("out of sync with main")) {
      step = 2;
      mayRead = false;
    }
  }
  assertEquals(step, 3);
  assertEquals(host.faults, []);
});

Deno.test("a log is followed from where the page ends, to its end", async () => {
  const { host } = await pages.run!();
  await using _ = host;
  const page = await (await host.ask(`/attempts/${id}`)).text();
  const [, events] = /data-events="([^"]+)"/.exec(page)!;
  const answer = await host.ask(events!);
  host.log(id, [{ kind: "line", stage: "build", text: "a new line <b>" }]);
  const heard: string[] = [];
  for await (const { event, data } of eventsOf(answer)) {
    if (event === "again") break;
    heard.push(data.html!);
    // The run ends.
    host.leave({
      lastGood: deployment(host.config, revisions.tip, "x", ago(0)),
    });
  }
  assertEquals(heard.length, 1);
  assertStringIncludes(heard[0]!, "a new line &lt;b&gt;");
  assert(!heard[0]!.includes("unpacking"));
});

Deno.test("more clients than there is room for see a page that stands still", async () => {
  await using host = await PageHost.make();
  host.leaveInSync();
  const all = await Promise.all(
    Array.from({ length: 80 }, () => host.ask("/events")),
  );
  const statuses = all.map(({ status }) => status);
  assertEquals(statuses.filter((status) => status === 200).length, 64);
  assertEquals(statuses.filter((status) => status === 503).length, 16);
  for (const { body } of all) await body?.cancel();
  // Who asks for the head alone takes up no place.
  for (let i = 0; i < 80; i++) {
    const { status, body } = await host.ask("/events", { method: "HEAD" });
    assertEquals([status, body], [200, null]);
  }
  const again = await host.ask("/events");
  assertEquals(again.status, 200);
  await again.body?.cancel();
});

Deno.test("a long log is shown in part, and is whole as text", async () => {
  await using host = await PageHost.make();
  const one = entry(ago(60_000), revisions.tip, "Long", [["build", 1]]);
  const many = 9_000;
  host.log(
    one.id,
    Array.from({ length: many }, (_, i) => ({
      kind: "line",
      stage: "build",
      text: `line ${i} of a build`,
    })),
    one,
  );
  host.leave({}, { history: [one] });
  const page = await (await host.ask(`/attempts/${one.id}`)).text();
  assertStringIncludes(page, "line 0 of a build");
  assertStringIncludes(page, `line ${many - 1} of a build`);
  assertMatch(page, /… \d+ more lines/);
  assert(page.length < 500_000, `${page.length}`);
  const text = await (await host.ask(`/attempts/${one.id}.txt`)).text();
  assertEquals(text.match(/line \d+ of a build/g)?.length, many);
});

Deno.test("what another version left is not shown", async () => {
  await using host = await PageHost.make();
  host.leaveInSync();
  const file = `${host.folder}/page/facts.json`;
  const facts = JSON.parse(await Deno.readTextFile(file));
  await Deno.writeTextFile(file, JSON.stringify({ ...facts, program: "0" }));
  const page = await (await host.ask("/")).text();
  assertStringIncludes(page, "nothing is known yet");
  // Nor what is cut off.
  await Deno.truncate(file, 100);
  assertEquals((await host.ask("/")).status, 200);
});

Deno.test("each reader sees their own buttons, in the page and its events", async () => {
  await using host = await PageHost.make({}, {
    admit: admitWith({
      hasLogin: true,
      sessionOf: ({ headers }) => {
        const name = headers.get("x-name");
        const session = name === null
          ? undefined
          : { name, csrf: `of-${name}` };
        return Promise.resolve(session);
      },
    }),
  });
  const secret = "hunter2-is-no-name";
  const subject = `mirror https://me:${secret}@git.example.org \u202e`;
  const { good, old, tip } = revisions;
  const commit = (revision: string) =>
    deployment(host.config, revision, subject, ago(5_000));
  host.leave({
    lastGood: commit(good),
    earlier: [commit(old)],
    waiting: { ...commit(tip), since: ago(5_000) },
  }, { history: someHistory().map((one) => ({ ...one, subject })) });
  const streamed = async (headers: Record<string, string>) => {
    for await (
      const { data } of eventsOf(await host.ask("/events", { headers }))
    ) {
      if (data.id === "actions") return data.html!;
    }
    throw new Error("the stream ended");
  };
  const all = await Promise.all([{}, { "x-name": "ada" }, { "x-name": "grace" }]
    .map(async (headers: Record<string, string>) => {
      const page = await (await host.ask("/", { headers })).text();
      return page + await streamed(headers);
    }));
  const [stranger, ada, grace] = all as [string, string, string];
  assertStringIncludes(stranger, 'href="/login"');
  assert(!/<form|csrf|ada|grace/.test(stranger.replaceAll("Ada Moreno", "")));
  for (
    const [text, own, other] of [[ada, "ada", "grace"], [grace, "grace", "ada"]]
  ) {
    assertEquals(text!.split(`Signed in as ${own}`).length, 3);
    assertStringIncludes(text!, `value="of-${own}"`);
    assert(!text!.includes(`of-${other}`) && !text!.includes(`as ${other}`));
    // What waits and what it goes back to are named as all else is.
    assertStringIncludes(text!, `Approve ${tip.slice(0, 12)}`);
  }
  for (const text of all) assert(!/hunter2|\u202e/.test(text));
  assertEquals(host.faults, []);
});
