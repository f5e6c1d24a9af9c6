import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { longestBody } from "../../lib/serve/body.ts";
import { listen } from "../../lib/serve/server.ts";
import { start } from "../world/program.ts";
import { gitopsSync } from "../world/gitops_sync.ts";
import { freePort } from "../notify/programs.ts";
import { origin, password, passwordLine } from "./desk.ts";
import { Endpoint, hmac, pushes, secret } from "./hook.ts";

const encoder = new TextEncoder();

/** The endpoint behind a real server. */
async function serving(
  work: (port: number, endpoint: Endpoint) => Promise<void>,
) {
  await using endpoint = await Endpoint.make();
  const server = await listen(
    "127.0.0.1:0",
    (request) => endpoint.answer(request),
    () => {},
  );
  try {
    await work((server.addr as Deno.NetAddr).port, endpoint);
  } finally {
    await server.shutdown();
  }
}

/**
 * Sends a request and reads what comes back. One that is `cut` says that no
 * more of it comes.
 */
async function send(
  port: number,
  request: string,
  how: "whole" | "cut" = "whole",
): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    await new Blob([request]).stream()
      .pipeTo(connection.writable, { preventClose: true });
    if (how === "cut") await connection.closeWrite();
    return await new Response(connection.readable).text();
  } catch {
    // Closed on us, which is an answer.
    return "";
  }
}

async function signedRequest(body: string): Promise<string> {
  const signature = await hmac(secret, encoder.encode(body));
  return "POST /webhook HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
    "X-GitHub-Event: push\r\n" +
    `X-Hub-Signature-256: sha256=${signature}\r\n` +
    `Content-Length: ${encoder.encode(body).length}\r\n\r\n${body}`;
}

const push = () =>
  signedRequest(JSON.stringify(pushes.github!("refs/heads/main").body));

Deno.test("odd requests get in nowhere and end nothing", async () => {
  const head = "POST /webhook HTTP/1.1\r\nConnection: close\r\n";
  const odd = [
    "",
    "\r\n\r\n",
    "garbage\r\n\r\n",
    "POST /webhook HTTP/9.9\r\n\r\n",
    `${head}Host: a b\r\nContent-Length: 0\r\n\r\n`,
    `${head}Host: [::1\r\nContent-Length: 0\r\n\r\n`,
    `${head}Host: x\r\nContent-Length: -1\r\n\r\n`,
    `${head}Host: x\r\nContent-Length: 5\r\n\r\nab`,
    `${head}Host: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
    `${head}Host: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${head}Host: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n\r\n`,
    `${head}Host: x\r\nX-Hub-Signature-256: sha256=\u0000\r\n\r\n`,
    `${head}Host: x\r\nX-A: ${"a".repeat(200_000)}\r\n\r\n`,
    `${head}Host: x\r\n${"X-A: b\r\n".repeat(5_000)}\r\n`,
    `${head}Host: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n`,
    `POST http://[ HTTP/1.1\r\nHost: x\r\n\r\n`,
    `POST /webhook/../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    `GET /webhook HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
    `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
  ];
  await serving(async (port, endpoint) => {
    for (const request of odd) {
      const answer = await send(port, request, "cut");
      const status = Number(/^HTTP\/1\.[01] (\d+)/.exec(answer)?.[1] ?? 400);
      assert(status >= 400 || status === 100, `${request}: ${answer}`);
      assertEquals(await endpoint.takesWish(), false, request);
    }
    assertStringIncludes(await send(port, await push()), "HTTP/1.1 202 ");
    assert(await endpoint.takesWish());
    const bugs = endpoint.told.filter((one) => one.includes("bug"));
    assertEquals(bugs, []);
  });
});

Deno.test("a body that is too long is refused before it is read", async () => {
  await serving(async (port) => {
    const announced = await send(
      port,
      "POST /webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
        `Content-Length: ${longestBody + 1}\r\n\r\n`,
      "cut",
    );
    assertStringIncludes(announced, "HTTP/1.1 413 ");
  });
});

Deno.test("a body of 10 MB is heard, and its signature counts", async () => {
  await serving(async (port, endpoint) => {
    const { body } = pushes.github!("refs/heads/main");
    const long = JSON.stringify({ ...body as object, x: "x".repeat(10e6) });
    assertStringIncludes(
      await send(port, await signedRequest(long)),
      "HTTP/1.1 202 ",
    );
    assert(await endpoint.takesWish());
  });
});

Deno.test("200 slow clients keep no push out", async () => {
  await serving(async (port, endpoint) => {
    const slow = await Promise.all(Array.from({ length: 200 }, async () => {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.write(encoder.encode(
        "POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\na",
      ));
      return connection;
    }));
    try {
      assertStringIncludes(await send(port, await push()), "HTTP/1.1 202 ");
      assert(await endpoint.takesWish());
    } finally {
      for (const connection of slow) connection.close();
    }
  });
});

Deno.test("clients that take all connections end the server, which says why", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/secret`, secret);
  await Deno.writeTextFile(
    `${folder}/config.yml`,
    "repository: https://git.example.org/me/infra.git\n",
  );
  const port = freePort();
  const server = start([
    ...["sh", "-c", 'ulimit -n 100; exec "$@"', "sh"],
    ...gitopsSync,
    ...["serve", `--config=${folder}/config.yml`],
    `--serve-webhook-secret-file=${folder}/secret`,
    `--serve-wanted=${folder}/wanted`,
    `--serve-listen=127.0.0.1:${port}`,
  ]);
  let isOver = false;
  const ended = server.ended.finally(() => isOver = true);
  const held: Deno.Conn[] = [];
  while (!isOver) {
    try {
      held.push(await Deno.connect({ hostname: "127.0.0.1", port }));
    } catch {
      // It does not listen yet, or no more.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  const { code, stderr } = await ended;
  for (const connection of held) connection.close();
  assertEquals(code, 3, stderr);
  assertStringIncludes(
    stderr,
    "The server cannot continue: Too many open files",
  );
  assert(!stderr.includes("    at "), stderr);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a port that the server may not use is named", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(
    `${folder}/config.yml`,
    "repository: https://git.example.org/me/infra.git\n",
  );
  await Deno.writeTextFile(`${folder}/secret`, secret);
  const { code, stderr } = await start([
    ...["setpriv", "--bounding-set=-net_bind_service"],
    ...gitopsSync,
    ...["serve", `--config=${folder}/config.yml`],
    `--serve-webhook-secret-file=${folder}/secret`,
    `--serve-wanted=${folder}/wanted`,
    "--serve-listen=127.0.0.1:80",
  ]).ended;
  assertEquals(code, 2, stderr);
  assertStringIncludes(stderr, "Cannot listen on 127.0.0.1:80: Permission");
  assertStringIncludes(stderr, "hint: Only root may use a port below 1024.");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("buttons without the page are whole: each way back is there", async () => {
  const folder = await Deno.makeTempDir();
  const place = `127.0.0.1:${freePort()}`;
  await Deno.writeTextFile(`${folder}/config.yml`, "host: web-1\n");
  await Deno.writeTextFile(`${folder}/passwords`, passwordLine("ada"));
  const server = start([
    ...gitopsSync,
    ...["serve", `--config=${folder}/config.yml`],
    `--serve-auth-password-file=${folder}/passwords`,
    `--serve-auth-origin=${origin}`,
    `--serve-wanted=${folder}/wanted`,
    `--serve-listen=${place}`,
  ]);
  let cookie = "";
  /** The body behind all that the answer leads to, as a browser sees it. */
  const shown = async (
    path: string,
    form?: Record<string, string>,
  ): Promise<string> => {
    const answer = await fetch(`http://${place}${path}`, {
      headers: { origin, cookie },
      redirect: "manual",
      ...form ? { method: "POST", body: new URLSearchParams(form) } : {},
    });
    cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? cookie;
    const next = answer.headers.get("location");
    const text = await answer.text();
    return next === null ? `${answer.status} ${text}` : await shown(next);
  };
  try {
    for (let i = 0; !await shown("/").catch(() => ""); i++) {
      assert(i < 1000, "it does not listen");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assertMatch(await shown("/"), /^200 [^]*action="\/login"/);
    const buttons = await shown("/login", { name: "ada", password });
    assertMatch(buttons, /^200 [^]*Signed in as ada/);
    const csrf = /name="csrf" value="([^"]+)"/.exec(buttons)![1]!;
    const pressed = await shown("/press", { csrf, action: "resume" });
    assertMatch(pressed, /^200 [^]*Signed in as ada/);
    assertMatch(await shown("/logout", { csrf }), /^200 [^]*action="\/login"/);
  } finally {
    server.signal("SIGTERM");
    await server.ended;
    await Deno.remove(folder, { recursive: true });
  }
});
