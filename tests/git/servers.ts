/**
 * Real Git servers on loopback, each with its own keys and a port of its own:
 * sshd, `git http-backend` behind HTTP and HTTPS, and a proxy.
 *
 * @module
 */
import { output, run, start } from "../world/program.ts";
import type { World } from "../world/world.ts";

/** A port that is free right now. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** An SSH server that lets in one key. */
export interface Sshd extends AsyncDisposable {
  port: number;
  /** What a known_hosts file must say of it. */
  knownHosts: string;
}

/**
 * Starts sshd in namespaces of its own, where /run is empty: sshd needs a
 * folder in it, and nothing of the machine changes.
 *
 * @param folder Where its keys and settings go.
 * @param authorized The public key that may enter.
 * @param more Lines for its configuration.
 * @param world Where it runs, and so where those work who enter.
 */
export async function startSshd(
  folder: string,
  authorized: string,
  more: readonly string[] = [],
  world?: World,
): Promise<Sshd> {
  const key = `${folder}/host_key`;
  await makeKey(key);
  await Deno.writeTextFile(`${folder}/authorized_keys`, authorized);
  const port = freePort();
  await Deno.writeTextFile(
    `${folder}/sshd_config`,
    [
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${key}`,
      `AuthorizedKeysFile ${folder}/authorized_keys`,
      `PidFile none`,
      `StrictModes no`,
      `UsePAM no`,
      `PasswordAuthentication no`,
      `KbdInteractiveAuthentication no`,
      `PermitRootLogin prohibit-password`,
      ...more,
      "",
    ].join("\n"),
  );
  const config = `${folder}/sshd_config`;
  const timeout = 300_000;
  const sshd = (before: string) => [
    ...["sh", "-c", `${before}mkdir /run/sshd && exec "$0" -D -e -f "$1"`],
    ...["/usr/sbin/sshd", config],
  ];
  const server = world ? world.start(sshd(""), { timeout }) : start([
    "unshare",
    Deno.uid() === 0 ? "--mount" : "--map-root-user",
    "--mount",
    ...sshd("mount -t tmpfs none /run && "),
  ], { timeout });
  const ended = server.ended.catch(() => {});
  await untilListening(port, ended);
  const [type, host] = (await Deno.readTextFile(`${key}.pub`)).split(" ");
  return {
    port,
    knownHosts: `[127.0.0.1]:${port} ${type} ${host}\n`,
    [Symbol.asyncDispose]: async () => {
      server.kill();
      await ended;
    },
  };
}

/** Makes an SSH key, with a passphrase or without. */
export async function makeKey(path: string, passphrase = ""): Promise<string> {
  const options = ["-q", "-t", "ed25519", "-C", "test", "-N", passphrase];
  await output(["ssh-keygen", ...options, "-f", path]);
  return await Deno.readTextFile(`${path}.pub`);
}

async function untilListening(port: number, ended: Promise<unknown>) {
  let isOver = false;
  ended.then(() => isOver = true);
  for (let tries = 0; tries < 200; tries++) {
    try {
      using _ = await Deno.connect({ hostname: "127.0.0.1", port });
      return;
    } catch {
      if (isOver) break;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  throw new Error(`nothing listens on port ${port}`);
}

/** Keys of a private authority, and of a server. */
export interface Authority {
  /** The file of the authority's certificate. */
  file: string;
  cert: string;
  key: string;
}

/** Makes a private authority and a certificate for a server. */
export async function makeAuthority(
  folder: string,
  names = "IP:127.0.0.1",
): Promise<Authority> {
  const at = (name: string) => `${folder}/${name}`;
  const newKey = [
    ..."req -x509 -nodes -days 2 -newkey ec".split(" "),
    ..."-pkeyopt ec_paramgen_curve:prime256v1".split(" "),
  ];
  await output([
    "openssl",
    ...newKey,
    ...["-subj", "/CN=Private authority", "-keyout", at("ca.key")],
    ...["-out", at("ca.pem")],
  ]);
  await output([
    "openssl",
    ...newKey,
    ...["-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-subj", "/CN=server"],
    ...["-addext", `subjectAltName=${names}`],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
    ...["-keyout", at("server.key"), "-out", at("server.pem")],
  ]);
  return {
    file: at("ca.pem"),
    cert: await Deno.readTextFile(at("server.pem")),
    key: await Deno.readTextFile(at("server.key")),
  };
}

/** A server of HTTP or HTTPS. */
export interface HttpServer extends AsyncDisposable {
  /** Its URL without a slash at the end. */
  url: string;
  /** The requests so far: method, and path with query. */
  requests: string[];
  /** The `user:password` of each request that had one. */
  offered: string[];
}

/** What answers a request. */
export type Handler = (request: Request) => Response | Promise<Response>;

/** Starts a server on loopback. */
export function serve(handler: Handler, tls?: Authority): HttpServer {
  const requests: string[] = [];
  const offered: string[] = [];
  const server = Deno.serve(
    {
      hostname: "127.0.0.1",
      port: 0,
      onListen: () => {},
      ...(tls ? { cert: tls.cert, key: tls.key } : {}),
    },
    (request) => {
      const { pathname, search } = new URL(request.url);
      requests.push(`${request.method} ${pathname}${search}`);
      const authorization = request.headers.get("authorization");
      if (authorization) offered.push(atob(authorization.slice(6)));
      return handler(request);
    },
  );
  return {
    url: `http${tls ? "s" : ""}://127.0.0.1:${server.addr.port}`,
    requests,
    offered,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Serves the repositories below a folder by `git http-backend`. */
export function gitHttp(folder: string): Handler {
  return async (request) => {
    const { pathname, search } = new URL(request.url);
    const ended = await cgi(new Uint8Array(await request.arrayBuffer()), {
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers.get("content-type") ?? "",
      HTTP_CONTENT_ENCODING: request.headers.get("content-encoding") ?? "",
      GIT_PROTOCOL: request.headers.get("git-protocol") ?? "",
    });
    const end = indexOfBlankLine(ended);
    const head = new TextDecoder().decode(ended.subarray(0, end));
    const headers = new Headers(
      head.split("\r\n").map((line) =>
        line.split(/:\s*/, 2) as [string, string]
      ),
    );
    const status = Number(headers.get("status")?.slice(0, 3) ?? 200);
    headers.delete("status");
    return new Response(ended.slice(end + 4), { status, headers });
  };
}

/** The same for those who know the token. */
export function withToken(token: string, handler: Handler): Handler {
  return (request) => {
    const [scheme, words] = (request.headers.get("authorization") ?? "")
      .split(" ");
    const password = scheme === "Basic" ? atob(words!).split(":")[1] : "";
    return password === token ? handler(request) : new Response("no\n", {
      status: 401,
      headers: { "www-authenticate": 'Basic realm="Git"' },
    });
  };
}

async function cgi(
  input: Uint8Array,
  env: Record<string, string>,
): Promise<Uint8Array> {
  const child = new Deno.Command("git", {
    args: ["http-backend"],
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  writer.write(input).then(() => writer.close()).catch(() => {});
  return (await child.output()).stdout;
}

function indexOfBlankLine(bytes: Uint8Array): number {
  for (let i = 0; i + 3 < bytes.length; i++) {
    const isBlank = bytes[i] === 13 && bytes[i + 1] === 10 &&
      bytes[i + 2] === 13 && bytes[i + 3] === 10;
    if (isBlank) return i;
  }
  throw new Error("git http-backend gave no headers");
}

/** Whether sshd can be tried here, or why not. */
export async function sshdRefusal(): Promise<string | null> {
  const { code, stderr } = await run(["/usr/sbin/sshd", "-V"])
    .catch((error: Error) => ({ code: 127, stderr: error.message }));
  // Before OpenSSH 9.3 there is no -V, and the usage says the version.
  return code === 127 || !stderr.includes("OpenSSH") ? stderr : null;
}
