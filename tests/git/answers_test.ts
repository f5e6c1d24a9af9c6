/** Servers that do not answer as Git servers do. */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { listRemote } from "../../lib/git/remote.ts";
import { missing } from "../../lib/sync/unreached.ts";
import { inFolder } from "../folder.ts";
import {
  chain,
  configOf,
  Fetching,
  git,
  importInto,
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
    ["429", answer(429), "slow-down", "next request to it is in"],
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

Deno.test("a server that asks to be left alone says for how long", async () => {
  const at = (ms: number) => new Date(Date.now() + ms).toUTCString();
  const table: [number, string, number][] = [
    [429, "120", 120_000],
    [503, "3600", 3_600_000],
    [503, "0", 0],
    [429, at(600_000), 600_000],
    [429, at(-600_000), 0],
  ];
  for (const [status, value, after] of table) {
    await using server = serve(
      answer(status, "no\n", { "retry-after": value }),
    );
    const error = await refusedBy({ repository: `${server.url}/infra.git` });
    assertEquals([error.reason, error.exit], ["slow-down", 3], value);
    assertStringIncludes(error.message, "the server asks to slow down");
    assert(!error.hints.join().includes("network"), error.hints.join());
    // A date has no parts of a second, and the test takes some.
    assert(Math.abs(error.after - after) < 30_000, `${value}: ${error.after}`);
    // Git's trace, from which this comes, is shown to nobody.
    assert(!error.details.join().includes("header"), error.details.join());
  }
  await using server = serve(answer(429, "no\n", { "retry-after": "soon" }));
  const error = await refusedBy({ repository: `${server.url}/infra.git` });
  assertEquals([error.reason, error.after > 0], ["slow-down", true]);
});

/** A line of Git's protocol. */
const packet = (text: string) =>
  `${(text.length + 4).toString(16).padStart(4, "0")}${text}`;

const refusing = (why: string) =>
  answer(
    200,
    `${packet("# service=git-upload-pack\n")}0000${packet(`ERR ${why}\n`)}`,
    advertised,
  );

Deno.test("what a forge says in a line of its own is no damage here", async () => {
  await inFolder(async (folder) => {
    await makeInfra(folder, 3);
    const works = gitHttp(folder);
    let broken: Handler | undefined;
    await using server = serve((request) => (broken ?? works)(request));
    const repository = `${server.url}/infra.git`;
    const fetching = new Fetching(`${folder}/state`, { repository });
    const { tip } = await fetching.deploy();
    const kept = `${fetching.mirror}/.git/kept`;
    await Deno.writeTextFile(kept, "");
    const table: [string, string][] = [
      ["This repository is in maintenance mode", "maintenance"],
      ["We are moving your repository to another disk", "remote-error"],
      ["upload-pack: not our ref", "revision-missing"],
      ["No space left on device", "remote-error"],
    ];
    for (const [why, reason] of table) {
      broken = refusing(why);
      const told = fetching.told.length;
      const error = await fetching.fetch({}, tip).then(() => null, (e) => e);
      assertEquals([error?.reason, error?.exit], [reason, 3], why);
      assertStringIncludes(error.details.join(), why);
      assertEquals(fetching.told.slice(told), [], why);
      // The mirror is the same.
      await Deno.stat(kept);
    }
  });
});

Deno.test("a remote that is a partial clone is told as such", async () => {
  await inFolder(async (folder) => {
    const infra = await makeInfra(folder, 3);
    await git(infra, "config", "uploadpack.allowFilter", "true");
    for (const filter of ["blob:none", "tree:0"]) {
      const partial = `${folder}/${filter.replace(":", "-")}`;
      const from = ["--bare", `--filter=${filter}`, `file://${infra}`, partial];
      await git(folder, "clone", "--quiet", ...from);
      const fetching = new Fetching(`${folder}/state`, {
        repository: `file://${partial}`,
      });
      const error = await fetching.fetch().then(() => null, (e) => e);
      assertEquals(
        [error?.reason, error?.message],
        [
          "remote-error",
          `Cannot reach file://${partial}: its repository lacks objects, because it is a partial clone`,
        ],
        `${filter}: ${error?.details}`,
      );
      assertStringIncludes(error.hints.join(), "without --filter");
    }
  });
});

Deno.test("a pack that comes garbled is no damage here", async () => {
  await inFolder(async (folder) => {
    const infra = await makeInfra(folder, 3);
    const works = gitHttp(folder);
    let bend: ((bytes: Uint8Array) => void) | undefined;
    await using server = serve(async (request) => {
      const response = await works(request);
      if (!bend || request.method !== "POST") return response;
      const bytes = new Uint8Array(await response.arrayBuffer());
      bend(bytes);
      return new Response(bytes, { headers: response.headers });
    });
    const repository = `${server.url}/infra.git`;
    const fetching = new Fetching(`${folder}/state`, { repository });
    await fetching.deploy();
    const kept = `${fetching.mirror}/.git/kept`;
    await Deno.writeTextFile(kept, "");
    const tip = await git(infra, "rev-parse", "main~0");
    await importInto(
      infra,
      chain("refs/heads/main", 4, 6, "refs/heads/main^0"),
    );
    const newer = {
      revision: await git(infra, "rev-parse", "main"),
      kind: "branch" as const,
      name: "refs/heads/main",
    };
    assertEquals(tip === newer.revision, false);
    const places: [string, number][] = [["the end", 30], ["the middle", 120]];
    for (const [place, fromEnd] of places) {
      bend = (bytes) => {
        const text = new TextDecoder("latin1").decode(bytes);
        if (!text.includes("PACK")) return;
        bytes[bytes.length - fromEnd]! ^= 0xff;
      };
      const error = await fetching.fetch({}, newer).then(() => null, (e) => e);
      assertEquals(
        [error?.reason, error?.exit],
        ["garbled", 3],
        `${place}: ${error?.details}`,
      );
      assertEquals(fetching.told, []);
      await Deno.stat(kept);
    }
    bend = undefined;
    assertEquals((await fetching.fetch()).commit.subject, "Commit 6");
    // What is damaged here is still made again.
    const objects = `${fetching.mirror}/.git/objects/pack`;
    for await (const { name } of Deno.readDir(objects)) {
      if (!name.endsWith(".pack")) continue;
      await Deno.chmod(`${objects}/${name}`, 0o600);
      await Deno.truncate(`${objects}/${name}`, 40);
    }
    assertEquals((await fetching.fetch()).commit.subject, "Commit 6");
    assertEquals(fetching.told, ["The mirror is damaged; creating a new one"]);
  });
});

/** Offers Git's oldest protocol, without what a part of a history needs. */
function withoutShallow(works: Handler): Handler {
  return async (request) => {
    const headers = new Headers(request.headers);
    headers.delete("git-protocol");
    const response = await works(
      new Request(request.url, {
        method: request.method,
        headers,
        ...request.body ? { body: await request.arrayBuffer() } : {},
      }),
    );
    if (request.method === "POST") return response;
    const text = new TextDecoder("latin1").decode(await response.arrayBuffer());
    // Of the same length, which stands before it.
    const bytes = text.replace(" shallow", " shxxxow");
    return new Response(bytes, { headers: response.headers });
  };
}

/** Answers the first question about a part of a history, and no other. */
function failsSecondShallow(works: Handler): Handler {
  let isFirst = true;
  return async (request) => {
    if (request.method !== "POST") return await works(request);
    const bytes = new Uint8Array(await request.arrayBuffer());
    const again = new Request(request.url, {
      method: "POST",
      headers: request.headers,
      body: bytes,
    });
    const isZipped = request.headers.get("content-encoding") === "gzip";
    const plain = new Blob([bytes]).stream();
    const body = await new Response(
      isZipped ? plain.pipeThrough(new DecompressionStream("gzip")) : plain,
    ).text();
    if (!/(?:shallow|deepen) /.test(body)) return await works(again);
    const passes = isFirst;
    isFirst = false;
    return passes ? await works(again) : new Response("no", { status: 500 });
  };
}

Deno.test("a server that gives no part of a history gives all of it", async () => {
  await inFolder(async (folder) => {
    const infra = await makeInfra(folder, 3);
    const works = gitHttp(folder);
    const handlers: [string, () => Handler][] = [
      // As of servers that never learnt it: Git itself refuses then.
      ["no shallow", () => withoutShallow(works)],
      ["500", () => failsSecondShallow(works)],
    ];
    for (const [name, handler] of handlers) {
      await using server = serve(handler());
      const repository = `${server.url}/infra.git`;
      const fetching = new Fetching(`${folder}/${name}`, { repository });
      await fetching.deploy();
      const from = await git(infra, "rev-parse", "main");
      await importInto(infra, chain("refs/heads/main", 7, 8, from));
      for (let i = 0; i < 2; i++) {
        const { commit, forward } = await fetching.deploy();
        assertEquals([commit.subject, forward], ["Commit 8", "yes"], name);
      }
      assertEquals(fetching.told, [
        "The server only gives whole histories, so all of the history was fetched",
      ], name);
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
