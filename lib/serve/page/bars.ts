/**
 * Draws the time of stages as bars, with SVG attributes. Inline styles would
 * need a Content-Security-Policy that allows any style.
 *
 * @module
 */
import { formatDuration } from "../../base/duration.ts";
import type { Stage } from "../../base/errors.ts";
import type { StageTime } from "../../state/state.ts";
import { type Html, html } from "../html.ts";

/** Groups of stages with the same colour. */
const groups: readonly (readonly [name: string, stages: readonly string[]])[] =
  [
    ["fetch and verify", ["preflight", "fetch", "verify", "secrets"]],
    ["build and prove", ["build", "prove"]],
    ["activate", ["activate"]],
    ["health and confirm", ["health", "confirm", "recover"]],
  ];

/** Returns the class of a stage's colour. */
function classOf(stage: string): string {
  const at = groups.findIndex(([, stages]) => stages.includes(stage));
  return `s${at === -1 ? 1 : at + 1}`;
}

/** Explains the colours. */
export function legend(): Html {
  return html`
    <ul
      class="legend">${groups.map(([name], i) =>
        html`<li><svg aria-hidden="true"><rect class="s${
          i + 1
        }" width="100%" height="100%"/></svg>${name}</li>`
      )}<li><svg aria-hidden="true"><rect class="sx" width="100%" height="100%"/></svg>failed</li></ul>
  `;
}

/** `fetch 1.2s, build 2m10s`. */
export function stagesText(stages: readonly StageTime[]): string {
  return stages.map(({ stage, ms }) => `${stage} ${formatDuration(ms)}`)
    .join(", ");
}

/**
 * Draws the stages of an attempt in one bar.
 *
 * @param longest The time of the whole width, in milliseconds.
 * @param failed The failed stage.
 */
export function bar(
  stages: readonly StageTime[],
  longest: number,
  failed?: Stage,
): Html | undefined {
  if (stages.length === 0 || longest <= 0) return undefined;
  let at = 0;
  const rects = stages.map(({ stage, ms }) => {
    // Keep short stages visible.
    const width = Math.max(0.6, ms / longest * 100);
    const x = at;
    at += width;
    const group = stage === failed ? "sx" : classOf(stage);
    return html`
      <rect class="${group}" x="${percent(x)}" width="${percent(
        width,
      )}" height="100%" />
    `;
  });
  return html`<svg class="bar" role="img" aria-label="${
    stagesText(stages)
  }">${rects}</svg>`;
}

/** Draws one stage at its position in time. */
export function stageBar(
  { stage, ms }: StageTime,
  before: number,
  whole: number,
  failed?: Stage,
): Html {
  const width = Math.max(0.6, ms / Math.max(1, whole) * 100);
  const x = Math.min(before / Math.max(1, whole) * 100, 100 - width);
  return html`
    <svg class="bar" aria-hidden="true">
      <rect class="${stage === failed ? "sx" : classOf(stage)}" x="${percent(
        Math.max(0, x),
      )}" width="${percent(Math.min(100, width))}" height="100%" />
    </svg>
  `;
}

const percent = (share: number) => `${share.toFixed(2)}%`;
