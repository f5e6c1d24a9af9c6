/**
 * A stand-in for a FleetLock server: none can be had where this is tested. It
 * does what the protocol says, and no more: it refuses a request without the
 * header, knows hosts by their name alone, tells nobody who holds slots, and
 * answers what it was told to.
 *
 * @module
 */

/** How it is unkind, one request long, or until it is set back. */
export type Mood =
  | "kind"
  /** The status of an error, with the body of the protocol. */
  | { status: number; body?: string }
  /** It does what is asked, and the answer is lost. */
  | "loses-answers"
  /** It takes the request and never answers. */
  | "silent";

/** A server with some slots a group. */
export class FleetLock implements AsyncDisposable {
  /** Who holds slots, by group. */
  readonly held = new Map<string, Set<string>>();
  /** All requests that came: path and name. */
  readonly requests: string[] = [];
  mood: Mood = "kind";
  #server: Deno.HttpServer<Deno.NetAddr>;
  #silent: (() => void)[] = [];

  constructor(private readonly slots = 1) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => this.#answer(request),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Who holds a slot of a group. */
  holders(group = "default"): string[] {
    return [...this.held.get(group) ?? []].sort();
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const text = await request.text();
    const isProtocol = request.method === "POST" &&
      request.headers.get("fleet-lock-protocol") === "true";
    if (!isProtocol) return refusal(400, "bad_request", "no protocol header");
    const { id, group } = JSON.parse(text).client_params ?? {};
    if (!id || !group) return refusal(400, "empty_client_params", "no name");
    this.requests.push(`${pathname} ${id}`);
    const { mood } = this;
    if (mood === "silent") {
      await new Promise<void>((resolve) => this.#silent.push(resolve));
      return refusal(500, "late", "too late");
    }
    if (typeof mood === "object") {
      return new Response(mood.body ?? '{"kind":"internal","value":"broken"}', {
        status: mood.status,
      });
    }
    const response = this.#do(pathname, group, id);
    return mood === "loses-answers"
      ? refusal(502, "gateway", "lost")
      : response;
  }

  #do(path: string, group: string, id: string): Response {
    const holders = this.held.get(group) ?? new Set();
    this.held.set(group, holders);
    if (path === "/v1/steady-state") {
      holders.delete(id);
      return new Response();
    }
    if (path !== "/v1/pre-reboot") return refusal(404, "not_found", path);
    if (!holders.has(id) && holders.size >= this.slots) {
      return refusal(409, "failed_lock", "all slots are taken");
    }
    holders.add(id);
    return new Response();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#silent) end();
    await this.#server.shutdown();
  }
}

function refusal(status: number, kind: string, value: string): Response {
  return Response.json({ kind, value }, { status });
}
