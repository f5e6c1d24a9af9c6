import { assertEquals } from "@std/assert";
import { html } from "../../lib/serve/html.ts";

const text = (value: unknown) => `${value}`;

Deno.test("what is put into a template is text, wherever it stands", () => {
  const hostile = `</p><script>"'&\`<!--`;
  const safe = "&lt;/p&gt;&lt;script&gt;&quot;&#39;&amp;`&lt;!--";
  assertEquals(text(html`<p>${hostile}</p>`), `<p>${safe}</p>`);
  assertEquals(text(html`<p title="${hostile}">`), `<p title="${safe}">`);
  // What is escaped already is escaped again: nobody is believed to have done it.
  assertEquals(text(html`${"&lt;"}`), "&amp;lt;");
});

Deno.test("HTML stays HTML, lists are joined, and nothing leaves nothing", () => {
  const items = ["<", ">"].map((one) => html`<li>${one}</li>`);
  assertEquals(
    text(html`<ul>${items}</ul>`),
    "<ul><li>&lt;</li><li>&gt;</li></ul>",
  );
  assertEquals(text(html`${undefined}${false}${0}${[["<"], []]}`), "0&lt;");
});

Deno.test("an object that looks like HTML is text", () => {
  const fake = { toString: () => "<script>" } as unknown as string;
  assertEquals(text(html`${fake}`), "&lt;script&gt;");
});
