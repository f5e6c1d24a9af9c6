import { assertEquals, assertStringIncludes } from "@std/assert";
import type { HttpCheck } from "../../lib/config/checks.ts";
import { checkHttp, checkPort } from "../../lib/activation/probes.ts";
import { inFolder } from "../folder.ts";
import { output } from "../world/program.ts";

/** Serves as long as `body` runs; gives it the port. */
async function served(
  answer: (path: string) => Response | Promise<Response>,
  body: (port: number) => Promise<void>,
  tls: { cert: string; key: string } | Record<string, never> = {},
): Promise<void> {
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
    onError: () => new Response(null, { status: 500 }),
    ...tls,
  }, (request) => answer(new URL(request.url).pathname));
  try {
    await body(server.addr.port);
  } finally {
    await server.shutdown();
  }
}

/** A port on which nobody listens. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

Deno.test("an HTTP check looks at the status and the body", async () => {
  const answers: Record<string, () => Response> = {
    "/ok": () => new Response("all is up\n"),
    "/made": () => new Response(null, { status: 204 }),
    "/moved": () =>
      new Response(null, { status: 302, headers: { location: "/ok" } }),
    "/broken": () =>
      new Response("the \u001b[31mdatabase\u001b[0m is gone\nsee the log\n", {
        status: 503,
      }),
    // Without an end: only its beginning is looked at.
    "/endless": () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
        }),
      ),
  };
  await served((path) => answers[path]!(), async (port) => {
    const base = `http://127.0.0.1:${port}`;
    const table: [Omit<HttpCheck, "url"> & { path: string }, string][] = [
      [{ path: "/ok" }, ""],
      [{ path: "/ok", body: "is up" }, ""],
      [{ path: "/ok", body: "is down" }, 'answered, but without "is down"'],
      [{ path: "/made" }, ""],
      [
        { path: "/made", status: 200 },
        "answered with status 204, expected 200",
      ],
      [{ path: "/moved" }, "answered with status 302"],
      [{ path: "/moved", status: 302 }, ""],
      [{ path: "/broken" }, "answered with status 503"],
      [{ path: "/broken", status: 503, body: "is gone" }, ""],
      [{ path: "/endless" }, ""],
    ];
    for (const [{ path, ...check }, expected] of table) {
      const ill = await checkHttp({ url: base + path, ...check }, 5000);
      const text = expected && `${base}${path} ${expected}`;
      assertEquals(ill?.text ?? "", text, JSON.stringify(check));
    }
    const ill = await checkHttp({ url: `${base}/broken` }, 5000);
    assertEquals(ill?.details, [
      `${base}/broken: the database is gone`,
      `${base}/broken: see the log`,
    ]);
  });
});

Deno.test("a server that is not there or does not answer is told", async () => {
  const port = freePort();
  const absent = await checkHttp({ url: `http://127.0.0.1:${port}/` }, 5000);
  assertStringIncludes(absent!.text, "did not answer: ");
  assertStringIncludes(absent!.text, "refused");
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${listener.addr.port}/`;
  const silent = await checkHttp({ url }, 300);
  assertEquals(silent?.text, `${url} did not answer: no answer in time`);
});

Deno.test("a certificate is checked, and an authority of one's own is trusted", async () => {
  await inFolder(async (folder) => {
    const cert = `${folder}/cert.pem`, key = `${folder}/key.pem`;
    await output([
      "openssl",
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-days",
      "3650",
      "-subj",
      "/CN=localhost",
      "-addext",
      "subjectAltName=DNS:localhost",
      "-addext",
      "basicConstraints=critical,CA:FALSE",
      "-keyout",
      key,
      "-out",
      cert,
    ]);
    const tls = {
      cert: await Deno.readTextFile(cert),
      key: await Deno.readTextFile(key),
    };
    await served(() => new Response("hi"), async (port) => {
      const url = `https://localhost:${port}/`;
      const stranger = await checkHttp({ url }, 5000);
      assertStringIncludes(stranger!.text, "certificate");
      assertEquals(await checkHttp({ url, caFile: cert }, 5000), undefined);
      const other = `https://127.0.0.1:${port}/`;
      const named = await checkHttp({ url: other, caFile: cert }, 5000);
      assertStringIncludes(named!.text, "certificate");
      const gone = await checkHttp({ url, caFile: `${folder}/no.pem` }, 5000);
      assertStringIncludes(gone!.text, "No such file");
    }, tls);
  });
});

Deno.test("a port is well if it accepts a connection", async () => {
  {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const open = `127.0.0.1:${listener.addr.port}`;
    assertEquals(await checkPort(open, 5000), undefined);
  }
  const closed = `localhost:${freePort()}`;
  const ill = await checkPort(closed, 5000);
  assertStringIncludes(ill!.text, `${closed} does not accept connections: `);
  assertStringIncludes(ill!.text, "refused");
});
