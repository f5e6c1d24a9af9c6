import { assert, assertEquals } from "@std/assert";
import { Desk } from "./desk.ts";
import {
  type Hostile,
  hostileRequests,
  type Known,
  requestOf,
} from "./hostile.ts";

/** Somebody who is signed in, with what others may have of them. */
async function knownOf(desk: Desk): Promise<Known> {
  const oldCookie = await desk.signIn();
  const oldCsrf = await desk.tokenOf({ cookie: oldCookie });
  await desk.post("/logout", { csrf: oldCsrf }, { cookie: oldCookie });
  const other = await desk.signIn("grace");
  const cookie = await desk.signIn();
  return {
    cookie,
    csrf: await desk.tokenOf({ cookie }),
    oldCookie,
    oldCsrf,
    otherCsrf: await desk.tokenOf({ cookie: other }),
  };
}

/** What a request came to; nothing where it came to nothing. */
async function harmOf(desk: Desk, known: Known, hostile: Hostile) {
  // Each is judged by itself, and not by how many came before it.
  desk.time += 6_000;
  const answer = await desk.answer(requestOf(hostile));
  const text = await answer.text();
  const asked = await desk.asked();
  const harms = [
    asked.length > 0 && `asked for ${JSON.stringify(asked)}`,
    answer.headers.has("set-cookie") && "a cookie was set",
    answer.headers.has("access-control-allow-origin") && "others may read it",
    [200, 303].includes(answer.status) &&
    !["GET", "HEAD"].includes(hostile.method ?? "POST") &&
    `the answer is ${answer.status}`,
    answer.status >= 500 && `the answer is ${answer.status}`,
    /<script|correct horse/.test(text) && "the page shows what was sent",
    await desk.tokenOf({ cookie: known.cookie }) !== known.csrf &&
    "a session was ended",
  ];
  return harms.filter((one) => one !== false);
}

Deno.test("200 hostile requests let nobody in, and ask for nothing", async () => {
  await using desk = await Desk.make();
  const known = await knownOf(desk);
  const all = hostileRequests(known);
  assert(all.length >= 200, `${all.length}`);
  const harmed: string[] = [];
  for (const [at, hostile] of all.entries()) {
    const harms = await harmOf(desk, known, hostile);
    harmed.push(...harms.map((harm) => `${at} ${hostile.name}: ${harm}`));
  }
  assertEquals(harmed, []);
  assertEquals(desk.told.filter((one) => one.includes("A bug")), []);
  // The verdict can say no: the same by somebody who may.
  const right: Hostile = {
    name: "right",
    headers: { cookie: known.cookie },
    body: [["csrf", known.csrf], ["action", "sync"]],
  };
  const harms = await harmOf(desk, known, right);
  assertEquals(harms.length, 2, harms.join());
});

Deno.test("behind a proxy, names that are none press nothing", async () => {
  await using desk = await Desk.make({
    header: "X-Remote-User",
    users: ["ada", "grace@example.org"],
  });
  const csrf = await desk.tokenOf({ "x-remote-user": "ada" });
  assert(csrf !== "");
  const names = [
    "",
    "eve",
    "Ada",
    "ada, eve",
    "eve, ada",
    "ada,ada",
    "ada ada",
    "ada;",
    "ada%00",
    '"ada"',
    "<b>ada</b>",
    "ada\u00e9",
    "grace",
    "grace@example.org.evil.example",
    "(null)",
    "-ada",
    "a".repeat(100),
    "__proto__",
  ];
  const spelled = [
    "x_remote_user",
    "x-remote-user2",
    "remote-user",
    "x-remote",
  ];
  const headers = [
    ...names.map((name) => ({ "x-remote-user": name })),
    ...spelled.map((header) => ({ [header]: "ada" })),
    { cookie: "X-Remote-User=ada" },
    {},
  ];
  for (const one of headers) {
    const answer = await desk.post(
      "/press",
      { csrf, action: "sync" },
      one as Record<string, string>,
    );
    assertEquals(answer.status, 401, JSON.stringify(one));
    assertEquals(await desk.asked(), [], JSON.stringify(one));
  }
  const good = { "x-remote-user": "ada" };
  assertEquals(
    (await desk.post("/press", { csrf, action: "sync" }, good)).status,
    303,
  );
});
