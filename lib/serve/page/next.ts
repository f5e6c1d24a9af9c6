/**
 * What comes next: the last plan, blocked commits, and windows.
 *
 * @module
 */
import { short } from "../../base/text.ts";
import type { Facts } from "../../report/agreement.ts";
import type { PageFacts } from "../../report/page_facts.ts";
import { timeAndAge, timeOf } from "../../report/times.ts";
import { opensText } from "../../report/words.ts";
import { openingOf } from "../../run/decide.ts";
import { holdHints } from "../../run/holding.ts";
import type { Hold } from "../../state/state.ts";
import { type Html, html } from "../html.ts";
import { rowsHtml, said } from "./words.ts";

/** Makes the part about the plan of the next revision. */
export function planPart({ facts, plan }: PageFacts): Html {
  const { tip, state, config, now } = facts;
  const done = config.operation === "build" ? state.built : state.lastGood;
  const isBehind = tip && tip.revision !== done?.revision;
  const isNext = isBehind && plan?.revision === tip.revision;
  const text = isNext
    ? html`<p>${said(withoutName(plan.headline, config.host))}</p>
<p class="soft">planned ${said(timeAndAge(plan.at, now))}</p>
<details open><summary>What would change</summary>${
      rowsHtml(plan.rows)
    }</details>`
    : isBehind
    ? html`
      <p>There is no plan for ${said(short(tip.revision))} yet.</p>
      <p class="soft">Run sudo gitops-sync plan, and the result appears here.</p>
    `
    : html`<p class="soft">There is no newer commit.</p>`;
  return html`
    <section id="plan" class="card" aria-labelledby="plan-name" ${tip ===
        undefined && html`
      hidden
    `}>
    <h2 id="plan-name">Next</h2>
    ${text}
    </section>
  `;
}

/** Removes the host's name, which the head of the page already shows. */
function withoutName(text: string, host: string): string {
  return text.startsWith(`${host}: `) ? text.slice(host.length + 2) : text;
}

/** Makes the part about blocked commits. */
export function holdsPart({ facts }: PageFacts): Html {
  const { state: { holds } } = facts;
  return html`<section id="holds" class="card" aria-labelledby="holds-name">
<h2 id="holds-name">Blocked commits</h2>
${
    holds.length === 0
      ? html`<p class="soft">No commit is blocked.</p>`
      : html`<ul>${holds.map((hold) => holdItem(hold, facts))}</ul>`
  }
</section>`;
}

function holdItem(hold: Hold, { now }: Facts): Html {
  const { revision, stage, message, hints, since } = hold;
  return html`
    <li
      class="item"><p><code>${short(revision)}</code> blocked since ${said(
        timeAndAge(since, now),
      )}, at the ${stage} stage</p>
    <p class="bad">${said(message)}</p>
    ${[...hints, ...holdHints(hold)].map((hint) =>
      html`<p class="soft">${said(hint)}</p>`
    )}</li>
  `;
}

/** Makes the part about windows. */
export function windowsPart({ facts }: PageFacts): Html {
  const { config, suspension, now } = facts;
  const all: readonly (readonly [string, readonly string[]])[] = [
    ["deployments", config["windows.deploy"]],
    ["reboots", config["windows.reboot"]],
  ];
  const some = all.filter(([, windows]) => windows.length > 0);
  return html`<section id="windows" class="card" aria-labelledby="windows-name">
<h2 id="windows-name">Windows</h2>
${
    suspension &&
    html`
      <p
        class="warning">Suspended since ${timeAndAge(
          suspension.since,
          now,
        )}${suspension.until !== null &&
          ` until ${timeOf(suspension.until)}`}: windows have no effect.</p>
    `
  }
${
    some.length === 0
      ? html`<p class="soft">A deployment may start at any time.</p>`
      : html`<ul>${
        some.map(([what, windows]) => windowItem(what, windows, now))
      }</ul>`
  }
</section>`;
}

function windowItem(
  what: string,
  windows: readonly string[],
  now: Date,
): Html {
  const opening = openingOf(windows, now);
  const says = opening === undefined
    ? html`<span class="good">open now</span>`
    : html`closed; ${said(opensText(opening))}`;
  return html`
    <li class="item">
      <p>${what}: ${says}</p>
      ${windows.map((window) =>
        html`<p class="soft"><code>${window}</code></p>`
      )}
    </li>
  `;
}
