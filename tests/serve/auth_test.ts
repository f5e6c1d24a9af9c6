import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { loadLocalConfig } from "../../lib/config/config.ts";
import { makeAuth } from "../../lib/serve/auth.ts";
import { Bodies } from "../../lib/serve/body.ts";
import { Sessions } from "../../lib/serve/session.ts";
import { Desk, origin, password, passwordLine } from "./desk.ts";

const revision = "4b112af8390c4b112af8390c4b112af8390c4b11";

Deno.test("who signs in may press, and what they ask for has their name", async () => {
  await using desk = await Desk.make();
  const page = await desk.answer(new Request("http://x/login"));
  assertEquals(page.status, 200);
  assertStringIncludes(await page.text(), 'action="/login"');
  const signedIn = await desk.post("/login", { name: "ada", password });
  assertEquals(signedIn.status, 303);
  const set = signedIn.headers.get("set-cookie")!;
  assert(
    /^__Host-gitops-sync=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure$/
      .test(set),
    set,
  );
  const cookie = set.split(";")[0]!;
  const csrf = await desk.tokenOf({ cookie });
  const table: [Record<string, string>, Record<string, string>][] = [
    [{ action: "sync" }, { action: "sync" }],
    [{ action: "retry" }, { action: "retry" }],
    [{ action: "rollback", revision, reason: " a  disk " }, {
      action: "rollback",
      reason: "a disk",
      revision,
    }],
    [{ action: "suspend", for: "", reason: "" }, { action: "suspend" }],
    [{ action: "suspend", for: "4h" }, { action: "suspend", for: "4h" }],
    [{ action: "resume" }, { action: "resume" }],
    [{ action: "approve", revision }, { action: "approve", revision }],
  ];
  for (const [fields, asked] of table) {
    const answer = await desk.post("/press", { csrf, ...fields }, { cookie });
    assertEquals(answer.status, 303, await answer.text());
    assertEquals(answer.headers.get("location"), "/");
    const at = new Date(desk.time).toISOString();
    assertEquals(
      await desk.asked(),
      [{ version: 1, at, by: "ada", ...asked }] as never,
    );
  }
});

Deno.test("who signs out is nobody, and a new session has a new cookie", async () => {
  await using desk = await Desk.make();
  const first = await desk.signIn();
  const second = await desk.post(
    "/login",
    { name: "grace", password },
    { cookie: first },
  );
  const cookie = second.headers.get("set-cookie")!.split(";")[0]!;
  assert(cookie !== first);
  assertEquals(await desk.tokenOf({ cookie: first }), "", "it was ended");
  const csrf = await desk.tokenOf({ cookie });
  const forged = await desk.post("/logout", { csrf: "x" }, { cookie });
  assertEquals(forged.status, 403);
  const out = await desk.post("/logout", { csrf }, { cookie });
  assertEquals(out.status, 303);
  assertStringIncludes(out.headers.get("set-cookie")!, "Max-Age=0");
  assertEquals(await desk.tokenOf({ cookie }), "");
});

Deno.test("a session ends with its time, and with its person", async () => {
  await using desk = await Desk.make({ users: ["ada"] });
  const cookie = await desk.signIn();
  desk.time += 12 * 3_600_000 - 1;
  assert(await desk.tokenOf({ cookie }) !== "");
  desk.time += 1;
  assertEquals(await desk.tokenOf({ cookie }), "");
  // In the file, and not in the list.
  const answer = await desk.post("/login", { name: "grace", password });
  assertEquals(answer.status, 401);
});

Deno.test("sessions are bounded, and the oldest ends first", async () => {
  const config = {
    "serve.auth.users": [],
    "serve.auth.origin": origin,
    "serve.auth.header": undefined,
    "serve.auth.passwordFile": "/a",
  };
  const sessions = new Sessions(config, () => 0);
  const cookies: string[] = [];
  for (let i = 0; i < 260; i++) cookies.push(await sessions.begin("ada"));
  const live = await Promise.all(cookies.map(async (set) => {
    const headers = { cookie: set.split(";")[0]! };
    return await sessions.of(new Request("http://x/", { headers })) !==
      undefined;
  }));
  assertEquals(live.filter((one) => one).length, 256);
  assertEquals(live.slice(0, 5), [false, false, false, false, true]);
});

Deno.test("guesses are slowed, and who knows the password is not", async () => {
  await using desk = await Desk.make();
  const guess = async (word: string) => {
    const answer = await desk.post("/login", { name: "ada", password: word });
    await answer.body?.cancel();
    return answer;
  };
  for (let i = 0; i < 10; i++) assertEquals((await guess("no")).status, 401);
  const over = await guess(password);
  assertEquals(over.status, 429);
  assertEquals(over.headers.get("retry-after"), "6");
  desk.time += 6_000;
  assertEquals((await guess("no")).status, 401);
  assertEquals((await guess("no")).status, 429);
  desk.time += 60_000;
  for (let i = 0; i < 20; i++) {
    assertEquals((await guess(password)).status, 303);
  }
  assert(!desk.told.join().includes(password));
});

Deno.test("a file that can't be used lets nobody in", async () => {
  await using desk = await Desk.make();
  const file = `${desk.folder}/passwords`;
  const good = passwordLine("ada");
  const bad = [
    "",
    "# nobody\n",
    `${good}\nnonsense`,
    `${good}\n${good}`,
    good.replace("i=100000", "i=99999"),
    good.replace("i=100000", "i=99999999"),
    good.replace("pbkdf2-sha256", "pbkdf2-sha1"),
    good.slice(0, -4),
    good.replace("ada:", "a da:"),
    good.replace("ada:", ":"),
  ];
  for (const text of bad) {
    desk.time += 60_000;
    await Deno.writeTextFile(file, text);
    const answer = await desk.post("/login", { name: "ada", password });
    assertEquals(answer.status, 401, text);
    await answer.body?.cancel();
  }
  assertEquals(
    desk.told.filter((one) => one.includes("Cannot use")).length,
    10,
  );
  const said = desk.told.join();
  assert(!said.includes("pbkdf2-sha256$i=1") && !said.includes("nonsense"));
  // A name more counts without a restart.
  await Deno.writeTextFile(file, `${good}\n${passwordLine("lin")}\n`);
  await desk.signIn("lin");
});

Deno.test("a proxy names who presses", async () => {
  await using desk = await Desk.make({ header: "X-Remote-User" });
  const who = { "x-remote-user": "ada@example.org" };
  const csrf = await desk.tokenOf(who);
  const answer = await desk.post("/press", { csrf, action: "resume" }, who);
  assertEquals(answer.status, 303);
  const [asked] = await desk.asked();
  assertEquals((asked as { by: string }).by, "ada@example.org");
  for (const none of ["ada, eve", "ada eve", "ada\u00e9", "-ada"]) {
    assertEquals(await desk.tokenOf({ "x-remote-user": none }), "", none);
  }
  // Another person's token is none.
  const other = { "x-remote-user": "eve" };
  const stolen = await desk.post("/press", { csrf, action: "resume" }, other);
  assertEquals(stolen.status, 403);
  desk.time += 24 * 3_600_000;
  const old = await desk.post("/press", { csrf, action: "resume" }, who);
  assertEquals(old.status, 403);
  assertEquals(await desk.asked(), []);
  const look = (headers: Record<string, string>) =>
    desk.answer(new Request("http://x/press", { headers }));
  assertStringIncludes(await (await look(who)).text(), "ada@example.org");
  assertEquals((await look({})).status, 401);
  // There is nothing to sign in to.
  assertEquals((await desk.post("/login", {})).status, 404);
});

Deno.test("what can't be safe is refused at the start", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/passwords`, passwordLine("ada"));
  const file = `${folder}/passwords`;
  const table: [Record<string, unknown>, string][] = [
    [{ auth: { header: "X-User", passwordFile: file, origin } }, "auth-both"],
    [{ auth: { passwordFile: file } }, "auth-origin"],
    [{ auth: { header: "X-User", origin }, listen: "0.0.0.0:80" }, "auth-open"],
    [{ auth: { header: "X-User", origin }, listen: "web:80" }, "auth-open"],
    [{ auth: { passwordFile: "/none", origin } }, "password-file"],
    [{ auth: { header: "Cookie", origin } }, "config-wrong"],
    [{ auth: { header: "X User", origin } }, "config-wrong"],
    [{ auth: { header: "X-U", origin: "http://a.example" } }, "config-wrong"],
    [{ auth: { header: "X-U", origin: "https://a/b" } }, "config-wrong"],
    [{ auth: { header: "X-U", origin, users: ["a b"] } }, "config-wrong"],
  ];
  for (const [serve, reason] of table) {
    const path = `${folder}/config.yaml`;
    await Deno.writeTextFile(path, JSON.stringify({ serve }));
    const error = await loadLocalConfig(path, [])
      .then((config) =>
        makeAuth(config, {
          bodies: new Bodies(),
          monotonic: () => 0,
          now: () => new Date(),
          effects: { tell: () => {} },
        })
      ).then(() => undefined, (error) => error);
    assertEquals(error?.reason, reason, JSON.stringify(serve));
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("on a page without TLS on this machine the cookie works as well", async () => {
  await using desk = await Desk.make({ origin: "http://localhost:9480" });
  const answer = await desk.post("/login", { name: "ada", password }, {
    origin: "http://localhost:9480",
  });
  const set = answer.headers.get("set-cookie")!;
  assert(/^gitops-sync=.*SameSite=Strict$/.test(set), set);
});
