/**
 * The run in progress: its stages, its current work, and the end of its log.
 *
 * @module
 */
import { formatDuration } from "../../base/duration.ts";
import type { Progress, Task } from "../../base/effects.ts";
import type { Stage } from "../../base/errors.ts";
import { shown } from "../../base/redact.ts";
import { short } from "../../base/text.ts";
import type { PageFacts } from "../../report/page_facts.ts";
import { timeAndAge } from "../../report/times.ts";
import type { Live, LogEntry } from "../../state/log_entries.ts";
import { LogReader } from "../../state/log_reader.ts";
import type { Attempt } from "../../state/state.ts";
import { type Html, html } from "../html.ts";
import { stageBar } from "./bars.ts";
import { linesHtml } from "./log.ts";

/** The limits of shown log lines and tasks. */
const mostLines = 12, mostTasks = 8;

/** A started stage. */
interface Begun {
  stage: Stage;
  /** When it began, in milliseconds since 1970. */
  at: number;
  /** How long it took; missing while it is in progress. */
  ms?: number;
  isFailed?: true;
}

/**
 * Reads the new entries of a log. A log from before the page was enabled can't
 * be read and has none.
 */
export function* readable(
  reader: LogReader | undefined,
): Generator<LogEntry[]> {
  try {
    yield* reader?.read() ?? [];
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
  }
}

/** Follows the log of the attempt in progress. */
export class RunFollower implements Disposable {
  #id: string | undefined;
  #reader: LogReader | undefined;
  #stages: Begun[] = [];
  #lines: LogEntry[] = [];

  /** Reads the new entries of an attempt. */
  look(folder: string, { id }: Attempt): void {
    if (id !== this.#id) {
      this[Symbol.dispose]();
      this.#id = id;
      this.#reader = new LogReader(folder, id);
      this.#stages = [];
      this.#lines = [];
    }
    for (const entries of readable(this.#reader)) {
      for (const entry of entries) this.#note(entry);
      this.#lines = [...this.#lines, ...entries].slice(-mostLines);
    }
  }

  get stages(): readonly Begun[] {
    return this.#stages;
  }

  get lines(): readonly LogEntry[] {
    return this.#lines;
  }

  /** The progress of the current stage. */
  get live(): Live | undefined {
    return this.#reader?.live();
  }

  [Symbol.dispose](): void {
    this.#reader?.[Symbol.dispose]();
    this.#reader = undefined;
    this.#id = undefined;
  }

  #note(entry: LogEntry): void {
    if (entry.kind === "start") {
      this.#stages.push({ stage: entry.stage, at: entry.at });
    } else if (entry.kind === "done" || entry.kind === "failed") {
      const { stage, ms } = entry;
      const begun = this.#stages.findLast((one) => one.stage === stage);
      if (!begun) return;
      begun.ms = ms;
      if (entry.kind === "failed") begun.isFailed = true;
    }
  }
}

/** Makes the part about the run in progress. It is hidden if there is none. */
export function runPart({ facts }: PageFacts, follower: RunFollower): Html {
  const { isBusy, busy, state: { attempt }, now, config } = facts;
  if (!isBusy) return html`<section id="run" hidden></section>`;
  if (attempt) follower.look(config.stateDirectory, attempt);
  const commit = attempt?.commit;
  return html`<section id="run" class="card" aria-labelledby="run-name">
<div class="top"><h2 id="run-name">A run is in progress</h2>${
    busy &&
    html`<p class="soft">${busy.command}, process ${busy.pid}, since ${
      timeAndAge(new Date(busy.since).toISOString(), now)
    }</p>`
  }</div>
${
    attempt && commit
      ? html`
        <p><a href="/attempts/${attempt.id}"><code>${short(
          commit.revision,
        )}</code></a> ${shown(commit.subject)}</p>
        <div class="work">${workHtml(follower, now)}</div>
      `
      : html`<p class="soft">It is checking the repository.</p>`
  }
</section>`;
}

function workHtml(follower: RunFollower, now: Date): Html {
  const { stages, lines, live } = follower;
  const begun = stages[0]?.at ?? now.getTime();
  const whole = Math.max(1, now.getTime() - begun);
  return html`<ol class="stages">${
    stages.map((one) => stageItem(one, begun, whole, now))
  }</ol>
${live && progressHtml(live)}
${
    lines.length > 0 &&
    html`<pre class="box" aria-label="End of the log">${linesHtml(lines)}</pre>`
  }`;
}

function stageItem(
  { stage, at, ms, isFailed }: Begun,
  begun: number,
  whole: number,
  now: Date,
): Html {
  const took = ms ?? Math.max(0, now.getTime() - at);
  const name = ms === undefined ? "now busy" : isFailed ? "bad" : "";
  return html`<li><span class="${name}">${stage}</span>${
    stageBar(
      { stage, ms: took },
      at - begun,
      whole,
      isFailed ? stage : undefined,
    )
  }<span class="ms">${formatDuration(took)}</span></li>`;
}

function progressHtml({ text, tasks = [] }: Progress): Html {
  const head = tasks.length > 0 ? text.replace(/ · .*$/s, "") : text;
  const more = tasks.length - mostTasks;
  return html`
    <div class="tasks">
      <p>${shown(head)}</p>
      <ul>${tasks.slice(0, mostTasks).map(taskItem)}${more > 0 &&
        html`<li class="soft">and ${more} more</li>`}</ul>
    </div>
  `;
}

function taskItem({ name, note, ms }: Task): Html {
  return html`<li><span><code>${shown(name)}</code> <span class="soft">${
    shown(note)
  }</span></span><span class="soft">${formatDuration(ms)}</span></li>`;
}
