/**
 * Server-sent events (HTML, 9.2): what of a page differs is sent again, to all
 * who look at it.
 *
 * @module
 */
import { safeHeaders } from "../safe_headers.ts";

/** One event. */
export interface Message {
  event: "part" | "head" | "lines" | "again";
  data: Readonly<Record<string, string>>;
}

/** What one client looks at. */
export interface Feed {
  /** What is new since it was asked last; the first time, all of it. */
  news(): Promise<readonly Message[]>;
  /** Nobody looks any more. */
  close(): void;
}

/** Clients at one moment; others see a page that stands still. */
const mostClients = 64;

/** Milliseconds from one look to the next. */
const pause = 1000;

/** After so many looks without news the client is told that all is well. */
const silent = 15;

const encoder = new TextEncoder();

/** After so many looks a client that reads nothing is let go. */
const mostStuck = 60;

/** A client that is connected. */
class Client {
  #quiet = 0;
  #stuck = 0;
  #isOver = false;
  /** A look takes time; there is never more than one. */
  #isLooking = false;

  constructor(
    private readonly feed: Feed,
    private readonly controller: ReadableStreamDefaultController<Uint8Array>,
  ) {}

  /** Whether it has not read for long. */
  get isStuck(): boolean {
    return this.#stuck >= mostStuck;
  }

  /** Sends what is new. A client that does not read is sent nothing. */
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

  /** Lets go of the client. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.feed.close();
    try {
      this.controller.close();
    } catch {
      // It has gone by itself.
    }
  }

  #send(text: string): void {
    this.#quiet = 0;
    this.controller.enqueue(encoder.encode(text));
  }
}

function textOf({ event, data }: Message): string {
  // JSON has no line end in it, which would end the data.
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** All clients that look at pages. */
export class Clients {
  readonly #all = new Set<Client>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param onFault Told of what went wrong with one of them, which then goes. */
  constructor(private readonly onFault: (error: unknown) => void) {}

  /** Whether there is no room for another one. */
  get isFull(): boolean {
    return this.#all.size >= mostClients;
  }

  /** Answers with what a feed has, for as long as the client listens. */
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
        // Neither Deno nor a proxy may gather it (nginx, "proxy_buffering").
        "cache-control": "no-store, no-transform",
        "x-accel-buffering": "no",
      },
    });
  }

  /** Lets go of all: the server ends. */
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
