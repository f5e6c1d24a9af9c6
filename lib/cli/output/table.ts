/**
 * Aligns columns of text.
 *
 * @module
 */
import { fill, widthOf } from "./width.ts";

/**
 * Returns rows as lines with aligned columns; the last column is not padded.
 */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) =>
    Math.max(...rows.map((row) => widthOf(row[i]!)))
  );
  return rows.map((row) =>
    row.map((cell, i) => i === row.length - 1 ? cell : fill(cell, widths[i]!))
      .join("  ").trimEnd()
  ).join("\n");
}
