/**
 * The real receivers that `./dev` fetches: Apprise, and Debian's Alertmanager,
 * Prometheus and node_exporter.
 *
 * @module
 */
import {
  output,
  type Program,
  type ProgramOptions,
  start,
} from "../world/program.ts";

/** Whether a program is there; if not, says which test goes without. */
export async function has(program: string): Promise<boolean> {
  try {
    await output(["sh", "-c", `command -v ${program}`]);
    return true;
  } catch {
    console.log(`not tested here: ${program} is missing (./dev setup)`);
    return false;
  }
}

/**
 * A command line of a program of Debian's that finds its own files below
 * /usr/share, although the package is only unpacked.
 */
export function withShare(program: string, ...args: string[]): string[] {
  const script = 'own=$(dirname "$(dirname "$(command -v "$0")")")/share; ' +
    "mount -t overlay overlay -o lowerdir=$own:/usr/share /usr/share && " +
    'exec "$0" "$@"';
  return ["unshare", "--mount", "sh", "-c", script, program, ...args];
}

/** A loopback port that was free a moment ago. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** A server that runs until it is disposed of. */
export class Server implements AsyncDisposable {
  private constructor(readonly url: string, readonly program: Program) {}

  /** Starts it, and waits until it is ready. */
  static async start(
    argv: (port: number) => string[],
    ready: string,
    options: ProgramOptions = {},
  ): Promise<Server> {
    const port = freePort();
    const server = new Server(
      `http://127.0.0.1:${port}`,
      start(argv(port), options),
    );
    let isOver = false;
    server.program.ended.then(() => isOver = true, () => isOver = true);
    while (!await answers(`${server.url}${ready}`)) {
      if (isOver) throw new Error((await server.program.ended).stderr);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return server;
  }

  // deno-lint-ignore no-explicit-any
  async json(path: string): Promise<any> {
    return await (await fetch(this.url + path)).json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.program.kill();
    await this.program.ended.catch(() => {});
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
