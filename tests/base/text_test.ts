import { assert, assertEquals } from "@std/assert";
import {
  count,
  escaped,
  oneLine,
  safeLines,
  short,
} from "../../lib/base/text.ts";

Deno.test("foreign text becomes one line without control characters", () => {
  const table: [string, string][] = [
    ["plain text", "plain text"],
    ["  two\n lines\r\n and\ttabs ", "two lines and tabs"],
    ["\u001b[31mred\u001b[0m", "?[31mred?[0m"],
    ["\u009b31mred", "?31mred"],
    ["a\u0000b\u0007c\u007fd", "a?b?c?d"],
    ["line\u2028separator\u2029s", "line separator s"],
    ["übung 検証 🙂", "übung 検証 🙂"],
    ["", ""],
    ["\n\n", ""],
  ];
  for (const [given, safe] of table) assertEquals(oneLine(given), safe);
});

Deno.test("every character that turns the direction of text is replaced", () => {
  const turning = [
    0x061c,
    0x200e,
    0x200f,
    0x202a,
    0x202b,
    0x202c,
    0x202d,
    0x202e,
    0x2066,
    0x2067,
    0x2068,
    0x2069,
  ];
  for (const code of turning) {
    const text = `a${String.fromCharCode(code)}b`;
    assertEquals(oneLine(text), "a?b", code.toString(16));
    assertEquals(safeLines(text), ["a?b"], code.toString(16));
  }
});

Deno.test("no control character is left, whichever it is", () => {
  // deno-lint-ignore no-control-regex
  const control = /[\u0000-\u001f\u007f-\u009f]/;
  for (let code = 0; code < 0xa0; code++) {
    const text = `a${String.fromCharCode(code)}b`;
    assert(!control.test(oneLine(text)), code.toString(16));
    for (const line of safeLines(text)) {
      assert(!control.test(line), code.toString(16));
    }
  }
});

Deno.test("a long line is cut, and shows that it was", () => {
  assertEquals(oneLine("abcdef", 6), "abcdef");
  assertEquals(oneLine("abcdefg", 6), "abcde…");
  assertEquals(oneLine("x".repeat(1000)).length, 500);
  // Half of a character that takes two units would be no text at all.
  assert(oneLine("abcd🙂🙂", 6).isWellFormed());
});

Deno.test("foreign output becomes safe lines without colours and empty lines", () => {
  const table: [string, string[]][] = [
    ["", []],
    ["one", ["one"]],
    ["one\n\n  two  \r\nthree\n", ["one", "  two", "three"]],
    ["10%\r50%\r100%\n", ["10%", "50%", "100%"]],
    ["\u001b[1;31merror:\u001b[0m no", ["error: no"]],
    ["\u001b[?25lhidden\u001b[2K", ["hidden"]],
    ["\ttabbed", ["  tabbed"]],
    ["one\u2028line\u2029only", ["one?line?only"]],
    ["\u001b]0;title\u0007x", ["?]0;title?x"]],
    ["\u001b\u001b[31m[2Jx", ["?[2Jx"]],
  ];
  for (const [given, lines] of table) assertEquals(safeLines(given), lines);
});

Deno.test("in JSON what is not safe is escaped, and nothing is lost", () => {
  const odd = "a\u202eb\u009bc\u2028d\u007fe\u001b[31m\n\u0001";
  const text = escaped(JSON.stringify({ odd }, null, 2));
  assertEquals(
    text,
    '{\n  "odd": "a\\u202eb\\u009bc\\u2028d\\u007fe\\u001b[31m\\n\\u0001"\n}',
  );
  assertEquals(JSON.parse(text), { odd });
});

Deno.test("revisions and numbers are written as people say them", () => {
  assertEquals(
    short("0123456789abcdef0123456789abcdef01234567"),
    "0123456789ab",
  );
  assertEquals(count(0, "file"), "0 files");
  assertEquals(count(1, "file"), "1 file");
  assertEquals(count(2, "file"), "2 files");
  assertEquals(count(2, "entry", "entries"), "2 entries");
});
