/**
 * A server that gets messages, and notes each request.
 *
 * @module
 */

/** Milliseconds; no machine is so busy that a request takes longer. */
const longestWait = 5 * 60_000;

/** One request, as it came. */
export interface Got {
  method: string;
  path: string;
  headers: Headers;
  text: string;
}

/** A receiver on a loopback port of its own. */
export class Receiver implements AsyncDisposable {
  readonly got: Got[] = [];
  /** What it answers. */
  answer: (got: Got) => Response | Promise<Response> = () => new Response("ok");
  #server: Deno.HttpServer<Deno.NetAddr>;
  #waiting: (() => void)[] = [];

  constructor(port = 0) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port, onListen() {} },
      async (request) => {
        const { pathname, search } = new URL(request.url);
        const got = {
          method: request.method,
          path: pathname + search,
          headers: request.headers,
          text: await request.text(),
        };
        this.got.push(got);
        for (const wake of this.#waiting.splice(0)) wake();
        return await this.answer(got);
      },
    );
  }

  get port(): number {
    return this.#server.addr.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The bodies so far, read as JSON. */
  // deno-lint-ignore no-explicit-any
  get bodies(): any[] {
    return this.got.map(({ text }) => JSON.parse(text));
  }

  /**
   * Waits until this many requests have come.
   *
   * @throws {Error} where they have not come for so long that they never will.
   */
  async until(many: number): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`got ${this.got.length} of ${many}`)),
      longestWait,
    );
    try {
      while (this.got.length < many) {
        const next = new Promise<void>((wake) => this.#waiting.push(wake));
        await Promise.race([next, late.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
