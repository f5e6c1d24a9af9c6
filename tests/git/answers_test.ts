/** Servers that do not answer as Git servers do. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { listRemote } from "../../lib/git/remote.ts";
import { missing } from "../../lib/sync/unreached.ts";
import { inFolder } from "../folder.ts";
import {
  configOf,
  Fetching,
  makeBare,
  makeInfra,
  refusedBy,
  watched,
} from "./remote.ts";
import { gitHttp, type Handler, serve } from "./servers.ts";

const answer = (status: number, body = "no\n", headers = {}): Handler => () =>
  new Response(body, { status, headers });

const advertised = {
  "content-type": "application/x-git-upload-pack-advertisement",
};

Deno.test("what a server answers in place of names becomes a reason and a hint", async () => {
  const table: [string, Handler, string, string][] = [
    ["401", answer(401), "denied", "tokenFile"],
    ["403", answer(403), "denied", "tokenFile"],
    ["404", answer(404), "not-found", "repository"],
    ["405", answer(405), "not-git", "repository"],
    ["407", answer(407), "proxy", "http_proxy"],
    ["410", answer(410), "not-git", "repository"],
    ["429", answer(429), "unreachable", "next run"],
    ["500", answer(500), "unreachable", "next run"],
    ["503", answer(503), "unreachable", "next run"],
    ["a page", answer(200, "<html>\n<body>\n"), "not-git", "login page"],
    ["words", answer(200, "<html>", advertised), "not-git", "login page"],
    ["nothing", answer(200, "", advertised), "unreachable", "next run"],
    [
      "itself",
      ({ url }) => Response.redirect(url, 302),
      "not-git",
      "login page",
    ],
  ];
  for (const [name, handler, reason, hint] of table) {
    await using server = serve(handler);
    const repository = `${server.url}/infra.git`;
    const error = await refusedBy({ repository });
    const { stage, exit, next } = error;
    assertEquals([stage, exit, next], ["decide", 3, "retry"], name);
    assertEquals(error.reason, reason, `${name}: ${error.details.join()}`);
    assertStringIncludes(error.hints.join(), hint, name);
    assertStringIncludes(error.message, repository);
  }
});

Deno.test("a page that Git takes for an empty repository is told as a page", async () => {
  const pages: [string, Handler][] = [
    ["a line without an end", answer(200, "<html>")],
    ["nothing", answer(200, "")],
    ["no content", () => new Response(null, { status: 204 })],
  ];
  for (const [name, page] of pages) {
    await using server = serve(page);
    const config = configOf({ repository: `${server.url}/infra.git` });
    const error = await missing(watched().effects, config)
      .then((error) => error, (error) => error);
    assertEquals([error.reason, error.exit], ["not-git", 3], name);
    assertStringIncludes(error.hints.join(), "login page");
  }
});

Deno.test("a repository that is empty is told as empty over every transport", async () => {
  await inFolder(async (folder) => {
    await makeBare(`${folder}/infra.git`);
    await using server = serve(gitHttp(folder));
    for (
      const repository of [
        `${server.url}/infra.git`,
        `file://${folder}/infra.git`,
        `${folder}/infra.git`,
      ]
    ) {
      const { effects } = watched();
      const config = configOf({ repository });
      assertEquals(await listRemote(effects, config), []);
      const error = await missing(effects, config);
      assertEquals([error.reason, error.exit], ["repository-empty", 3]);
    }
  });
});

/** Runs `work` with the URL of a server that does this to each connection. */
async function withSocket(
  handle: (connection: Deno.Conn) => Promise<void>,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const listening = (async () => {
    for await (const connection of listener) {
      open.add(connection);
      handle(connection).catch(() => {});
    }
  })();
  try {
    await work(`http://127.0.0.1:${listener.addr.port}/infra.git`);
  } finally {
    listener.close();
    await listening;
    for (const connection of open) {
      try {
        connection.close();
      } catch {
        // The server has closed it itself.
      }
    }
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);
const head = `HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n${
  Object.entries(advertised).map((pair) => pair.join(": ")).join("\r\n")
}\r\n\r\n`;

Deno.test("a server that hangs up is unreachable, whenever it does", async () => {
  const said = ["", "HTTP/1.1 ", head, `${head}001e# service=git`];
  for (const text of said) {
    await withSocket(async (connection) => {
      await connection.read(new Uint8Array(4096));
      await connection.write(bytes(text));
      connection.close();
    }, async (repository) => {
      const error = await refusedBy({ repository });
      const told = JSON.stringify([text, ...error.details]);
      assertEquals([error.reason, error.exit], ["unreachable", 3], told);
      assertStringIncludes(error.hints.join(), "tries again");
    });
  }
});

Deno.test("a server that drips is given up on in time", async () => {
  await withSocket(async (connection) => {
    await connection.write(bytes(head));
    for (;;) {
      await connection.write(bytes("0"));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }, async (repository) => {
    const error = await refusedBy({ repository, "timeouts.remote": 400 });
    assertEquals([error.reason, error.exit], ["unreachable", 3]);
    assertStringIncludes(error.message, "did not answer in time");
    assertStringIncludes(error.hints.join(), "timeouts.remote");
  });
});

Deno.test("a fetch that fails on the way leaves what was there, and the next one works", async () => {
  await inFolder(async (folder) => {
    await makeInfra(folder, 3);
    const works = gitHttp(folder);
    let broken: Handler | undefined;
    await using server = serve((request) =>
      broken && request.method === "POST" ? broken(request) : works(request)
    );
    const repository = `${server.url}/infra.git`;
    const fetching = new Fetching(folder, { repository });
    const cutOff: Handler = async (request) => {
      const { headers, body } = await works(request);
      const whole = await new Response(body).arrayBuffer();
      return new Response(whole.slice(0, whole.byteLength - 40), { headers });
    };
    // The run asks for the names, and fetching for names and then objects.
    const failures: [number, Handler, string][] = [
      [1, answer(503), "unreachable"],
      [2, answer(503), "unreachable"],
      [2, answer(403), "denied"],
      [1, cutOff, "unreachable"],
      [2, cutOff, "unreachable"],
    ];
    for (const [good, handler, reason] of failures) {
      let posts = 0;
      broken = (request) => posts++ < good ? works(request) : handler(request);
      const error = await fetching.fetch().then(() => null, (error) => error);
      assertEquals([error?.reason, error?.exit], [reason, 3], error?.details);
    }
    broken = undefined;
    assertEquals((await fetching.fetch()).commit.subject, "Commit 3");
  });
});

Deno.test("a mirror is made again if a fetch was cut off before Git's protocol was spoken", async () => {
  await inFolder(async (folder) => {
    const repository = await makeInfra(folder, 3);
    const fetching = new Fetching(`${folder}/state`, { repository });
    const trace = `${fetching.folder}/fetch.trace`;
    await fetching.fetch();
    const table: [string, boolean][] = [
      ['{"event":"data","key":"negotiated-version","value":"2"}\n', false],
      [
        '{"event":"start","argv":["\\"key\\":\\"negotiated-version\\""]}\n',
        true,
      ],
      ["", true],
    ];
    for (const [text, isMadeAgain] of table) {
      await Deno.writeTextFile(trace, text);
      const before = fetching.commands.length;
      await fetching.fetch();
      const made = fetching.commands.slice(before)
        .filter(({ args }) => args.includes("init"));
      assertEquals(made.length, isMadeAgain ? 1 : 0, text);
      await assertRejects(() => Deno.stat(trace), Deno.errors.NotFound);
    }
  });
});
