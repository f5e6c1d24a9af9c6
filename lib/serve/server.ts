/**
 * The server of `gitops-sync serve`: which path is answered by what.
 *
 * @module
 */
import { told } from "./answer.ts";
import { prepareSocket, removeSocket } from "../host/socket.ts";
import { addressOf } from "../config/checks.ts";

/** Answers requests below one path. */
export interface Route {
  path: string;
  /** Whether what is below the path belongs to it. */
  isBelow?: true;
  answer: (request: Request) => Promise<Response>;
}

/** Requests at one moment; others are told to come again. */
const mostRequests = 256;

const noStore = { "cache-control": "no-store" };

/** Answers a request by the route that it names; never throws. */
export function makeAnswer(
  routes: readonly Route[],
): (request: Request) => Promise<Response> {
  let open = 0;
  return async (request) => {
    const route = routeOf(routes, request);
    if (!route) {
      await request.body?.cancel();
      return told(404, "not found", noStore);
    }
    if (open >= mostRequests) {
      await request.body?.cancel();
      return told(503, "too many requests: try again later", {
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

/** Deno makes the URL from the Host that the caller names, which may be odd. */
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
 * Listens, on a Unix socket (`unix:PATH`) or on `HOST:PORT`.
 *
 * @param ready Called once it listens.
 * @throws {SyncError} as {@linkcode prepareSocket}.
 * @throws {Deno.errors.AddrInUse} where something else listens there.
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
    // Whoever may enter its folder may connect.
    await Deno.chmod(path, 0o660);
    return server;
  }
  return Deno.serve({ ...addressOf(place), onListen: ready }, answer);
}

/** Answers what has come in, and listens no more. */
export async function stopListening(
  server: Deno.HttpServer,
  place: string,
): Promise<void> {
  await server.shutdown();
  if (place.startsWith("unix:")) {
    await removeSocket(place.slice("unix:".length));
  }
}
