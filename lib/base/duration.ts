/**
 * Durations as people write them: `90s`, `30m`, `1h30m`, `2d`.
 *
 * @module
 */

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  sec: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * Reads a duration such as `30m` or `1h 30min` in the units of systemd.time(7)
 * up to weeks. A number without a unit is refused, because its unit is a guess.
 *
 * @returns milliseconds, or `undefined` if the text is not a duration.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseDuration } from "./duration.ts";
 *
 * assertEquals(parseDuration("1h30m"), 5_400_000);
 * assertEquals(parseDuration("90"), undefined);
 * ```
 */
export function parseDuration(text: string): number | undefined {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)\s*/gy)];
  const length = parts.reduce((sum, part) => sum + part[0].length, 0);
  if (parts.length === 0 || length !== text.length) return undefined;
  let total = 0;
  for (const [, amount, unit] of parts) {
    const factor = unitMs[unit!];
    if (factor === undefined) return undefined;
    total += Number(amount) * factor;
  }
  // As a double, 1.001 s is a little less than 1001 ms.
  total = Math.round(total);
  return Number.isSafeInteger(total) ? total : undefined;
}

/**
 * Writes milliseconds the way {@linkcode parseDuration} reads them, in the two
 * largest units: `1h30m`, `2d`, `12s`, `0.4s`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { formatDuration } from "./duration.ts";
 *
 * assertEquals(formatDuration(5_400_000), "1h30m");
 * assertEquals(formatDuration(420), "0.4s");
 * ```
 */
export function formatDuration(ms: number): string {
  if (ms < 9_950) return `${(Math.max(0, ms) / 1000).toFixed(1)}s`;
  let seconds = Math.round(ms / 1000);
  const parts: string[] = [];
  for (
    const [unit, size] of [["d", 86_400], ["h", 3600], ["m", 60], ["s", 1]] as [
      string,
      number,
    ][]
  ) {
    const count = Math.floor(seconds / size);
    seconds -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join("");
}
