/**
 * A wire between hosts and a server on loopback: it can be cut, be slow, or
 * lose what the server answers.
 *
 * @module
 */

/** What the wire does with bytes. */
export type Condition =
  | { kind: "whole" }
  /** Each piece of an answer comes so many milliseconds late. */
  | { kind: "slow"; ms: number }
  /** Nothing passes. What was sent arrives once the wire is whole again. */
  | { kind: "cut" }
  /** Requests pass, and answers are lost. */
  | { kind: "deaf" };

/** One wire; its connections go when it is disposed of. */
export class Wire implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.Conn>();
  #condition: Condition = { kind: "whole" };
  #changed = Promise.withResolvers<void>();

  /** @param port The server's. */
  constructor(private readonly port: number) {
    this.#accept();
  }

  /** Where hosts connect to. */
  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  set condition(condition: Condition) {
    this.#condition = condition;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async #accept(): Promise<void> {
    try {
      for await (const host of this.#listener) this.#connect(host);
    } catch {
      // It is disposed of.
    }
  }

  async #connect(host: Deno.Conn): Promise<void> {
    this.#open.add(host);
    try {
      const server = await Deno.connect({
        hostname: "127.0.0.1",
        port: this.port,
      });
      this.#open.add(server);
      await Promise.all([
        this.#carry(host, server, false),
        this.#carry(server, host, true),
      ]);
    } catch {
      // The server is not there, or one end is gone: so is the other.
      this.#close(host);
    }
  }

  /** Carries bytes until one end is gone. */
  async #carry(from: Deno.Conn, to: Deno.Conn, isAnswer: boolean) {
    try {
      const bytes = new Uint8Array(65536);
      for (;;) {
        const read = await from.read(bytes);
        if (read === null) break;
        if (!await this.#passes(isAnswer)) continue;
        for (let sent = 0; sent < read;) {
          sent += await to.write(bytes.subarray(sent, read));
        }
      }
    } catch {
      // As above.
    } finally {
      this.#close(from);
      this.#close(to);
    }
  }

  /** Waits as long as the condition says; whether a piece passes then. */
  async #passes(isAnswer: boolean): Promise<boolean> {
    while (this.#condition.kind === "cut") await this.#changed.promise;
    const now = this.#condition;
    if (now.kind === "slow" && isAnswer) {
      await new Promise((resolve) => setTimeout(resolve, now.ms));
    }
    return now.kind !== "deaf" || !isAnswer;
  }

  #close(connection: Deno.Conn): void {
    if (!this.#open.delete(connection)) return;
    try {
      connection.close();
    } catch {
      // It is closed already.
    }
  }

  [Symbol.dispose](): void {
    this.condition = { kind: "whole" };
    this.#listener.close();
    for (const connection of this.#open) this.#close(connection);
  }
}
