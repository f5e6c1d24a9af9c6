/**
 * Server-sent events (HTML, 9.2): sends the changed parts of a page to all its
 * clients.
 *
 * @module
 */
import { safeHeaders } from "../safe_headers.ts";

/** One event. */
export interface Message {
  event: "part" | "head" | "lines" | "again";
  data: Readonly<Record<string, string>>;
}

/** The source of one client's events. */
export interface Feed {
  /** Returns the changes since the last call; at first everything. */
  news(): Promise<readonly Message[]>;
  /** The client has gone. */
  close(): void;
}

/** The limit of clients. Further clients see a page that does not update. */
const mostClients = 64;

/** The time between two checks, in milliseconds. */
const pause = 1000;

/** After this many checks without changes, a sign of life is sent. */
const silent = 15;

const encoder = new TextEncoder();

/** After this many checks, a client that reads nothing is disconnected. */
const mostStuck = 60;

/** A connected client. */
class Client {
  #quiet = 0;
  #stuck = 0;
  #isOver = false;
  /** A check takes time. Only one runs at a time. */
  #isLooking = false;

  constructor(
    private readonly feed: Feed,
    private readonly controller: ReadableStreamDefaultController<Uint8Array>,
  ) {}

  /** Whether it has not read for a long time. */
  get isStuck(): boolean {
    return this.#stuck >= mostStuck;
  }

  /** Sends the changes. Nothing is sent to a client that does not read. */
  async look(): Promise<void> {
    const { desiredSize } = this.controller;
    const isFull = desiredSize === null || desiredSize <= 0;
    this.#stuck = isFull ? this.#stuck + 1 : 0;
    if (this.#isOver || this.#isLooking || isFull) return;
    this.#isLooking = true;
    try {
      const news = await this.feed.news();
      if (this.#isOver) return;
      if (news.length > 0) this.#send(news.map(textOf).join(""));
      else if (++this.#quiet >= silent) this.#send(": still here\n\n");
    } finally {
      this.#isLooking = false;
    }
  }

  /** Disconnects the client. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.feed.close();
    try {
      this.controller.close();
    } catch {
      // The client has already gone.
    }
  }

  #send(text: string): void {
    this.#quiet = 0;
    this.controller.enqueue(encoder.encode(text));
  }
}

function textOf({ event, data }: Message): string {
  // JSON contains no line end, which would end the data.
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** All connected clients. */
export class Clients {
  readonly #all = new Set<Client>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * @param onFault Called with the error of a client, which is then
   * disconnected.
   */
  constructor(private readonly onFault: (error: unknown) => void) {}

  /** Whether the limit is reached. */
  get isFull(): boolean {
    return this.#all.size >= mostClients;
  }

  /** Answers with the events of a feed, while the client is connected. */
  answer(feed: Feed): Response {
    let client: Client;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        client = new Client(feed, controller);
        this.#all.add(client);
        controller.enqueue(encoder.encode("retry: 3000\n\n"));
      },
      cancel: () => this.#forget(client),
    }, { highWaterMark: 2 });
    this.#timer ??= setInterval(() => this.#lookAll(), pause);
    this.#look(client!);
    return new Response(body, {
      headers: {
        ...safeHeaders,
        "content-type": "text/event-stream",
        // Neither Deno nor a proxy may buffer it (nginx, "proxy_buffering").
        "cache-control": "no-store, no-transform",
        "x-accel-buffering": "no",
      },
    });
  }

  /** Disconnects all clients, at the end of the server. */
  close(): void {
    for (const client of this.#all) this.#forget(client);
  }

  #lookAll(): void {
    for (const client of this.#all) {
      if (client.isStuck) this.#forget(client);
      else this.#look(client);
    }
  }

  #look(client: Client): void {
    client.look().catch((error) => {
      this.#forget(client);
      this.onFault(error);
    });
  }

  #forget(client: Client): void {
    client.close();
    this.#all.delete(client);
    if (this.#all.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
