import { assertEquals, assertThrows } from "@std/assert";
import { isOpen, nextOpening, parseWindow } from "../../lib/base/window.ts";

Deno.test("a window is read whole, or the wrong word is named", () => {
  const every = [0, 1, 2, 3, 4, 5, 6];
  const window = {
    deny: false,
    days: every,
    from: 0,
    to: 1440,
    zone: undefined,
  };
  const table: [string, ReturnType<typeof parseWindow>][] = [
    ["Sat,Sun", { ...window, days: [5, 6] }],
    ["deny mon", { ...window, deny: true, days: [0] }],
    ["Fri-Mon", { ...window, days: [4, 5, 6, 0] }],
    ["Mon-Tue,Fri", { ...window, days: [0, 1, 4] }],
    ["22:00-04:00", { ...window, from: 1320, to: 240 }],
    ["12:00-24:00", { ...window, from: 720, to: 1440 }],
    [" Sun  00:00-01:30  UTC ", {
      ...window,
      days: [6],
      to: 90,
      zone: "UTC",
    }],
    ["Mon Europe/Berlin", { ...window, days: [0], zone: "Europe/Berlin" }],
    ["", { wrong: "" }],
    ["deny", { wrong: "deny" }],
    ["Europe/Berlin", { wrong: "Europe/Berlin" }],
    ["Mno 22:00-04:00", { wrong: "Mno" }],
    ["Mon-", { wrong: "Mon-" }],
    ["Mon-Tue-Wed", { wrong: "Mon-Tue-Wed" }],
    ["Mon,,Tue", { wrong: "Mon,,Tue" }],
    ["9:00-17:00", { wrong: "9:00-17:00" }],
    ["22:00", { wrong: "22:00" }],
    ["22:00-25:00", { wrong: "22:00-25:00" }],
    ["22:60-23:00", { wrong: "22:60-23:00" }],
    ["24:00-01:00", { wrong: "24:00-01:00" }],
    ["22:00-22:00", { wrong: "22:00-22:00" }],
    ["Mon 22:00-23:00 Mars/Base", { wrong: "Mars/Base" }],
    ["22:00-23:00 Mon", { wrong: "Mon" }],
    ["allow Mon", { wrong: "allow" }],
  ];
  for (const [text, expected] of table) {
    assertEquals(parseWindow(text), expected, text);
  }
});

Deno.test("windows are open on their days, at their times, and deny wins", () => {
  const nights = "Mon-Fri 22:00-04:00 UTC";
  // 2024-01-01 was a Monday.
  const table: [string[], string, boolean][] = [
    [[], "2024-01-01T12:00", true],
    [[nights], "2024-01-01T21:59", false],
    [[nights], "2024-01-01T22:00", true],
    [[nights], "2024-01-02T03:59", true],
    [[nights], "2024-01-02T04:00", false],
    // Friday's night ends on Saturday, and Sunday has none.
    [[nights], "2024-01-06T03:00", true],
    [[nights], "2024-01-06T22:30", false],
    [[nights], "2024-01-01T03:00", false],
    [["Sat,Sun UTC"], "2024-01-06T00:00", true],
    [["Sat,Sun UTC"], "2024-01-07T23:59", true],
    [["Sat,Sun UTC"], "2024-01-08T00:00", false],
    [["12:00-24:00 UTC"], "2024-01-01T23:59", true],
    [["12:00-24:00 UTC"], "2024-01-02T00:00", false],
    [["deny Fri UTC"], "2024-01-04T23:59", true],
    [["deny Fri UTC"], "2024-01-05T00:00", false],
    [[nights, "deny Fri UTC"], "2024-01-05T22:30", false],
    [["deny Fri UTC", nights], "2024-01-06T00:30", true],
    [[nights, "Sat 10:00-11:00 UTC"], "2024-01-06T10:30", true],
    // The day is that of the window's time zone.
    [["Mon Asia/Tokyo"], "2023-12-31T15:00", true],
    [["Mon Asia/Tokyo"], "2024-01-01T15:00", false],
    [["00:00-00:30 Asia/Kathmandu"], "2024-01-01T18:15", true],
    [["00:00-00:30 Asia/Kathmandu"], "2024-01-01T18:45", false],
    // Berlin leaves out 02:00 to 03:00 on 31 March 2024 …
    [["02:30-03:30 Europe/Berlin"], "2024-03-31T00:59", false],
    [["02:30-03:30 Europe/Berlin"], "2024-03-31T01:00", true],
    [["02:30-03:30 Europe/Berlin"], "2024-03-31T01:30", false],
    [["02:00-03:00 Europe/Berlin"], "2024-03-31T01:00", false],
    // … and has it twice on 27 October.
    [["02:30-03:00 Europe/Berlin"], "2024-10-27T00:30", true],
    [["02:30-03:00 Europe/Berlin"], "2024-10-27T01:00", false],
    [["02:30-03:00 Europe/Berlin"], "2024-10-27T01:30", true],
    [["02:30-03:00 Europe/Berlin"], "2024-10-27T02:00", false],
  ];
  for (const [windows, at, expected] of table) {
    const what = `${windows} at ${at}`;
    assertEquals(isOpen(windows, new Date(`${at}Z`)), expected, what);
  }
});

Deno.test("the next opening is the first minute in which they are open", () => {
  const table: [string[], string, string | undefined][] = [
    [["22:00-04:00 UTC"], "2024-01-01T12:00", "2024-01-01T22:00"],
    [["22:10-22:20 UTC"], "2024-01-01T22:05", "2024-01-01T22:10"],
    [["22:10-22:20 UTC"], "2024-01-01T22:20", "2024-01-02T22:10"],
    [["deny 09:00-17:07 UTC"], "2024-01-01T12:00", "2024-01-01T17:07"],
    [["Mon 08:00-09:00 UTC"], "2024-01-01T09:00", "2024-01-08T08:00"],
    [
      ["Mon 08:00-09:00 UTC", "deny 08:00-08:30 UTC"],
      "2024-01-01T07:00",
      "2024-01-01T08:30",
    ],
    [["Sat UTC", "deny Sat UTC"], "2024-01-01T12:00", undefined],
    [["deny Mon-Sun"], "2024-01-01T12:00", undefined],
    [["04:00-05:00 Asia/Kathmandu"], "2024-01-01T12:00", "2024-01-01T22:15"],
    // What begins in the hour that is left out begins after it.
    [["02:30-04:00 Europe/Berlin"], "2024-03-30T12:00", "2024-03-31T01:00"],
    [["Sun 02:00-03:00 Europe/Berlin"], "2024-03-30T12:00", "2024-04-07T00:00"],
    [["02:30-03:00 Europe/Berlin"], "2024-10-27T01:10", "2024-10-27T01:30"],
  ];
  for (const [windows, after, expected] of table) {
    assertEquals(
      nextOpening(windows, new Date(`${after}Z`))?.toISOString(),
      expected && `${expected}:00.000Z`,
      `${windows} after ${after}`,
    );
  }
});

Deno.test("without a time zone the clocks are those of the host", () => {
  const at = new Date("2024-01-01T12:00:00Z");
  const here = `${String(at.getHours()).padStart(2, "0")}:00`;
  const next = `${String(at.getHours() + 1).padStart(2, "0")}:00`;
  assertEquals(isOpen([`${here}-${next}`], at), true);
  assertEquals(isOpen([`deny ${here}-${next}`], at), false);
});

Deno.test("a text that is no window is an error, and not open", () => {
  assertThrows(() => isOpen(["Mno"], new Date()), RangeError, "Mno");
});

/** Runs something where the engine knows less than it should. */
function withClock(parts: Intl.DateTimeFormatPart[], fn: () => void): void {
  const { formatToParts } = Intl.DateTimeFormat.prototype;
  Intl.DateTimeFormat.prototype.formatToParts = () => parts;
  try {
    fn();
  } finally {
    Intl.DateTimeFormat.prototype.formatToParts = formatToParts;
  }
}

Deno.test("a clock that can't be read opens no window", () => {
  const hour = { type: "hour", value: "12" } as const;
  const minute = { type: "minute", value: "30" } as const;
  const weekday = { type: "weekday", value: "Fri" } as const;
  const at = new Date("2024-01-05T12:30Z");
  const clocks: Intl.DateTimeFormatPart[][] = [
    [{ type: "weekday", value: "vendredi" }, hour, minute],
    [hour, minute],
    [weekday, minute],
    [weekday, hour, { type: "minute", value: "half" }],
  ];
  const windows = [["deny Fri UTC"], ["deny 12:00-13:00 UTC"], ["Fri UTC"], [
    "Mon-Sun UTC",
    "deny Sat Asia/Tokyo",
  ]];
  for (const clock of clocks) {
    withClock(clock, () => {
      for (const texts of windows) {
        const what = `${texts} with ${JSON.stringify(clock)}`;
        assertEquals(isOpen(texts, at), false, what);
        assertEquals(nextOpening(texts, at), undefined, what);
      }
      assertEquals(isOpen([], at), true, "no window needs no clock");
    });
  }
  withClock([weekday, hour, minute], () => {
    assertEquals(isOpen(["Fri UTC"], at), true);
  });
});
