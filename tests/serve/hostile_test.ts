import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { listen } from "../../lib/serve/server.ts";
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

Deno.test("two requests in one, and other odd ones on the wire, press nothing", async () => {
  await using desk = await Desk.make();
  const { cookie, csrf } = await knownOf(desk);
  const server = await listen(
    "127.0.0.1:0",
    (request) => desk.answer(request),
    () => {},
  );
  const { port } = server.addr as Deno.NetAddr;
  const form = `csrf=${csrf}&action=sync`;
  const length = `Content-Length: ${form.length}\r\n`;
  const type = "Content-Type: application/x-www-form-urlencoded\r\n";
  const from = "Origin: https://web-1.example.org\r\n";
  const start = "POST /press HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
  const own = `Cookie: ${cookie}\r\n`;
  const chunked = "Transfer-Encoding: chunked\r\n";
  // A whole press by somebody who has the token and not the cookie.
  const inner = `${start}${from}${type}${length}\r\n${form}`;
  const chunk = `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`;
  const right = `${start}${from}${type}${own}`;
  const odd = [
    `${right}${length}${chunked}\r\n0\r\n\r\n${inner}`,
    `${right}${chunked}${length}\r\n0\r\n\r\n${inner}`,
    `${right}Transfer-Encoding : chunked\r\n${length}\r\n0\r\n\r\n${form}`,
    `${right}Transfer-Encoding: xchunked\r\n\r\n${form}`,
    `${right}${chunked}Transfer-Encoding: identity\r\n\r\n${chunk}`,
    `${right}Content-Length: 0\r\n${length}\r\n${form}`,
    `${right}Content-Length: +${form.length}\r\n\r\n${form}`,
    `${right}Content-Length: ${form.length}, ${form.length + 1}\r\n\r\n${form}`,
    `${right}Content-Length: 0\r\n\r\n${inner}`,
    `${right}\r\n${form}`,
    `GET /login HTTP/1.1\r\nHost: x\r\n\r\n${inner}`,
    `GET /login HTTP/1.1\r\nHost: x\r\n${chunked}\r\n${chunk}`,
    `HEAD /login HTTP/1.1\r\nHost: x\r\n${length}\r\n${inner}`,
    `${start}${from}${type}Cookie: x=y\r\n ${cookie}\r\n${length}\r\n${form}`,
    `${start}${from}${type}Cookie: a\0; ${cookie}\r\n${length}\r\n${form}`,
    `${start}${from}${type}${own}${own}${length}\r\n${form}`,
    `${start}Origin: https://evil.example\r\n${from}${type}${own}${length}\r\n${form}`,
    `${start}${from}Origin: https://evil.example\r\n${type}${own}${length}\r\n${form}`,
    `${right}Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n${length}\r\n${form}`,
    `${right}${length}X: a\rSec: b\r\n\r\n${form}`.replace(
      "Origin",
      "Or\0igin",
    ),
    `POST /press\0 HTTP/1.1\r\n${
      right.slice(right.indexOf("Host"))
    }${length}\r\n${form}`,
    `POST http://x/../login HTTP/1.1\r\n${
      right.slice(right.indexOf("Host"))
    }${length}\r\n${form}`,
    `${right.replace("HTTP/1.1", "HTTP/0.9")}${length}\r\n${form}`,
    `${right}${length}\r\n${form.slice(0, -1)}`,
    `${right}X-Big: ${"a".repeat(500_000)}\r\n${length}\r\n${form}`,
  ];
  try {
    for (const [at, request] of odd.entries()) {
      await send(port, request);
      assertEquals(await desk.asked(), [], `${at}: ${request.slice(0, 300)}`);
    }
    const good = `${right}${length}\r\n${form}`;
    assertStringIncludes(await send(port, good), "HTTP/1.1 303 ");
    assertEquals((await desk.asked()).length, 1);
  } finally {
    await server.shutdown();
  }
  assertEquals(desk.told.filter((one) => one.includes("A bug")), []);
});

/**
 * Sends text as it stands and reads the answer. A server that waits for more is
 * told after a while that none comes.
 */
async function send(port: number, request: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await new Blob([request]).stream()
      .pipeTo(connection.writable, { preventClose: true });
    const answer = new Response(connection.readable).text();
    timer = setTimeout(() => connection.closeWrite().catch(() => {}), 300);
    return await answer;
  } catch {
    // Closed on us, which is an answer.
    return "";
  } finally {
    clearTimeout(timer);
  }
}

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
