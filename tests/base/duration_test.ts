import { assertEquals } from "@std/assert";
import { formatDuration, parseDuration } from "../../lib/base/duration.ts";

const second = 1000, minute = 60_000, hour = 3_600_000, day = 86_400_000;

Deno.test("a span is read in every unit, alone and together", () => {
  const table: [string, number][] = [
    ["0s", 0],
    ["250ms", 250],
    ["90s", 90 * second],
    ["90sec", 90 * second],
    ["30m", 30 * minute],
    ["30min", 30 * minute],
    ["6h", 6 * hour],
    ["6hr", 6 * hour],
    ["2d", 2 * day],
    ["1w", 7 * day],
    ["1h30m", 90 * minute],
    ["1h 30min", 90 * minute],
    ["1 h", hour],
    ["0.5h", 30 * minute],
    ["1.001s", 1001],
    ["2.3s", 2300],
  ];
  for (const [text, ms] of table) assertEquals(parseDuration(text), ms, text);
});

Deno.test("what is no span is refused", () => {
  const table = [
    "",
    " ",
    "5",
    "s",
    "-5s",
    "5S",
    "5M",
    "5y",
    "5s,",
    "1h30",
    " 5s",
    "1..5s",
    ".5s",
    "1e3s",
    "5s\n; rm",
    "fifty",
    "99999999999999999w",
    "constructor",
    "1constructor",
    "1toString",
  ];
  for (const text of table) assertEquals(parseDuration(text), undefined, text);
});

Deno.test("a span is written in its two largest units", () => {
  const table: [number, string][] = [
    [-5, "0.0s"],
    [0, "0.0s"],
    [40, "0.0s"],
    [400, "0.4s"],
    [9_949, "9.9s"],
    [9_950, "10s"],
    [59_499, "59s"],
    [59_600, "1m"],
    [90_000, "1m30s"],
    [hour - 400, "1h"],
    [hour + 30 * second, "1h"],
    [90 * minute, "1h30m"],
    [2 * day, "2d"],
    [2 * day + 3 * hour + 5 * minute, "2d3h"],
  ];
  for (const [ms, text] of table) {
    assertEquals(formatDuration(ms), text, String(ms));
  }
});

Deno.test("what is written can be read again", () => {
  for (const ms of [0, 400, 12_000, 90_000, 5_400_000, 183_600_000]) {
    assertEquals(parseDuration(formatDuration(ms)), ms);
  }
});
