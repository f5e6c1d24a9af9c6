/**
 * Servers on loopback that do as they are told, and end with their case.
 *
 * @module
 */

/** A server, and what it was sent. */
export interface Server {
  /** `http://127.0.0.1:PORT`, or `https://…`. */
  url: string;
  port: number;
  /** Every `Authorization` header that came in. */
  credentials: string[];
  close(): Promise<void>;
}

/** Answers web requests. */
export function serve(
  answer: (request: Request) => Response | Promise<Response>,
  tls?: { cert: string; key: string },
): Server {
  const credentials: string[] = [];
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
    onError: () => new Response("broken", { status: 500 }),
    ...tls,
  }, (request) => {
    const header = request.headers.get("authorization");
    if (header !== null) credentials.push(header);
    return answer(request);
  });
  const { port } = server.addr;
  return {
    url: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    port,
    credentials,
    close: async () => {
      // Some answers have no end.
      const patience = new Promise((resolve) => setTimeout(resolve, 1000));
      await Promise.race([server.shutdown(), patience]);
    },
  };
}

/** Speaks to whoever connects, without any protocol. */
export function speak(
  words: (connection: Deno.TcpConn) => Promise<void>,
): Server {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.TcpConn[] = [];
  const accepting = (async () => {
    for await (const connection of listener) {
      connections.push(connection);
      words(connection).catch(() => {});
    }
  })();
  const { port } = listener.addr as Deno.NetAddr;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    credentials: [],
    close: async () => {
      listener.close();
      await accepting;
      for (const connection of connections) {
        try {
          connection.close();
        } catch {
          // The other side has closed it.
        }
      }
    },
  };
}

/** One line of Git's protocol (gitprotocol-common(5), "pkt-line"). */
export function line(text: string): string {
  const length = new TextEncoder().encode(text).length + 4;
  return length.toString(16).padStart(4, "0") + text;
}

/** The names of a repository as a server of Git's protocol tells them. */
export function names(
  refs: readonly string[],
  capabilities = "side-band-64k",
): Response {
  const [first, ...rest] = refs;
  const body = line("# service=git-upload-pack\n") + "0000" +
    line(`${first}\0${capabilities}\n`) +
    rest.map((ref) => line(`${ref}\n`)).join("") + "0000";
  return gitResponse(body);
}

/** An answer to the first request of Git's protocol. */
export function gitResponse(body: BodyInit): Response {
  return new Response(body, {
    headers: { "content-type": "application/x-git-upload-pack-advertisement" },
  });
}

/** Text without end, some of it each `ms` milliseconds. */
export function endless(first: string, next: () => string, ms: number) {
  const encoder = new TextEncoder();
  let timer: ReturnType<typeof setInterval> | undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(first));
      timer = setInterval(() => controller.enqueue(encoder.encode(next())), ms);
    },
    cancel: () => clearInterval(timer),
  });
}
