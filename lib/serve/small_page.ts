/**
 * Small pages: sign-in, and refusals.
 *
 * @module
 */
import { Html, html } from "./html.ts";
import { safeHeaders, sourceOf } from "./safe_headers.ts";

const style = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 24rem; margin: 15vh auto 0; padding: 0 1rem }
h1 { font-size: 1.25rem }
label { display: block; margin-top: 1rem }
input, button { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem }
button { margin-top: 1.5rem }`;

const styleSource = sourceOf(style);

const styleElement = Html.of([`<style>${style}</style>`], []);

/** Makes an answer with such a page. */
export async function smallPage(
  status: number,
  title: string,
  body: Html,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const page = html`
    <!doctype html>
    <html lang="en">
      <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>${title} · gitops-sync</title>
    ${styleElement}
      </head>
      <body>
        <main>
    <h1>${title}</h1>
    ${body}
        </main>
      </body>
    </html>
  `;
  return new Response(`${page}`, {
    status,
    headers: {
      ...safeHeaders,
      "content-type": "text/html; charset=utf-8",
      "content-security-policy":
        `default-src 'none'; style-src ${await styleSource}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
      ...headers,
    },
  });
}

/** Makes a page with the reason of a refusal, and a link back. */
export async function refusalPage(
  status: number,
  why: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return await smallPage(
    status,
    "The request was refused",
    html`<p>Nothing was done: ${why}.</p>
<p><a href="/">Back</a></p>`,
    headers,
  );
}
