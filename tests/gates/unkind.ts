/**
 * Servers that answer as no documentation says.
 *
 * @module
 */

/** An endless body, of small parts. */
function endless(): ReadableStream<Uint8Array> {
  const part = new TextEncoder().encode(`"${"x".repeat(64 * 1024)}",`);
  return new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode("[")),
    async pull(controller) {
      controller.enqueue(part);
      await new Promise((resolve) => setTimeout(resolve, 0));
    },
  });
}

/**
 * A server that promises more than it sends, and hangs up.
 *
 * @param sent What comes of the body.
 */
export class CutServer implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly url = `http://127.0.0.1:${this.#listener.addr.port}`;

  constructor(sent: string) {
    this.#serve(sent).catch(() => {});
  }

  async #serve(sent: string): Promise<void> {
    for await (const connection of this.#listener) {
      await connection.read(new Uint8Array(4096));
      const head =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n";
      await connection.write(new TextEncoder().encode(head + sent));
      connection.close();
    }
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

/**
 * Ways in which a server fails, each with what is said of it.
 *
 * @param good A body that would be right.
 */
export function unkindAnswers(
  good: string,
): Readonly<Record<string, [answer: () => Response, says: RegExp]>> {
  const plain = (body: BodyInit | null, init: ResponseInit = {}) => () =>
    new Response(body, init);
  return {
    "500": [plain("oops", { status: 500 }), /status 500/],
    "429": [
      plain("", { status: 429, headers: { "Retry-After": "600" } }),
      /status 429/,
    ],
    "401": [plain("{}", { status: 401 }), /status 401/],
    "204": [plain(null, { status: 204 }), /no JSON/],
    redirect: [
      plain(good, { status: 302, headers: { Location: "http://127.0.0.1:1" } }),
      /redirect, which is not followed/,
    ],
    HTML: [plain("<html>Sign in</html>"), /no JSON/],
    "half of it": [plain(good.slice(0, good.length / 2)), /no JSON/],
    "something else": [plain("42"), /documented format/],
    "null": [plain("null"), /documented format/],
    "without end": [() => new Response(endless()), /too long/],
  };
}
