/**
 * Small pieces of HTML for the parts of the page.
 *
 * @module
 */
import { shown } from "../../base/redact.ts";
import { utc } from "../../base/time.ts";
import { inks, type Row } from "../../report/row.ts";
import { timeOf } from "../../report/times.ts";
import { type Html, html, type Value } from "../html.ts";

/** A part of the page that is sent again when it changes. */
export interface Part {
  /** The id of its element. */
  id: string;
  html: Html;
}

/** The meaning of a colour, which is the name of its class. */
export type Tone = Exclude<keyof typeof inks, "bold"> | "";

/** Returns the class of a colour. */
export function toneOf(colour: string | undefined): Tone {
  const found = Object.entries(inks).find(([, code]) => code === colour);
  return (found?.[0] ?? "") as Tone;
}

/** Revisions, store paths, and points in time. */
const special =
  /(\b[0-9a-f]{40}\b|\b[0-9a-f]{12}\b|\/nix\/store\/[\w.+-]+|\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b)/;

/**
 * Formats a sentence: revisions and store paths become code, and a point in
 * time stays on one line.
 */
export function said(text: string): Value {
  return shown(text).split(special).map((part, i) => {
    if (i % 2 === 0) return part;
    return part.includes(":") || part.includes(" ")
      ? html`<span class="once">${part}</span>`
      : html`<code>${part}</code>`;
  });
}

/** Formats a point in time for people. */
export function timeHtml(iso: string): Html {
  return html`<time datetime="${utc(iso) ?? ""}">${timeOf(iso)}</time>`;
}

/** Formats rows as a list of labels and texts. */
export function rowsHtml(rows: readonly Row[]): Html {
  return html`<dl class="rows">${
    rows.map(({ label, text, colour }) =>
      html`${label !== "" && html`<dt>${label}</dt>`}<dd class="${
        toneOf(colour)
      }">${said(text)}</dd>`
    )
  }</dl>`;
}
