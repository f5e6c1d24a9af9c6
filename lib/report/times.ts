/**
 * Points in time as people read them.
 *
 * @module
 */
import { formatDuration } from "../base/duration.ts";

/** Returns `2026-03-01 14:05:09`, in the time zone of the host. */
export function timeOf(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "an unknown time";
  const two = (n: number) => String(n).padStart(2, "0");
  const day = [
    date.getFullYear(),
    two(date.getMonth() + 1),
    two(date.getDate()),
  ].join("-");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two)
    .join(":");
  return `${day} ${time}`;
}

/** A shorter time, in milliseconds, is shown as "just now". */
const recently = 5000;

/** Returns the same, with how long ago it was. */
export function timeAndAge(iso: string, now: Date): string {
  const ms = now.getTime() - Date.parse(iso);
  return ms >= 0
    ? `${timeOf(iso)} (${ageOf(new Date(iso), now)})`
    : timeOf(iso);
}

/** Returns `20s ago`, or the full time if it is in the future. */
export function ageOf(time: Date, now: Date): string {
  const ms = now.getTime() - time.getTime();
  if (!(ms >= 0)) return `at ${timeOf(time.toISOString())}`;
  return ms < recently ? "just now" : `${formatDuration(ms)} ago`;
}
