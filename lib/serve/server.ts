/**
 * The server of `gitops-sync serve`, with its routes.
 *
 * @module
 */
import { jsonMessage } from "./answer.ts";
import { prepareSocket, removeSocket } from "../host/socket.ts";
import { addressOf } from "../config/checks.ts";

/** The handler of a path. */
export interface Route {
  path: string;
  /** Whether it also handles everything below the path. */
  isBelow?: true;
  answer: (request: Request) => Promise<Response>;
}

/** The limit of concurrent requests. Others get status 503. */
const mostRequests = 256;

const noStore = { "cache-control": "no-store" };

/** Returns a handler that passes each request to its route. It never throws. */
export function makeAnswer(
  routes: readonly Route[],
): (request: Request) => Promise<Response> {
  let open = 0;
  return async (request) => {
    const route = routeOf(routes, request);
    if (!route) {
      await request.body?.cancel();
      return jsonMessage(404, "not found", noStore);
    }
    if (open >= mostRequests) {
      await request.body?.cancel();
      return jsonMessage(503, "too many requests: try again later", {
        ...noStore,
        "retry-after": "5",
      });
    }
    open++;
    try {
      return await route.answer(request);
    } finally {
      open--;
    }
  };
}

/**
 * Returns the route of a request. Deno makes the URL from the Host header,
 * which may be invalid.
 */
function routeOf(
  routes: readonly Route[],
  { url }: Request,
): Route | undefined {
  const pathname = URL.parse(url)?.pathname;
  return routes.find(({ path, isBelow }) =>
    isBelow ? pathname?.startsWith(path) : path === pathname
  );
}

/**
 * Listens on a Unix socket (`unix:PATH`) or on `HOST:PORT`.
 *
 * @param ready Called once it listens.
 * @throws {SyncError} as {@linkcode prepareSocket}.
 * @throws {Deno.errors.AddrInUse} if something else listens there.
 */
export async function listen(
  place: string,
  answer: (request: Request) => Promise<Response>,
  ready: () => void,
): Promise<Deno.HttpServer> {
  if (place.startsWith("unix:")) {
    const path = place.slice("unix:".length);
    await prepareSocket(path, { option: "serve.listen", mode: 0o750 });
    const server = Deno.serve(
      { transport: "unix", path, onListen: ready },
      answer,
    );
    // Everybody in the group who may enter its folder may connect.
    await Deno.chmod(path, 0o660);
    return server;
  }
  return Deno.serve({ ...addressOf(place), onListen: ready }, answer);
}

/** Answers the pending requests, and stops listening. */
export async function stopListening(
  server: Deno.HttpServer,
  place: string,
): Promise<void> {
  await server.shutdown();
  if (place.startsWith("unix:")) {
    await removeSocket(place.slice("unix:".length));
  }
}
