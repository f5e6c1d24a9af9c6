/**
 * The page of one attempt: its facts, the time of its stages, and its log.
 *
 * @module
 */
import { formatDuration } from "../../base/duration.ts";
import { exitCodes } from "../../base/errors.ts";
import {
  attemptRows,
  type NamedAttempt,
  resultText,
} from "../../report/history_words.ts";
import type { PageFacts } from "../../report/page_facts.ts";
import type { Row } from "../../report/row.ts";
import { hasLog, LogReader } from "../../state/log_reader.ts";
import type { HistoryEntry } from "../../state/state.ts";
import { type Html, html } from "../html.ts";
import { stageBar } from "./bars.ts";
import type { Feed, Message } from "./events.ts";
import { type Excerpt, excerptOf, linesHtml } from "./log.ts";
import { readable } from "./run.ts";
import { rowsHtml, said, type Tone } from "./words.ts";

/** An attempt with a page. */
export interface ShownAttempt extends NamedAttempt {
  /** Whether it is in progress. */
  isRunning: boolean;
}

/** Returns the attempt with an id, or `undefined` if it is unknown. */
export function attemptOf(
  folder: string,
  id: string,
  seen: PageFacts | undefined,
): ShownAttempt | undefined {
  const { history = [], state, isBusy = false } = seen?.facts ?? {};
  const entry = history.find((one) => one.id === id);
  if (entry) {
    return { id, revision: entry.revision, entry, isRunning: false };
  }
  const attempt = state?.attempt;
  if (attempt?.id === id) {
    return { id, revision: attempt.commit.revision, isRunning: isBusy };
  }
  return hasLog(folder, id)
    ? { id, revision: undefined, isRunning: false }
    : undefined;
}

/** How it ended, as a colour. */
export function toneOf({ entry, isRunning }: ShownAttempt): Tone {
  if (isRunning) return "busy";
  if (!entry) return "warning";
  return entry.exit === exitCodes.ok ? "good" : "bad";
}

/** Makes the page. Also returns the number of log entries in it. */
export function attemptHtml(
  folder: string,
  attempt: ShownAttempt,
): { main: Html; lines: number } {
  const { id, entry } = attempt;
  const excerpt = readableExcerpt(folder, id);
  const { first, last, omitted } = excerpt ??
    { first: [], last: [], omitted: 0 };
  const main = html`<section class="card state ${
    toneOf(attempt)
  }" aria-label="Result">
<p class="word"><span class="dot" aria-hidden="true"></span><b>${
    resultOf(attempt)
  }</b></p>
${entry?.message && html`<p class="why">${said(entry.message)}</p>`}
</section>
<section class="card" aria-labelledby="attempt-name">
<h2 id="attempt-name">Attempt ${id}</h2>
${rowsHtml(rowsOf(attempt))}
</section>
${entry && entry.stages.length > 0 && stagesHtml(entry)}
<section class="card" aria-labelledby="log-name">
<div class="top"><h2 id="log-name">Log</h2>${
    excerpt &&
    html`<p class="soft"><a href="/attempts/${id}.txt">as text</a></p>`
  }</div>
${
    excerpt
      ? html`<pre id="log">${linesHtml(first)}${
        omitted > 0 &&
        html`
          <span
            class="warning">… ${omitted} more lines: the text version has all of them …
          </span>
        `
      }${linesHtml(last)}</pre>`
      : html`
        <p
          class="soft">The log was deleted, or this page may not read it. Run sudo gitops-sync logs ${id}.</p>
      `
  }
</section>`;
  return { main, lines: first.length + last.length + omitted };
}

/** Returns its result in a few words. */
function resultOf({ entry, isRunning }: ShownAttempt): string {
  if (entry) return resultText(entry);
  return isRunning ? "in progress" : "interrupted, or unknown";
}

/** Reads the log. Only root can read logs from before the page was enabled. */
function readableExcerpt(folder: string, id: string): Excerpt | undefined {
  try {
    return hasLog(folder, id) ? excerptOf(folder, id) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return undefined;
    throw error;
  }
}

/** Rows that the head of the page already shows. */
const inHead = ["attempt", "result", "why"];

function rowsOf(attempt: ShownAttempt): Row[] {
  return attemptRows(attempt).filter(([label]) => !inHead.includes(label))
    .map(([label, text]) => ({ label, text }));
}

function stagesHtml({ stages, stage: where, exit }: HistoryEntry): Html {
  const whole = stages.reduce((sum, { ms }) => sum + ms, 0);
  const failed = exit === exitCodes.ok ? undefined : where;
  let before = 0;
  const items = stages.map((one) => {
    const bar = stageBar(one, before, whole, failed);
    before += one.ms;
    return html`<li><span class="${
      one.stage === failed ? "bad" : ""
    }">${one.stage}</span>${bar}<span class="ms">${
      formatDuration(one.ms)
    }</span></li>`;
  });
  return html`
    <section class="card" aria-labelledby="stages-name">
      <h2 id="stages-name">Stages</h2>
      <ol class="stages">${items}</ol>
    </section>
  `;
}

/** Sends new lines of a log. */
export class LogFeed implements Feed {
  readonly #reader: LogReader;
  /** The number of entries that the page already has. */
  #skip: number;

  constructor(
    folder: string,
    private readonly id: string,
    lines: number,
    /** Returns the current facts of the attempt. */
    private readonly now: () => ShownAttempt | undefined,
  ) {
    this.#reader = new LogReader(folder, id);
    this.#skip = lines;
  }

  news(): Promise<readonly Message[]> {
    // Checked first, so lines from before the end are read afterwards.
    const isOver = !this.now()?.isRunning;
    const messages: Message[] = [];
    for (const entries of readable(this.#reader)) {
      const fresh = entries.slice(this.#skip);
      this.#skip = Math.max(0, this.#skip - entries.length);
      if (fresh.length === 0) continue;
      const html = `${linesHtml(fresh)}`;
      messages.push({ event: "lines", data: { id: this.id, html } });
    }
    if (isOver) messages.push({ event: "again", data: {} });
    return Promise.resolve(messages);
  }

  close(): void {
    this.#reader[Symbol.dispose]();
  }
}
