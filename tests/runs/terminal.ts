/**
 * A real terminal (tmux) in a world.
 *
 * @module
 */
import type { Program } from "../world/program.ts";
import type { World } from "../world/world.ts";

/** A terminal; it goes when it is disposed of. */
export class Terminal implements AsyncDisposable {
  private constructor(
    private readonly world: World,
    private readonly server: Program,
    private readonly socket: string,
  ) {}

  /** Opens a terminal with a shell in it. */
  static async open(
    world: World,
    { columns, shell }: { columns: number; shell: readonly string[] },
  ): Promise<Terminal> {
    const socket = `${world.folder}/tmux`;
    const server = world.start(["tmux", "-S", socket, "-f", "/dev/null", "-D"]);
    const terminal = new Terminal(world, server, socket);
    while (true) {
      const { code } = await world.run([
        ...["tmux", "-S", socket, "new-session", "-d"],
        ...["-x", `${columns}`, "-y", "40", ...shell],
      ]);
      if (code === 0) return terminal;
      await pause();
    }
  }

  /** Presses keys, or types text (send-keys in tmux(1)). */
  async keys(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  /** What is on the screen. */
  screen(): Promise<string> {
    return this.#tmux("capture-pane", "-p");
  }

  /** Waits until the screen shows this; gives the screen. */
  async shows(pattern: RegExp): Promise<string> {
    for (let tries = 0; tries < 400; tries++) {
      const screen = await this.screen();
      if (pattern.test(screen)) return screen;
      await pause();
    }
    throw new Error(`no ${pattern} on the screen:\n${await this.screen()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Who asks first may have started another one by itself.
    await this.world.run(["tmux", "-S", this.socket, "kill-server"]);
    this.server.kill();
    await this.server.ended;
  }

  #tmux(...args: string[]): Promise<string> {
    return this.world.output(["tmux", "-S", this.socket, ...args]);
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 30));
