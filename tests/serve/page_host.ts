/**
 * A page with what runs leave for it, behind a real server.
 *
 * @module
 */
import type { Event } from "../../lib/base/effects.ts";
import { loadConfig } from "../../lib/config/config.ts";
import type { Config } from "../../lib/config/schema.ts";
import type { Behind } from "../../lib/report/behind.ts";
import type { Facts } from "../../lib/report/agreement.ts";
import {
  type ShownPlan,
  writeFacts,
  writePlan,
} from "../../lib/report/page_facts.ts";
import { targetOf } from "../../lib/run/decide.ts";
import { Page, type PageSources } from "../../lib/serve/page/page.ts";
import { listen, makeAnswer } from "../../lib/serve/server.ts";
import { AttemptLog } from "../../lib/state/attempt_log.ts";
import type {
  Deployment,
  HistoryEntry,
  Hold,
  State,
} from "../../lib/state/state.ts";

/** The moment at which the pages are looked at. */
export const now = new Date("2026-03-02T14:20:00Z");

const minute = 60_000, hour = 60 * minute;

/** So many milliseconds before that moment, ISO 8601. */
export const ago = (ms: number) => new Date(now.getTime() - ms).toISOString();

export const revisions = {
  old: "9f31c07a52be18d4471a0c95e2f6d08b7c6a3e15",
  good: "4b112af8390cd21f7e6ab0f5c18e7d9352604c7b",
  tip: "d07e5b63fa914c28e03d1b7752ac96f84e1b20aa",
};

const running =
  "/nix/store/8x2c9k1m4n5p6q7r8s9v0w1y2z3a4b5c-nixos-system-web-1-26.05";

/** What a deployment of a revision was. */
export function deployment(
  config: Config,
  revision: string,
  subject: string,
  at: string,
): Deployment {
  return {
    revision,
    subject,
    author: "Ada Moreno",
    committedAt: at,
    target: targetOf(config),
    system: running,
    at,
  };
}

/** An attempt of the history. */
export function entry(
  at: string,
  revision: string,
  subject: string,
  stages: readonly [HistoryEntry["stages"][number]["stage"], number][],
  more: Partial<HistoryEntry> = {},
): HistoryEntry {
  const ms = stages.reduce((sum, [, one]) => sum + one, 0);
  const time = at.slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  return {
    version: 1,
    id: `${time}-${revision.slice(0, 4)}`,
    command: "sync",
    at,
    ms,
    result: "deployed",
    exit: 0,
    revision,
    subject,
    author: "Ada Moreno",
    system: running,
    stages: stages.map(([stage, ms]) => ({ stage, ms })),
    ...more,
  };
}

/** A day of a host. */
export function someHistory(): HistoryEntry[] {
  const { old, good, tip } = revisions;
  return [
    entry(ago(50 * hour), old, "nginx: allow larger uploads for the archive", [
      ["preflight", 300],
      ["fetch", 900],
      ["verify", 120],
      ["secrets", 640],
      ["build", 95_000],
      ["prove", 350],
      ["activate", 6_400],
      ["health", 21_000],
      ["confirm", 1_900],
    ]),
    entry(ago(29 * hour), tip, "postgresql: 16 to 17", [
      ["preflight", 280],
      ["fetch", 1_100],
      ["verify", 110],
      ["secrets", 600],
      ["build", 171_000],
      ["prove", 400],
      ["activate", 8_800],
      ["health", 64_000],
    ], {
      result: "failed",
      exit: 7,
      stage: "health",
      reason: "unit-failed",
      message:
        "postgresql.service failed after the switch; the host is back at what ran before",
    }),
    {
      version: 1,
      id: "unreached-1",
      command: "sync",
      at: ago(20 * hour),
      ms: 47 * minute,
      result: "unreached",
      exit: 3,
      stages: [],
      stage: "decide",
      reason: "unreachable",
      message: "git.example.org does not answer: connection timed out",
      tries: 9,
    },
    entry(ago(3 * hour), good, "Follow nixpkgs of this week", [
      ["preflight", 310],
      ["fetch", 1_400],
      ["verify", 130],
      ["secrets", 610],
      ["build", 131_000],
      ["prove", 370],
      ["activate", 7_100],
      ["health", 20_500],
      ["confirm", 2_000],
    ]),
  ];
}

/** A hold on a revision. */
export function holdOn(config: Config, message: string): Hold {
  return {
    revision: revisions.tip,
    target: targetOf(config),
    stage: "health",
    reason: "unit-failed",
    message,
    hints: ["journalctl --unit=postgresql.service says why"],
    since: ago(29 * hour),
  };
}

/** A host that shows a page. */
export class PageHost implements AsyncDisposable {
  readonly faults: unknown[] = [];
  readonly page: Page;
  #server: Deno.HttpServer | undefined;

  private constructor(
    readonly folder: string,
    readonly config: Config,
    sources: Partial<PageSources>,
  ) {
    this.page = new Page(config, {
      now: () => now,
      nextRun: () =>
        Promise.resolve({ at: new Date(now.getTime() + 4 * minute) }),
      onFault: (error) => this.faults.push(error),
      ...sources,
    });
  }

  /** @param given More options, as the configuration has them. */
  static async make(
    given: Readonly<Record<string, unknown>> = {},
    sources: Partial<PageSources> = {},
  ): Promise<PageHost> {
    const folder = await Deno.makeTempDir({ prefix: "page-" });
    const path = `${folder}/config.yml`;
    const all = {
      repository: "https://git.example.org/me/infra.git",
      ref: "main",
      host: "web-1",
      stateDirectory: folder,
      serve: { page: true },
      ...given,
    };
    await Deno.writeTextFile(path, JSON.stringify(all));
    return new PageHost(folder, await loadConfig(path, []), sources);
  }

  /** Leaves what a run would. */
  leave(
    state: Partial<State>,
    more: Partial<Facts> = {},
    extra: { behind?: Behind; plan?: ShownPlan } = {},
  ): void {
    const { config } = this;
    const facts: Facts = {
      config,
      state: { version: 1, earlier: [], holds: [], ...state },
      systems: { running, bootDefault: running },
      history: [],
      now,
      isBusy: false,
      tip: {
        revision: revisions.good,
        kind: "branch",
        name: "refs/heads/main",
      },
      asked: {
        repository: config.repository,
        ref: config.ref,
        tip: {
          revision: revisions.good,
          kind: "branch",
          name: "refs/heads/main",
        },
        at: new Date(now.getTime() - 96_000),
      },
      ...more,
    };
    writeFacts(this.folder, facts, extra.behind);
    if (extra.plan) writePlan(this.folder, extra.plan);
  }

  /** The newest commit runs. */
  leaveInSync(more: Partial<State> = {}): void {
    const good = deployment(
      this.config,
      revisions.good,
      "Follow nixpkgs of this week",
      ago(3 * hour),
    );
    const history = someHistory();
    for (const one of history) {
      if (one.result === "unreached") continue;
      this.log(one.id, [
        { kind: "attempt", id: one.id, revision: one.revision! },
        ...one.stages.flatMap(({ stage, ms }): Event[] => [
          { kind: "start", stage },
          one.stage === stage
            ? { kind: "failed", stage, ms }
            : { kind: "done", stage, text: "well", ms },
        ]),
      ], one);
    }
    this.leave({ lastGood: good, ...more }, { history });
  }

  /** Writes the log of an attempt. */
  log(
    id: string,
    events: readonly Event[],
    end?: { result: string; exit: number; message?: string },
  ): void {
    const fail = (why: string) => this.faults.push(new Error(why));
    // As if each line came when the stage before it was over.
    let at = now.getTime() - 2 * minute;
    const clock = () => new Date(at);
    const log = new AttemptLog(this.folder, id, clock, fail, true);
    for (const event of events) {
      if ("ms" in event) at += event.ms;
      log.tell(event);
    }
    if (end) log.end(end.result, end.exit, end.message ?? "");
    else log.close();
  }

  /** Asks the page without a server. */
  async ask(path: string, init: RequestInit = {}): Promise<Response> {
    const answer = makeAnswer(this.page.routes);
    return await answer(new Request(`http://localhost${path}`, init));
  }

  /** Serves the page, and says where. */
  async serve(): Promise<string> {
    const answer = makeAnswer(this.page.routes);
    this.#server = await listen("127.0.0.1:0", answer, () => {});
    const { port } = this.#server.addr as Deno.NetAddr;
    return `http://127.0.0.1:${port}`;
  }

  async [Symbol.asyncDispose]() {
    this.page[Symbol.dispose]();
    await this.#server?.shutdown();
    await Deno.remove(this.folder, { recursive: true });
  }
}
