import { assert, assertEquals } from "@std/assert";
import { code, planMarkdown } from "../../lib/cli/command/plan_markdown.ts";
import type { Plan } from "../../lib/plan/plan.ts";

/**
 * Reads one code span as CommonMark does (0.31, 6.1): the first run of
 * backticks opens it, the next of the same length closes it.
 */
function readSpan(text: string): { content: string; rest: string } {
  const fence = /^`+/.exec(text)?.[0] ?? "";
  const closing = new RegExp(`(?<!\`)\`{${fence.length}}(?!\`)`, "g");
  closing.lastIndex = fence.length;
  const end = closing.exec(text);
  assert(fence !== "" && end, text);
  const inner = text.slice(fence.length, end.index);
  const isPadded = /^ .* $/.test(inner) && inner.trim() !== "";
  return {
    content: isPadded ? inner.slice(1, -1) : inner,
    rest: text.slice(end.index + fence.length),
  };
}

const hostile = [
  "plain",
  "`",
  "``",
  "a`b``c```d",
  "`begins and ends`",
  "@everyone #12 http://evil.example/ www.evil.example",
  "<script>alert(1)</script><!-- ",
  "](javascript:x) ![x](http://evil.example/x.png)",
  "</details>\n\n# A heading\r\n- item",
  "| a | b |\\",
  "\u202egnp.exe",
  " blank ",
  "[x]: http://evil.example",
  "~~~",
];

Deno.test("foreign text in Markdown is one code span and nothing else", () => {
  for (const text of hostile) {
    const span = code(text);
    assert(!/[\n\r\u202e]/.test(span), text);
    const { content, rest } = readSpan(span);
    assertEquals(rest, "", text);
    const safe = text.replace(/\s+/g, " ").replace("\u202e", "?").trim();
    assertEquals(content, safe);
  }
  assertEquals(code("\n"), "(empty)");
});

function planWith(text: string, number: number): Plan {
  const many = Array.from({ length: number }, () => text);
  return {
    host: "demo",
    about: text,
    would: "deploy",
    isBuilt: true,
    before: "/nix/store/a",
    after: "/nix/store/b",
    commits: {
      list: many.map((subject) => ({
        revision: "a".repeat(40),
        subject,
        author: text,
        committedAt: "2026-01-01T00:00:00Z",
        signature: { state: "bad", says: text },
      })),
      count: number,
      takenBack: 0,
    },
    units: {
      start: many,
      again: [],
      restart: [],
      onDemand: [],
      stop: many,
      reload: [],
      keep: [],
      swapOff: [],
      reexec: false,
      other: many,
    },
    secrets: { added: many, removed: [], changed: [], rekeyed: [] },
    stops: [{ what: "held", text, hints: [] }],
    notes: many,
  };
}

Deno.test("a comment is bounded, and every line of it is our own markup", () => {
  for (const text of hostile) {
    const small = planMarkdown(planWith(text, 2));
    // Without its code spans nothing is left that anybody else wrote.
    let left = "", rest = small;
    for (let at = rest.indexOf("`"); at !== -1; at = rest.indexOf("`")) {
      left += rest.slice(0, at);
      rest = readSpan(rest.slice(at)).rest;
    }
    left += rest;
    assert(!/evil|script|everyone|heading/.test(left), left);
    const large = planMarkdown(planWith(text.repeat(40), 5000));
    assert(large.length <= 30_000, `${large.length}`);
  }
});
