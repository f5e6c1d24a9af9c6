/**
 * A stand-in for the commit statuses of Gitea and Forgejo, by their
 * documentation: it takes them, and gives the newest of each context, a page at
 * a time.
 *
 * @module
 */

/** One status, as it was posted. */
export interface Posted {
  context: string;
  status: string;
  description: string;
  id: number;
  created_at: string;
  updated_at: string;
}

/** A forge on loopback that runs until it is disposed of. */
export class StandInForge implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #posted = new Map<string, Posted[]>();
  #next = 1;

  constructor(
    /** A page has no more, whatever is asked for. */
    readonly pageSize = 30,
  ) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#answer(request),
    );
  }

  /** The address of its interface. */
  get api(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/api/v1`;
  }

  /** The newest status of each context. */
  statuses(revision: string): Posted[] {
    const newest = new Map<string, Posted>();
    for (const one of this.#posted.get(revision) ?? []) {
      newest.set(one.context, one);
    }
    return [...newest.values()];
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const [, action, revision] =
      /^\/api\/v1\/repos\/[^/]+\/[^/]+\/(statuses|commits)\/(\w+)/
        .exec(pathname) ?? [];
    if (revision === undefined) return new Response("no", { status: 404 });
    if (request.method === "POST" && action === "statuses") {
      const { context, state, description = "" } = await request.json();
      const at = new Date().toISOString();
      const all = this.#posted.get(revision) ?? [];
      this.#posted.set(revision, all);
      const id = this.#next++;
      all.push({
        context,
        status: state,
        description,
        id,
        created_at: at,
        updated_at: at,
      });
      return Response.json({ id }, { status: 201 });
    }
    const page = Math.max(1, Number(searchParams.get("page") ?? 1));
    const asked = Number(searchParams.get("limit") ?? 30);
    const size = Math.min(asked, this.pageSize);
    const all = this.statuses(revision);
    const statuses = all.slice((page - 1) * size, page * size);
    return Response.json({
      sha: revision,
      total_count: all.length,
      statuses: statuses.length > 0 ? statuses : null,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
