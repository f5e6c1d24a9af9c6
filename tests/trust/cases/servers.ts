/** Servers that do what no server should. */
import { assert, assertEquals } from "@std/assert";
import { output } from "../../world/program.ts";
import { canary, type Case, type Lab, type Setup } from "../lab.ts";
import {
  endless,
  gitResponse,
  line,
  names,
  serve,
  type Server,
  speak,
} from "../servers.ts";

const failed = (reason: string) => ({ exit: 3, reason });

/** The token that is configured; the server asks for it. */
const token = (lab: Lab) => ({
  tokenFile: `${lab.world.folder}/etc/gitops-sync/token`,
});

const unauthorized = () =>
  new Response("", { status: 401, headers: { "www-authenticate": "Basic" } });

/** A server that answers so, asked for its repository. */
const answering = (
  answer: (request: Request, lab: Lab) => Response | Promise<Response>,
  settings: (lab: Lab) => Record<string, unknown> = () => ({}),
) =>
(lab: Lab): Setup => {
  const server = serve((request) => answer(request, lab));
  return {
    settings: { repository: `${server.url}/x.git`, ...settings(lab) },
    done: () => server.close(),
  };
};

const withStatus = (status: number) =>
  answering(() => new Response("<h1>no</h1>", { status }));

const speaking =
  (words: (connection: Deno.TcpConn) => Promise<void>, scheme = "http") =>
  (): Setup => {
    const server = speak(words);
    return {
      settings: { repository: `${scheme}://127.0.0.1:${server.port}/x.git` },
      done: () => server.close(),
    };
  };

const say = async (connection: Deno.TcpConn, text: string) => {
  await connection.write(new TextEncoder().encode(text));
};

/** A certificate for this name and time, signed by nobody. */
async function certificate(lab: Lab, name: string, days: string) {
  const [key, cert] = [lab.file(""), lab.file("")];
  await output([
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-keyout",
    key,
    "-out",
    cert,
    "-days",
    days,
    "-subj",
    `/CN=${name}`,
    "-addext",
    `subjectAltName=${name}`,
  ]);
  return { cert, key };
}

async function overTls(
  lab: Lab,
  name: string,
  days: string,
  answer: (request: Request) => Response,
  trusted: boolean,
): Promise<Setup & { server: Server }> {
  const { cert, key } = await certificate(lab, name, days);
  const [certText, keyText] = [cert, key].map((path) =>
    Deno.readTextFileSync(path)
  );
  const server = serve(answer, { cert: certText!, key: keyText! });
  return {
    server,
    settings: { repository: `${server.url}/x.git` },
    ...(trusted ? { env: { GIT_SSL_CAINFO: cert } } : {}),
    done: () => server.close(),
  };
}

/** A server that sends whoever asks on to another one, which notes all. */
const redirecting = (
  to: (other: Server) => string,
  status = 302,
  other: (request: Request) => Response = unauthorized,
) =>
(lab: Lab): Setup => {
  const thief = serve(other);
  const server = serve((request) => {
    const { pathname, search } = new URL(request.url);
    return request.headers.has("authorization") || status === 301
      ? new Response("", {
        status,
        headers: { location: `${to(thief)}${pathname}${search}` },
      })
      : unauthorized();
  });
  return {
    settings: { repository: `${server.url}/x.git`, ...token(lab) },
    done: async () => {
      await server.close();
      await thief.close();
      const stolen = thief.credentials.map((header) =>
        atob(header.replace("Basic ", ""))
      );
      assertEquals(
        stolen.filter((text) => text.includes(canary)),
        [],
        "the token went to another host",
      );
    },
  };
};

const id = "a".repeat(40);

/** A server that lists one branch, and answers the fetch so. */
const fetching =
  (body: (lab: Lab) => BodyInit, settings = {}) => (lab: Lab): Setup => {
    const server = serve((request) =>
      request.method === "GET"
        ? names([`${id} refs/heads/main`])
        : new Response(body(lab), {
          headers: { "content-type": "application/x-git-upload-pack-result" },
        })
    );
    return {
      settings: {
        repository: `${server.url}/x.git`,
        shallow: false,
        ...settings,
      },
      done: () => server.close(),
    };
  };

/** What differs between servers that only give files. */
interface Files {
  /** The commit that is served. */
  made?: (lab: Lab) => Promise<string>;
  settings?: (lab: Lab) => Record<string, unknown>;
  /** What the host did before. */
  before?: (lab: Lab) => Promise<unknown>;
  /** The object that is not there. */
  away?: string;
}

/** A server that speaks no protocol, so that Git checks nothing of its files. */
const files = (
  name: string,
  { made = next, settings, before, away }: Files,
): Case => ({
  name: `files: ${name}`,
  make: async (lab) => {
    const revision = await made(lab);
    await lab.push(revision, `refs/heads/${lab.name()}`);
    await before?.(lab);
    const gone = away &&
      await lab.repository.git("rev-parse", `${revision}${away}`);
    const server = serve(async (request) => {
      const path = new URL(request.url).pathname.slice("/x.git".length);
      if (path === "/info/refs") {
        return new Response(`${revision}\trefs/heads/main\n`);
      }
      const isGone = path.replaceAll("/", "") === `objects${gone}`;
      const file = isGone ? "/none" : `${lab.repository.bare}${path}`;
      return await Deno.readFile(file).then(
        (bytes) => new Response(bytes),
        () => new Response("", { status: 404 }),
      );
    });
    const followed = { repository: `${server.url}/x.git`, ref: "main" };
    lab.deployed(lab.base, followed);
    return {
      settings: { ...followed, ...settings?.(lab) },
      done: () => server.close(),
    };
  },
  expected: failed("dumb-http"),
  says: "git http-backend",
  then: async (lab) => {
    assertEquals(await objectsIn(`${lab.folder}/repo`), "");
    const left = Array.from(Deno.readDirSync(lab.folder), ({ name }) => name);
    assert(!left.includes("fetch.trace"), left.join());
  },
});

/** The names of all objects of a repository, if it is there. */
function objectsIn(folder: string): Promise<string> {
  const all = ["--batch-all-objects", "--batch-check=%(objectname)"];
  return output(["git", "-C", folder, "cat-file", ...all]).catch(() => "");
}

const whole = () => ({ shallow: false });

async function next(lab: Lab): Promise<string> {
  await lab.begin();
  return await lab.repository.commit("A change");
}

async function large(lab: Lab): Promise<string> {
  await lab.begin();
  const noise = crypto.getRandomValues(new Uint8Array(2 ** 16));
  return await lab.repository.commit("Large", {
    files: { large: Array.from(noise).join() },
  });
}

/** A signed merge whose second parent only its signature knows. */
async function hidingMerge(lab: Lab): Promise<string> {
  const unsigned = await next(lab);
  await lab.begin("ada");
  await lab.repository.git(
    ...["-c", "user.name=Ada", "-c", "user.email=ada@example.org"],
    ...["merge", "--quiet", "--no-ff", "--message=A merge", unsigned],
  );
  const text = await lab.repository.git("cat-file", "commit", "HEAD");
  const hidden = text.replace(/(?<=^parent .*\n)parent/m, "gpgsig-x y\nparent");
  assert(hidden !== text, "it hides nothing");
  return await lab.object("commit", `${hidden}\n`);
}

/** Fetches the base alone, from a server that does speak Git's protocol. */
async function fetchedBase(lab: Lab): Promise<void> {
  const settings = await lab.branch(lab.base);
  lab.world.configure(lab.repository, { ...settings, retries: 0 });
  await lab.call("sync");
}

const band = (number: number, text: string) =>
  line(String.fromCharCode(number) + text);

export const cases: Case[] = [
  {
    name: "HTML in place of names",
    make: answering(() =>
      new Response("<html>", { headers: { "content-type": "text/html" } })
    ),
    expected: failed("not-git"),
  },
  {
    name: "nothing in place of names",
    make: answering(() => new Response("")),
    expected: failed("not-git"),
  },
  {
    name: "HTML that says to be Git",
    make: answering(() => gitResponse("<html>log in</html>")),
    expected: failed("not-git"),
  },
  { name: "404", make: withStatus(404), expected: failed("not-found") },
  { name: "403", make: withStatus(403), expected: failed("denied") },
  { name: "500", make: withStatus(500), expected: failed("unreachable") },
  { name: "429", make: withStatus(429), expected: failed("slow-down") },
  { name: "418", make: withStatus(418), expected: failed("not-git") },
  {
    name: "401, and there is no token",
    make: answering(unauthorized),
    expected: failed("denied"),
  },
  {
    name: "401, and the token is not the right one",
    make: answering(unauthorized, token),
    expected: failed("denied"),
  },
  {
    name: "a server that shows the token it was given",
    make: answering(
      (request) => {
        const header = request.headers.get("authorization");
        if (header === null) return unauthorized();
        const said = atob(header.replace("Basic ", ""));
        return gitResponse(
          line("# service=git-upload-pack\n") + "0000" +
            line(`ERR you said ${said.length} letters`),
        );
      },
      token,
    ),
    expected: failed("remote-error"),
  },
  {
    name: "the token is asked for, and the file is missing",
    make: answering(
      unauthorized,
      (lab) => ({ tokenFile: `${lab.inside}/none` }),
    ),
    expected: failed("denied"),
  },
  {
    name: "sent on to another host, with the token",
    make: redirecting((other) => `http://localhost:${other.port}`),
    expected: failed("denied"),
  },
  {
    name: "sent on to another port, with the token",
    make: redirecting((other) => other.url, 307),
    expected: failed("denied"),
  },
  {
    name: "sent on for good, with the token",
    make: redirecting((other) => `http://localhost:${other.port}`, 301),
    expected: failed("denied"),
  },
  {
    name: "sent on to a URL with a user",
    make: redirecting((other) => `http://git@localhost:${other.port}`, 302),
    expected: failed("denied"),
  },
  {
    name: "sent on to a file",
    make: redirecting(() => "file:///etc"),
    expected: failed("git-failed"),
  },
  {
    name: "sent on to a command",
    make: redirecting(() => "ext::touch pwned"),
    expected: failed("git-failed"),
  },
  {
    name: "sent on in a circle",
    make: answering((request) =>
      new Response("", { status: 302, headers: { location: request.url } })
    ),
    expected: failed("not-git"),
  },
  {
    name: "hangs up at once",
    make: speaking((connection) => Promise.resolve(connection.close())),
    expected: failed("unreachable"),
  },
  {
    name: "never says a word",
    make: speaking(() => new Promise(() => {})),
    expected: failed("unreachable"),
  },
  {
    name: "says a letter now and then",
    make: speaking(async (connection) => {
      await say(
        connection,
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-advertisement\r\n\r\n",
      );
      for (let i = 0; i < 100; i++) {
        await say(connection, "0");
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }),
    expected: failed("unreachable"),
  },
  {
    name: "headers without end",
    make: speaking(async (connection) => {
      await say(connection, "HTTP/1.1 200 OK\r\n");
      for (;;) await say(connection, `x-${"y".repeat(1000)}: z\r\n`);
    }),
    expected: failed("git-failed"),
  },
  {
    name: "names without end",
    make: answering(() => {
      let n = 0;
      const first = line("# service=git-upload-pack\n") + "0000" +
        line(`${id} refs/heads/main\0side-band-64k\n`);
      return gitResponse(
        endless(first, () => line(`${id} refs/heads/${n++}\n`).repeat(100), 10),
      );
    }),
    expected: failed("unreachable"),
  },
  {
    name: "no protocol",
    make: speaking((connection) =>
      say(connection, "\u0000\u0001\u001b[31m rubbish\r\n\r\n").then(() =>
        connection.close()
      )
    ),
    expected: failed("not-git"),
  },
  {
    name: "a line longer than it says",
    make: answering(() => gitResponse("fff0# service=git-upload-pack\n")),
    expected: failed("unreachable"),
  },
  {
    name: "a length that is no number",
    make: answering(() => gitResponse("zzzz# service")),
    expected: failed("not-git"),
  },
  {
    name: "a name with a line end",
    make: answering(() =>
      names([
        `${id} refs/heads/x`,
        `${id} refs/heads/a\r\n${id}\trefs/heads/main`,
      ])
    ),
    expected: failed("git-failed"),
  },
  {
    name: "a name with escapes",
    make: answering(() => names([`${id} refs/heads/\u001b[31mmain`])),
    expected: failed("repository-empty"),
  },
  {
    name: "a hash that is none",
    make: answering(() => names(["zz refs/heads/main"])),
    expected: failed("not-git"),
  },
  {
    name: "a hash of another length",
    make: answering(() => names([`${id.slice(1)} refs/heads/main`])),
    expected: failed("not-git"),
  },
  {
    name: "the same name twice",
    make: answering(() =>
      names([`${id} refs/heads/main`, `${"b".repeat(40)} refs/heads/main`])
    ),
    expected: failed("unreachable"),
  },
  {
    name: "an error with escapes",
    make: answering(() =>
      gitResponse(
        line("# service=git-upload-pack\n") + "0000" +
          line("ERR \u001b]0;x\u0007\u001b[31mred\r\n"),
      )
    ),
    expected: failed("remote-error"),
  },
  {
    name: "a pack that is rubbish",
    make: fetching(() => line("NAK\n") + band(1, "rubbish")),
    expected: failed("unreachable"),
  },
  {
    name: "a pack that is cut off",
    make: fetching(() =>
      line("NAK\n") +
      band(1, "PACK\u0000\u0000\u0000\u0002\u0000\u0000\u0000\u0005")
    ),
    expected: failed("unreachable"),
  },
  {
    name: "a pack of sixteen million objects",
    make: fetching(() =>
      line("NAK\n") +
      band(1, "PACK\u0000\u0000\u0000\u0002\u0000\u007f\u007f\u007f") + "0000"
    ),
    expected: failed("unreachable"),
  },
  {
    name: "a pack that holds nothing",
    make: fetching(() => line("NAK\n") + "0000"),
    expected: failed("garbled"),
  },
  {
    name: "progress with escapes",
    make: fetching(() =>
      line("NAK\n") + band(2, "\u001b[2J\u001b]0;x\u0007hello\r\n") +
      band(3, "\u001b[31mno\n")
    ),
    expected: failed("garbled"),
  },
  {
    name: "a pack without end",
    make: fetching(
      () => endless(line("NAK\n"), () => band(2, ".\n"), 100),
      { "timeouts.fetch": "3s" },
    ),
    expected: failed("unreachable"),
  },
  {
    name: "TLS: signed by nobody",
    make: (lab) =>
      overTls(
        lab,
        "IP:127.0.0.1",
        "30",
        () => names([`${id} refs/heads/main`]),
        false,
      ),
    expected: failed("certificate"),
  },
  {
    name: "TLS: for another host",
    make: (lab) =>
      overTls(
        lab,
        "DNS:git.example.org",
        "30",
        () => names([`${id} refs/heads/main`]),
        true,
      ),
    expected: failed("certificate"),
  },
  {
    name: "TLS: sent on out of it",
    make: async (lab) => {
      const plain = serve(() => names([`${id} refs/heads/main`]));
      const setup = await overTls(lab, "IP:127.0.0.1", "30", (request) => {
        const { pathname, search } = new URL(request.url);
        return new Response("", {
          status: 301,
          headers: { location: `${plain.url}${pathname}${search}` },
        });
      }, true);
      return {
        ...setup,
        done: async () => {
          await setup.server.close();
          await plain.close();
        },
      };
    },
    expected: failed("git-failed"),
  },
  {
    name: "TLS: a server that speaks none",
    make: speaking(
      (connection) => say(connection, "HTTP/1.1 200 OK\r\n\r\n"),
      "https",
    ),
    expected: failed("not-git"),
  },
  {
    name: "SSH: a server that speaks none",
    make: speaking(
      (connection) => say(connection, "HTTP/1.1 200 OK\r\n\r\n\u001b[31m\r\n"),
      "ssh",
    ),
    expected: failed("unreachable"),
  },
  {
    name: "SSH: never says a word",
    make: speaking(() => new Promise(() => {}), "ssh"),
    expected: failed("unreachable"),
  },
  {
    name: "files: alternates that name the host's",
    make: (lab) => {
      const server = serve((request) => {
        const { pathname } = new URL(request.url);
        if (pathname.endsWith("/info/refs")) {
          return new Response(`${id}\trefs/heads/main\n`);
        }
        if (pathname.endsWith("/HEAD")) {
          return new Response("ref: refs/heads/main\n");
        }
        if (pathname.endsWith("http-alternates")) {
          return new Response(`file://${lab.repository.bare}/objects\n/etc/\n`);
        }
        return new Response("", { status: 404 });
      });
      return {
        settings: { repository: `${server.url}/x.git`, shallow: false },
        done: async () => {
          await server.close();
          assert(server.credentials.length === 0);
        },
      };
    },
    expected: failed("git-failed"),
  },
  files("a merge that hides what it brings in", {
    made: hidingMerge,
    settings: (lab) => ({ ...lab.trusting("ada"), "verify.mode": "range" }),
  }),
  files("the whole history", { settings: whole }),
  files("one commit", {}),
  files("what is new since Git's protocol was spoken", { before: fetchedBase }),
  files("all but one", { settings: whole, away: "^{tree}" }),
  files("what is too large", {
    made: large,
    settings: () => ({ ...whole(), "limits.fetch": "64K" }),
  }),
];
