/**
 * The status page and its routes.
 *
 * @module
 */
import type { Config } from "../../config/schema.ts";
import type { NextRun } from "../../host/next_run.ts";
import { type PageFacts, readPage } from "../../report/page_facts.ts";
import { timeOf } from "../../report/times.ts";
import { isAttemptId } from "../../state/log_entries.ts";
import { hasLog } from "../../state/log_reader.ts";
import { jsonMessage } from "../answer.ts";
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
  type PageState,
  pageState,
  statePart,
} from "./overview.ts";
import { RunFollower, runPart } from "./run.ts";
import type { Part, Tone } from "./words.ts";

/** The buttons of a reader. */
export interface Reader {
  actions?: Html;
}

/** Lets a person read, or answers instead of the page. */
export type Admit = (
  request: Request,
  seen: PageFacts | undefined,
) => Promise<Reader | Response>;

/** The dependencies of the page, in addition to the files of runs. */
export interface PageSources {
  /** Without it, everybody reads, and there are no buttons. */
  admit?: Admit;
  now: () => Date;
  /** Asks systemd for the time of the next run. */
  nextRun: () => Promise<NextRun>;
  onFault: (error: unknown) => void;
}

/** How long an answer of systemd is used, in milliseconds. */
const nextRunAge = 15_000;

/** The limit of concurrent streams of whole logs. */
const mostLogs = 16;

/** The seconds after which a browser without JavaScript reloads. */
const refreshBusy = 5, refreshIdle = 60;

/** How long all clients share one view, in milliseconds. */
const viewAge = 500;

/** The data of runs, read at one moment. */
type Seen = PageFacts | undefined;

/** The content of the page at one moment. */
interface View {
  /** In any order. */
  parts: readonly Part[];
  title: string;
  tone: Tone;
  /** Whether there is no data of a run. */
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

  /** The routes of the page. */
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

  /** Wraps an answer that only readers get. */
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
        return jsonMessage(405, "expected GET", { allow: "GET, HEAD" });
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
        return jsonMessage(
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
    const state = pageState(seen);
    return {
      isEmpty: false,
      parts: this.#parts(seen, state),
      title: `${host}: ${state.text}`,
      tone: state.tone,
    };
  }

  #parts(seen: PageFacts, state: PageState): Part[] {
    return [
      { id: "state", html: statePart(state) },
      { id: "run", html: runPart(seen, this.#follower) },
      { id: "facts", html: factsPart(seen, state) },
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
    return jsonMessage(
      503,
      "too many clients have this page open: try again later",
      {
        "retry-after": "30",
      },
    );
  }

  /** Makes a feed of the changes for one client. */
  #overviewFeed(request: Request): Feed {
    const sent = new Map<string, string>();
    let wasEmpty: boolean | undefined;
    const news = async (): Promise<Message[]> => {
      const { seen, view } = await this.#now();
      // A reload shows the refusal to a person who may no longer read.
      const reader = await this.#admit(request, seen);
      if (reader instanceof Response) return [{ event: "again", data: {} }];
      const { isEmpty } = view;
      const isOther = wasEmpty !== undefined && wasEmpty !== isEmpty;
      wasEmpty = isEmpty;
      // An empty page has other parts.
      if (isOther) return [{ event: "again", data: {} }];
      return changes(view, reader, sent);
    };
    return { news, close() {} };
  }

  /** Returns the same facts and view to all clients of one moment. */
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
    const { isRunning } = attempt;
    return await pageResponse({
      ...reader,
      host: this.config.host,
      title: `${this.config.host}: attempt ${id}`,
      tone: toneOf(attempt),
      main,
      ...isRunning
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
      return jsonMessage(503, "too many clients read logs: try again later", {
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

/** Returns the parts of a view that a client does not have yet. */
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
