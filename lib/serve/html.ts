/**
 * HTML with automatic escaping of values.
 *
 * @module
 */

/** A piece of HTML. Only {@linkcode html} makes one. */
export class Html {
  readonly #text: string;

  /** @param text HTML with all values escaped. */
  private constructor(text: string) {
    this.#text = text;
  }

  /**
   * Makes HTML from a template.
   *
   * @param parts The literal parts, which are the program's own text.
   * @param values The values between them: text is escaped, HTML stays
   * unchanged, lists are joined, and `undefined` and `false` become empty.
   */
  static of(parts: readonly string[], values: readonly Value[]): Html {
    const rest = parts.slice(1).map((part, at) => textOf(values[at]) + part);
    return new Html(parts[0]! + rest.join(""));
  }

  /** The HTML as text. */
  toString(): string {
    return this.#text;
  }
}

/** A value in a template. */
export type Value =
  | Html
  | string
  | number
  | false
  | undefined
  | readonly Value[];

/**
 * A template of HTML: `` html`<p>${text}</p>` ``. A value in an attribute must
 * be in double quotes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(`${html`<p title="${'"'}">${"<b>"}</p>`}`, '<p title="&quot;">&lt;b&gt;</p>');
 * ```
 */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly Value[]
): Html {
  return Html.of(parts, values);
}

function textOf(value: Value): string {
  if (value === undefined || value === false) return "";
  if (value instanceof Html) return value.toString();
  if (Array.isArray(value)) return value.map(textOf).join("");
  return escape(String(value));
}

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Escapes text for an element or a quoted attribute (HTML, 13.1.2 and 13.1.4). */
function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}
