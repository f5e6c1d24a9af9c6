/**
 * Time windows as people write them: `Mon-Fri 22:00-04:00 Europe/Berlin`,
 * `Sat,Sun`, `deny Fri 12:00-24:00`.
 *
 * The days are those on which a window begins: `Fri 22:00-04:00` ends on
 * Saturday morning. Without days, the window is on every day. Without times, it
 * is the whole day. Without a time zone, it is in that of the host.
 *
 * @module
 */

/** A time window. */
export interface Window {
  /** Whether it forbids changes, instead of allowing them. */
  deny: boolean;
  /** The days on which it begins; 0 is Monday. */
  days: readonly number[];
  /** Its first minute, from midnight. */
  from: number;
  /**
   * The minute after its last. If this is not after `from`, it ends on the next
   * day.
   */
  to: number;
  /** An IANA time zone; `undefined` for that of the host. */
  zone: string | undefined;
}

const dayNames = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const week = 7, wholeDay = 24 * 60;
const minute = 60_000;
/** The offset of every time zone from UTC is a multiple of this. */
const quarter = 15 * minute;

/** The form of a window, to complete "expected …". */
export const windowForm =
  "windows such as Mon-Fri 22:00-04:00 Europe/Berlin, Sat,Sun or deny Fri 12:00-24:00";

/**
 * Reads one window.
 *
 * @returns the window, or the word that is wrong.
 */
export function parseWindow(text: string): Window | { wrong: string } {
  const words = text.trim().split(/\s+/);
  const deny = words[0] === "deny";
  if (deny) words.shift();
  const take = <T>(read: (word: string) => T | undefined): T | undefined => {
    const value = words[0] === undefined ? undefined : read(words[0]);
    if (value !== undefined) words.shift();
    return value;
  };
  const days = take(daysOf);
  const times = take(timesOf);
  const zone = take(zoneOf);
  if (words.length > 0) return { wrong: words[0]! };
  // A time zone alone is not a window.
  if (!days && !times) return { wrong: text.trim() };
  return {
    deny,
    days: days ?? dayNames.map((_, day) => day),
    from: times?.from ?? 0,
    to: times?.to ?? wholeDay,
    zone,
  };
}

/** `Mon`, `Mon-Fri`, `Sat,Sun`, `Fri-Mon,Wed`. */
function daysOf(word: string): number[] | undefined {
  const days: number[] = [];
  for (const part of word.split(",")) {
    const [first, last = first, more] = part.split("-")
      .map((name) => dayNames.findIndex((day) => sameWord(day, name)));
    if (more !== undefined || first === -1 || last === -1) return undefined;
    for (let day = first!;; day = (day + 1) % week) {
      days.push(day);
      if (day === last) break;
    }
  }
  return days;
}

function sameWord(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** `22:00-04:00`; `24:00` is the end of a day. */
function timesOf(word: string): { from: number; to: number } | undefined {
  const [from, to, more] = word.split("-").map((time) => {
    const [, hours, minutes] = /^(\d\d):(\d\d)$/.exec(time) ?? [];
    const total = Number(hours) * 60 + Number(minutes);
    return Number(minutes) < 60 && total <= wholeDay ? total : NaN;
  });
  const isWindow = more === undefined && from! < wholeDay && to! >= 0 &&
    from !== to;
  return isWindow ? { from: from!, to: to! } : undefined;
}

function zoneOf(word: string): string | undefined {
  try {
    new Intl.DateTimeFormat("en", { timeZone: word });
    return word;
  } catch {
    return undefined;
  }
}

/**
 * Returns whether the windows allow changes at a time: it is outside every
 * window that denies, and inside a window that allows, if there are any.
 *
 * @throws {RangeError} for a text that {@linkcode parseWindow} refuses.
 */
export function isOpen(texts: readonly string[], at: Date): boolean {
  return isOpenAt(readAll(texts), at.getTime());
}

/**
 * Returns when the windows open next, from a time at which they are closed.
 *
 * @returns `undefined` if they do not open within two weeks.
 */
export function nextOpening(
  texts: readonly string[],
  after: Date,
): Date | undefined {
  const windows = readAll(texts);
  // They can only open when a window begins or ends, or when a clock changes.
  const minutes = [0, ...windows.flatMap(({ from, to }) => [from, to])]
    .map((at) => (at * minute) % quarter);
  const steps = [...new Set(minutes)].sort((a, b) => a - b);
  const start = Math.floor(after.getTime() / quarter) * quarter;
  const end = start + 2 * week * wholeDay * minute;
  for (let at = start; at < end; at += quarter) {
    const found = steps.find((step) =>
      at + step > after.getTime() && isOpenAt(windows, at + step)
    );
    if (found !== undefined) return new Date(at + found);
  }
  return undefined;
}

function readAll(texts: readonly string[]): Window[] {
  return texts.map((text) => {
    const window = parseWindow(text);
    if ("wrong" in window) throw new RangeError(`no window: ${text}`);
    return window;
  });
}

function isOpenAt(windows: readonly Window[], at: number): boolean {
  // Otherwise it is not certain that no window denies.
  if (!windows.every(({ zone }) => wallClock(zone, at))) return false;
  const allowing = windows.filter(({ deny }) => !deny);
  return (allowing.length === 0 || allowing.some((one) => holds(one, at))) &&
    !windows.some((one) => one.deny && holds(one, at));
}

/**
 * Returns whether a time is inside a window, by the clocks of its time zone.
 */
function holds({ days, from, to, zone }: Window, at: number): boolean {
  const clock = wallClock(zone, at);
  if (!clock) return false;
  const { day, minute } = clock;
  if (from < to) return days.includes(day) && from <= minute && minute < to;
  const yesterday = (day + week - 1) % week;
  return (days.includes(day) && minute >= from) ||
    (days.includes(yesterday) && minute < to);
}

const clocks = new Map<string | undefined, Intl.DateTimeFormat>();

/**
 * Returns the day and the minute that clocks in a time zone show; `undefined`
 * if the engine returns an unknown day or time.
 */
function wallClock(
  zone: string | undefined,
  at: number,
): { day: number; minute: number } | undefined {
  let clock = clocks.get(zone);
  if (!clock) {
    clock = new Intl.DateTimeFormat("en-GB", {
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
      ...(zone === undefined ? {} : { timeZone: zone }),
    });
    clocks.set(zone, clock);
  }
  const parts = new Map(
    clock.formatToParts(at).map(({ type, value }) => [type, value]),
  );
  const day = dayNames.indexOf(parts.get("weekday") ?? "");
  const minute = Number(parts.get("hour")) * 60 + Number(parts.get("minute"));
  return day === -1 || Number.isNaN(minute) ? undefined : { day, minute };
}
