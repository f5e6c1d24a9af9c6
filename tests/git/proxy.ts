/**
 * A proxy of HTTP on loopback: plain requests and CONNECT (RFC 9110, 9.3.6).
 *
 * @module
 */

/** A proxy, and what it was asked for: method and target. */
export interface Proxy extends AsyncDisposable {
  url: string;
  asked: string[];
}

/**
 * Starts a proxy.
 *
 * @param refuse The status line with which it refuses everything, if it does.
 */
export function startProxy(refuse?: string): Proxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const asked: string[] = [];
  const connections = new Set<Promise<void>>();
  const listening = (async () => {
    for await (const client of listener) {
      const served = pass(client, asked, refuse).catch(() => {});
      connections.add(served);
    }
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await listening;
      await Promise.all(connections);
    },
  };
}

async function pass(client: Deno.Conn, asked: string[], refuse?: string) {
  using _client = client;
  const { head, rest } = await readHead(client);
  const [line, ...headers] = head.split("\r\n");
  const [method, target] = line!.split(" ");
  asked.push(`${method} ${target}`);
  if (refuse) {
    await writeAll(client, `HTTP/1.1 ${refuse}\r\ncontent-length: 0\r\n\r\n`);
    return;
  }
  const url = new URL(method === "CONNECT" ? `http://${target}` : target!);
  using server = await Deno.connect({
    hostname: url.hostname,
    port: Number(url.port),
  });
  if (method === "CONNECT") {
    await writeAll(client, "HTTP/1.1 200 OK\r\n\r\n");
  } else {
    // One request a connection, so that the next one is seen here too.
    const kept = headers.filter((one) => !/^(proxy-)?connection:/i.test(one));
    const path = `${url.pathname}${url.search}`;
    const lines = [`${method} ${path} HTTP/1.1`, ...kept, "connection: close"];
    await writeAll(server, `${lines.join("\r\n")}\r\n\r\n`);
  }
  await server.write(rest);
  await Promise.race([copy(client, server), copy(server, client)]);
}

async function readHead(connection: Deno.Conn) {
  let bytes = new Uint8Array();
  for (;;) {
    const chunk = new Uint8Array(16_384);
    const length = await connection.read(chunk);
    if (length === null) throw new Error("the client hung up");
    bytes = Uint8Array.from([...bytes, ...chunk.subarray(0, length)]);
    const end = new TextDecoder("latin1").decode(bytes).indexOf("\r\n\r\n");
    if (end === -1) continue;
    const head = new TextDecoder().decode(bytes.subarray(0, end));
    return { head, rest: bytes.subarray(end + 4) };
  }
}

async function writeAll(connection: Deno.Conn, text: string) {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) {
    at += await connection.write(bytes.subarray(at));
  }
}

async function copy(from: Deno.Conn, to: Deno.Conn) {
  const chunk = new Uint8Array(16_384);
  for (;;) {
    const length = await from.read(chunk).catch(() => null);
    if (length === null) return;
    for (let at = 0; at < length;) {
      at += await to.write(chunk.subarray(at, length));
    }
  }
}
