/**
 * The history part: the attempts of this host, newest first.
 *
 * @module
 */
import { formatDuration } from "../../base/duration.ts";
import { exitCodes } from "../../base/errors.ts";
import { shown } from "../../base/redact.ts";
import { oneLine, short } from "../../base/text.ts";
import { resultText, spellText } from "../../report/history_words.ts";
import type { PageFacts } from "../../report/page_facts.ts";
import { isAttempt } from "../../state/history.ts";
import { isAttemptId } from "../../state/log_entries.ts";
import type { HistoryEntry } from "../../state/state.ts";
import { type Html, html, type Value } from "../html.ts";
import { bar, legend } from "./bars.ts";
import { timeHtml } from "./words.ts";

/** The number of lines. */
const most = 25;

/** The limit of a subject. The page of the attempt shows all of it. */
const mostOfSubject = 120;

/** Makes the history part. */
export function historyPart({ facts }: PageFacts): Html {
  const entries = facts.history.slice(-most).reverse();
  const longest = Math.max(0, ...entries.map(whole));
  return html`<section id="history" class="card" aria-labelledby="history-name">
<div class="top"><h2 id="history-name">History</h2>${
    longest > 0 && legend()
  }</div>
${
    entries.length === 0
      ? html`<p class="soft">There are no attempts yet.</p>`
      : html`<ol class="attempts">${
        entries.map((entry) => item(entry, longest))
      }</ol>`
  }
</section>`;
}

/** Returns the time of all stages, in milliseconds. */
function whole({ stages }: HistoryEntry): number {
  return stages.reduce((sum, { ms }) => sum + ms, 0);
}

function item(entry: HistoryEntry, longest: number): Html {
  const { at, ms, stages, stage, exit } = entry;
  const isFailed = exit !== exitCodes.ok;
  return html`
    <li>
      <span class="when">${linked(entry, timeHtml(at))}</span>
      <span class="what">${whatOf(entry)}</span>
      <span class="how ${toneOf(entry)}">${howOf(entry)}</span>
      <span class="time">${bar(
        stages,
        longest,
        isFailed ? stage : undefined,
      )}</span>
      <span class="took">${isRun(entry) && formatDuration(ms)}</span>
    </li>
  `;
}

const isRun = (entry: HistoryEntry) =>
  isAttempt(entry) || entry.result === "unreached";

/** Links an attempt of a run to its page. */
function linked(entry: HistoryEntry, text: Html): Html {
  return isAttempt(entry) && isAttemptId(entry.id)
    ? html`<a href="/attempts/${entry.id}">${text}</a>`
    : text;
}

function whatOf({ revision, subject, message, result }: HistoryEntry): Value {
  if (result === "unreached") {
    return html`<span class="soft">${
      oneLine(shown(message ?? ""), 200)
    }</span>`;
  }
  if (revision === undefined) {
    return oneLine(shown(subject ?? ""), mostOfSubject);
  }
  return html`<code>${short(revision)}</code> ${
    oneLine(shown(subject ?? ""), mostOfSubject)
  }`;
}

function howOf(entry: HistoryEntry): string {
  return entry.result === "unreached" ? spellText(entry) : resultText(entry);
}

function toneOf({ result, exit }: HistoryEntry): string {
  if (result === "unreached") return "soft";
  if (exit !== exitCodes.ok) {
    return result === "interrupted" ? "warning" : "bad";
  }
  return ["deployed", "corrected", "tested"].includes(result) ? "good" : "";
}
