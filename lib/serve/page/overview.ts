/**
 * The state of the host: the first part of the page, in the words of `status`.
 *
 * @module
 */
import { formatDuration } from "../../base/duration.ts";
import { count } from "../../base/text.ts";
import { hostStateOf } from "../../run/host_state.ts";
import { agreement, type Verdict } from "../../report/agreement.ts";
import type { PageFacts } from "../../report/page_facts.ts";
import type { Row } from "../../report/row.ts";
import { colours, headline, statusRows } from "../../report/status_text.ts";
import { timeAndAge } from "../../report/times.ts";
import { type Html, html } from "../html.ts";
import { rowsHtml, said, type Tone, toneOf } from "./words.ts";

/** Rows of `status` that are elsewhere on the page. */
const elsewhere = ["host", "why", "next"];

/** The state for the head of the page. */
export interface PageState {
  /** In a few words. */
  text: string;
  tone: Tone;
  verdict: Verdict;
}

/** Returns the state of the host. */
export function pageState({ facts }: PageFacts): PageState {
  const state = hostStateOf(facts);
  const verdict = agreement(facts);
  const text = headline(facts, verdict, state);
  return { text, tone: toneOf(colours[state]), verdict };
}

/**
 * Makes the part with the state in large letters, the reason, and what comes
 * next.
 */
export function statePart({ text, tone, verdict }: PageState): Html {
  const { why, next } = verdict;
  return html`<section id="state" class="card state ${tone}" aria-label="State">
<p class="word" role="status"><span class="dot" aria-hidden="true"></span><b>${text}</b></p>
${why !== "" && html`<p class="why">${said(why)}</p>`}
<ul class="next">${next.map((line) => html`<li>${said(line)}</li>`)}</ul>
</section>`;
}

/** Makes the part for a host without data of a run. */
export function emptyState(): Html {
  return html`
    <section id="state" class="card state warning" aria-label="State">
      <p class="word"
        role="status"><span class="dot" aria-hidden="true"></span><b>nothing is known yet</b></p>
      <ul class="next">
        <li>No run of this version has written data for this page yet. The next run does.</li>
        <li>Run sudo gitops-sync sync to start one now.</li>
      </ul>
    </section>
  `;
}

/**
 * Makes the part with the running system, the revision in Git, the delay, and
 * the last attempt.
 */
export function factsPart(seen: PageFacts, { verdict }: PageState): Html {
  const rows = statusRows(seen.facts, verdict);
  const shown: Row[] = [];
  let label = "";
  for (const row of rows) {
    // A row without a label continues the row above.
    label = row.label || label;
    if (elsewhere.includes(label)) continue;
    shown.push(row);
    if (row.label === "git") shown.push(...behindRows(seen));
  }
  return html`<section id="facts" class="card" aria-labelledby="facts-name">
<h2 id="facts-name">This host</h2>
${rowsHtml(shown)}
</section>`;
}

/** Returns how far the host is behind, in commits and in time. */
function behindRows({ facts, behind }: PageFacts): Row[] {
  const { config, state, tip, now } = facts;
  const done = config.operation === "build" ? state.built : state.lastGood;
  if (!tip || !done || tip.revision === done.revision) return [];
  if (behind) {
    const age = formatDuration(Math.max(0, now.getTime() - behind.oldest));
    const commits = count(behind.count, "commit");
    const oldest = behind.count === 1 ? "made" : "the oldest made";
    return [{ label: "behind", text: `${commits}, ${oldest} ${age} ago` }];
  }
  return state.seen?.revision === tip.revision
    ? [{ label: "behind", text: `since ${timeAndAge(state.seen.at, now)}` }]
    : [];
}
