/**
 * The status page: which address shows what.
 *
 * @module
 */
import type { Config } from "../../config/schema.ts";
import type { NextRun } from "../../host/next_run.ts";
import { type PageFacts, readPage } from "../../report/page_facts.ts";
import { timeOf } from "../../report/times.ts";
import { isAttemptId } from "../../state/log_entries.ts";
import { hasLog } from "../../state/log_reader.ts";
import { told } from "../answer.ts";
import { type Html, html } from "../html.ts";
import type { Route } from "../server.ts";
import { attemptHtml, attemptOf, LogFeed, toneOf } from "./attempt.ts";
import { safeHeaders } from "../safe_headers.ts";
import { iconOf, pageResponse } from "./document.ts";
import { Clients, type Feed, type Message } from "./events.ts";
import { historyPart } from "./history.ts";
import { logStream } from "./log.ts";
import { holdsPart, planPart, windowsPart } from "./next.ts";
import {
  emptyState,
  factsPart,
  type Standing,
  standingOf,
  statePart,
} from "./overview.ts";
import { RunFollower, runPart } from "./run.ts";
import type { Part, Tone } from "./words.ts";

/** What somebody who reads may press. */
export interface Reader {
  actions?: Html;
}

/** Lets somebody read, or answers in place of the page. */
export type Admit = (
  request: Request,
  seen: PageFacts | undefined,
) => Promise<Reader | Response>;

/** What the page rests on beside the files of runs. */
export interface PageSources {
  /** Without it everybody reads, and nothing can be pressed. */
  admit?: Admit;
  now: () => Date;
  /** Asks systemd when the next run is. */
  nextRun: () => Promise<NextRun>;
  onFault: (error: unknown) => void;
}

/** Milliseconds for which an answer of systemd counts. */
const nextRunAge = 15_000;

/** Streams of whole logs at one moment. */
const mostLogs = 16;

/** Seconds after which a browser without scripts asks again. */
const refreshBusy = 5, refreshIdle = 60;

/** Milliseconds for which all clients are shown the same. */
const viewAge = 500;

/** What runs have left, as read at one moment. */
type Seen = PageFacts | undefined;

/** What there is to see at one moment. */
interface View {
  /** In any order. */
  parts: readonly Part[];
  title: string;
  tone: Tone;
  /** Whether no run has left anything. */
  isEmpty: boolean;
}

/** The status page of one host. */
export class Page implements Disposable {
  readonly #clients: Clients;
  readonly #follower = new RunFollower();
  #next: { value: NextRun; at: number } | undefined;
  #shared: { seen: Seen; view: View; at: number } | undefined;
  #logs = 0;

  constructor(
    private readonly config: Config,
    private readonly sources: PageSources,
  ) {
    this.#clients = new Clients(sources.onFault);
  }

  /** What the server answers for the page. */
  get routes(): Route[] {
    return [
      { path: "/", answer: this.#reading((...all) => this.#overview(...all)) },
      { path: "/events", answer: this.#reading((one) => this.#events(one)) },
      {
        path: "/attempts/",
        isBelow: true,
        answer: this.#reading((...all) => this.#attempt(...all)),
      },
    ];
  }

  [Symbol.dispose](): void {
    this.#clients.close();
    this.#follower[Symbol.dispose]();
  }

  /** An answer for those alone who may read. */
  #reading(
    answer: (
      request: Request,
      reader: Reader,
      seen: Seen,
    ) => Promise<Response>,
  ): Route["answer"] {
    return async (request) => {
      await request.body?.cancel();
      if (!["GET", "HEAD"].includes(request.method)) {
        return told(405, "expected GET", { allow: "GET, HEAD" });
      }
      try {
        const seen = await this.#seen();
        const reader = await this.#admit(request, seen);
        if (reader instanceof Response) return reader;
        const response = await answer(request, reader, seen);
        if (request.method === "GET") return response;
        await response.body?.cancel();
        return new Response(null, response);
      } catch (error) {
        this.sources.onFault(error);
        return told(
          500,
          "a bug in gitops-sync serve: see journalctl -u gitops-sync-serve",
        );
      }
    };
  }

  async #admit(request: Request, seen: Seen): Promise<Reader | Response> {
    return await this.sources.admit?.(request, seen) ?? {};
  }

  async #seen(): Promise<Seen> {
    const now = this.sources.now();
    const seen = readPage(this.config, now);
    if (!seen) return undefined;
    if (!this.#next || now.getTime() - this.#next.at >= nextRunAge) {
      this.#next = { value: await this.sources.nextRun(), at: now.getTime() };
    }
    return { ...seen, facts: { ...seen.facts, nextRun: this.#next.value } };
  }

  async #overview(
    _request: Request,
    reader: Reader,
    seen: Seen,
  ): Promise<Response> {
    const { parts, title, tone } = this.#view(seen);
    const of = (ids: readonly string[]) =>
      parts.filter(({ id }) => ids.includes(id)).map(({ html }) => html);
    return await pageResponse({
      ...reader,
      host: this.config.host,
      title,
      tone,
      asOf: `as of ${timeOf(this.sources.now().toISOString())}`,
      events: "/events",
      refresh: seen?.facts.isBusy ? refreshBusy : refreshIdle,
      main: html`
        ${of(["state", "run"])}
        <div class="columns">
          <div class="stack">${of(["facts", "holds"])}</div>
          <div class="stack">${of(["plan", "windows"])}</div>
        </div>
        ${of(["history"])}
      `,
    });
  }

  #view(seen: Seen): View {
    const { host } = this.config;
    if (!seen) {
      const parts = [{ id: "state", html: emptyState() }];
      return { parts, title: host, tone: "warning", isEmpty: true };
    }
    const standing = standingOf(seen);
    return {
      isEmpty: false,
      parts: this.#parts(seen, standing),
      title: `${host}: ${standing.text}`,
      tone: standing.tone,
    };
  }

  #parts(seen: PageFacts, standing: Standing): Part[] {
    return [
      { id: "state", html: statePart(standing) },
      { id: "run", html: runPart(seen, this.#follower) },
      { id: "facts", html: factsPart(seen, standing) },
      { id: "plan", html: planPart(seen) },
      { id: "windows", html: windowsPart(seen) },
      { id: "holds", html: holdsPart(seen) },
      { id: "history", html: historyPart(seen) },
    ];
  }

  #events(request: Request): Promise<Response> {
    return Promise.resolve(this.#stream(this.#overviewFeed(request)));
  }

  #stream(feed: Feed): Response {
    if (!this.#clients.isFull) return this.#clients.answer(feed);
    feed.close();
    return told(503, "too many clients have this page open: try again later", {
      "retry-after": "30",
    });
  }

  /** What differs from what this client was sent. */
  #overviewFeed(request: Request): Feed {
    const sent = new Map<string, string>();
    let wasEmpty: boolean | undefined;
    const news = async (): Promise<Message[]> => {
      const { seen, view } = await this.#now();
      // Whoever may not read any more is told so by a page of its own.
      const reader = await this.#admit(request, seen);
      if (reader instanceof Response) return [{ event: "again", data: {} }];
      const { isEmpty } = view;
      const isOther = wasEmpty !== undefined && wasEmpty !== isEmpty;
      wasEmpty = isEmpty;
      // What is empty has other parts.
      if (isOther) return [{ event: "again", data: {} }];
      return changes(view, reader, sent);
    };
    return { news, close() {} };
  }

  /** The same facts and the same view for all clients of one moment. */
  async #now(): Promise<{ seen: Seen; view: View }> {
    const at = this.sources.now().getTime();
    if (!this.#shared || Math.abs(at - this.#shared.at) >= viewAge) {
      const seen = await this.#seen();
      this.#shared = { seen, view: this.#view(seen), at };
    }
    return this.#shared;
  }

  /** `/attempts/ID`, `/attempts/ID.txt` and `/attempts/ID/events`. */
  async #attempt(
    request: Request,
    reader: Reader,
    seen: Seen,
  ): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const [, id = "", what = ""] =
      /^\/attempts\/([\w-]+)(|\.txt|\/events)$/.exec(pathname) ?? [];
    if (!isAttemptId(id)) return this.#nothing(reader);
    const folder = this.config.stateDirectory;
    const attempt = attemptOf(folder, id, seen);
    if (!attempt) return this.#nothing(reader);
    if (what === ".txt") return this.#text(id, reader);
    if (what === "/events") {
      const lines = Number(searchParams.get("from")) || 0;
      const now = () =>
        attemptOf(folder, id, readPage(this.config, this.sources.now()));
      return this.#stream(new LogFeed(folder, id, lines, now));
    }
    const { main, lines } = attemptHtml(folder, attempt);
    const { isUnderWay } = attempt;
    return await pageResponse({
      ...reader,
      host: this.config.host,
      title: `${this.config.host}: attempt ${id}`,
      tone: toneOf(attempt),
      main,
      ...isUnderWay
        ? {
          asOf: `as of ${timeOf(this.sources.now().toISOString())}`,
          events: `/attempts/${id}/events?from=${lines}`,
          refresh: refreshBusy,
        }
        : {},
    });
  }

  #text(id: string, reader: Reader): Response | Promise<Response> {
    const folder = this.config.stateDirectory;
    if (!hasLog(folder, id)) return this.#nothing(reader);
    if (this.#logs >= mostLogs) {
      return told(503, "too many clients read logs: try again later", {
        "retry-after": "5",
      });
    }
    this.#logs++;
    const counted = new TransformStream<Uint8Array, Uint8Array>();
    logStream(folder, id).pipeTo(counted.writable).catch(() => {})
      .finally(() => this.#logs--);
    return new Response(counted.readable, {
      headers: { ...safeHeaders, "content-type": "text/plain; charset=utf-8" },
    });
  }

  async #nothing(reader: Reader): Promise<Response> {
    const { host } = this.config;
    return await pageResponse({
      ...reader,
      host,
      title: `${host}: not found`,
      tone: "",
      main: html`
        <section class="card">
          <h2>Not found</h2>
          <p
            class="soft">There is no such page, or the attempt is no longer in the history. Go to <a href="/">this host</a>.</p>
        </section>
      `,
    }, 404);
  }
}

/** What of a view a client was not sent yet. */
function changes(
  { parts, title, tone }: View,
  { actions }: Reader,
  sent: Map<string, string>,
): Message[] {
  const all: readonly Part[] = [...parts, {
    id: "actions",
    html: html`<div class="actions" id="actions">${actions}</div>`,
  }];
  const messages: Message[] = [
    { event: "head", data: { title, icon: iconOf(tone) } },
    ...all.map(({ id, html }): Message => ({
      event: "part",
      data: { id, html: `${html}` },
    })),
  ];
  return messages.filter(({ data }) => {
    const key = data.id ?? "";
    const text = JSON.stringify(data);
    const isNew = sent.get(key) !== text;
    sent.set(key, text);
    return isNew;
  });
}
