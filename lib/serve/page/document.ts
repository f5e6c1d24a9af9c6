/**
 * The frame of every page: head, header, style and script.
 *
 * @module
 */
import project from "../../../deno.json" with { type: "json" };
import { Html, html } from "../html.ts";
import { safeHeaders, sourceOf } from "../safe_headers.ts";
import { script } from "./script.ts";
import { style } from "./style.ts";
import type { Tone } from "./words.ts";

/** The parts of a page. */
export interface PageContent {
  /** The name of the host. */
  host: string;
  /** The title in the browser. */
  title: string;
  tone: Tone;
  /** The buttons. */
  actions?: Html | undefined;
  /** The time of the data, in words. */
  asOf?: string;
  main: Html;
  /** The address of its events. Without it, the page does not update. */
  events?: string;
  /** The seconds after which a browser without JavaScript reloads. */
  refresh?: number;
}

/** Inserts our own text unescaped. */
const own = (text: string) => Html.of([text], []);

/** Makes the whole page. */
export function documentHtml(sheet: PageContent): Html {
  const { host, title, tone, actions, asOf, main } = sheet;
  const { events, refresh } = sheet;
  return html`
    <!doctype html>
    <html lang="en">
      <head><meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="robots" content="noindex">
    <title>${title}</title>
    <link rel="icon" href="${iconOf(tone)}">
    <style>${own(style)}</style>
    ${refresh !== undefined &&
      html`<noscript><meta http-equiv="refresh" content="${refresh}"></noscript>`}</head>
      <body${events !== undefined && html`
        data-events="${events}"
      `}><div class="wrap">
    <header><h1><a href="/">${host}</a></h1>
    ${asOf !== undefined && html`<p class="soft" id="link">${asOf}</p>`}
    <div class="actions" id="actions">${actions}</div>
    </header>
    <main>
    ${main}
    </main>
    <footer>gitops-sync ${project.version}; times are in ${Intl
      .DateTimeFormat().resolvedOptions().timeZone}</footer>
    </div>
    ${events !== undefined && html`<script>${own(script)}</script>`}
    </body></html>
  `;
}

/** The colours of the dot in the browser's tab, legible on light and dark. */
const dots: Readonly<Record<Tone, string>> = {
  good: "2a9d5c",
  warning: "d08a1d",
  bad: "d4463b",
  busy: "2a8fb8",
  dim: "85888e",
  "": "85888e",
};

/** Returns an icon: a dot in the colour of the state. */
export function iconOf(tone: Tone): string {
  return `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='6' fill='%23${
    dots[tone]
  }'/%3E%3C/svg%3E`;
}

let policy: Promise<string> | undefined;

/**
 * Makes a policy that allows only our own style and script, by their digests.
 */
async function makePolicy(): Promise<string> {
  return [
    "default-src 'none'",
    `style-src ${await sourceOf(style)}`,
    `script-src ${await sourceOf(script)}`,
    "img-src data:",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** Answers with a page. */
export async function pageResponse(
  sheet: PageContent,
  status = 200,
): Promise<Response> {
  policy ??= makePolicy();
  return new Response(`${documentHtml(sheet)}`, {
    status,
    headers: {
      ...safeHeaders,
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": await policy,
    },
  });
}
