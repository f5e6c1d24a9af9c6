/**
 * Sizes as people write them: `512M`, `2G`.
 *
 * @module
 */

const units = ["", "K", "M", "G", "T"];

/**
 * Reads a size such as `512M`, `1.5G` or `2GiB`; K, M, G and T are powers of
 * 1024. A number without a unit is refused, because its unit is a guess.
 *
 * @returns bytes, or `undefined` if the text is not a size.
 */
export function parseSize(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([KMGT])(?:i?B)?$/.exec(text) ??
    [];
  if (amount === undefined) return undefined;
  const bytes = Math.round(Number(amount) * 1024 ** units.indexOf(unit!));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Writes bytes the way {@linkcode parseSize} reads them. */
export function formatSize(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit++;
  }
  // The smallest unit is K.
  if (unit === 0) return `${(bytes / 1024).toFixed(1)}K`;
  return `${amount < 10 ? amount.toFixed(1) : Math.round(amount)}${
    units[unit]
  }`;
}

/** Writes bytes for a sentence: `12 KiB`, `1.5 MiB`, `41 MiB`, `2.0 GiB`. */
export function sizeText(bytes: number): string {
  const mebi = bytes / 2 ** 20;
  if (mebi >= 1024) return `${(mebi / 1024).toFixed(1)} GiB`;
  if (mebi >= 0.05) return `${oneDigit(mebi)} MiB`;
  return `${Math.round(bytes / 1024)} KiB`;
}

/**
 * Writes how much of something is done: `45 of 340 MiB`, `512 KiB of 2.0 GiB`.
 */
export function partText(done: number, all: number): string {
  const [part, whole] = [sizeText(done), sizeText(all)];
  const unit = whole.slice(-4);
  return `${part.endsWith(unit) ? part.slice(0, -4) : part} of ${whole}`;
}

function oneDigit(amount: number): string {
  return amount < 9.95 ? amount.toFixed(1) : String(Math.round(amount));
}
