/**
 * Small pieces of HTML that several parts of the page are made of.
 *
 * @module
 */
import { shown } from "../../base/redact.ts";
import { utc } from "../../base/time.ts";
import { inks, type Row } from "../../report/row.ts";
import { timeOf } from "../../report/times.ts";
import { type Html, html, type Value } from "../html.ts";

/** A part of the page that is sent anew when it differs. */
export interface Part {
  /** The id of its element. */
  id: string;
  html: Html;
}

/** What a colour means, which is the name of its class. */
export type Tone = keyof typeof inks | "";

/** The class of a colour. */
export function toneOf(colour: string | undefined): Tone {
  const found = Object.entries(inks).find(([, code]) => code === colour);
  return (found?.[0] ?? "") as Tone;
}

/** A sentence, with revisions and store paths in it set as code. */
export function said(text: string): Value {
  const parts = shown(text)
    .split(/(\b[0-9a-f]{12}\b|\/nix\/store\/[\w.+-]+)/);
  return parts.map((part, i) =>
    i % 2 === 1 ? html`<code>${part}</code>` : part
  );
}

/** A point in time as people read it. */
export function timeHtml(iso: string): Html {
  return html`<time datetime="${utc(iso) ?? ""}">${timeOf(iso)}</time>`;
}

/** Rows as a list of labels and texts. */
export function rowsHtml(rows: readonly Row[]): Html {
  return html`<dl class="rows">${
    rows.map(({ label, text, colour }) =>
      html`${label !== "" && html`<dt>${label}</dt>`}<dd class="${
        toneOf(colour)
      }">${said(text)}</dd>`
    )
  }</dl>`;
}
