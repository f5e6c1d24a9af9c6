/**
 * Prometheus' text format (version 0.0.4), as far as this program writes it.
 *
 * @module
 */

/** One value, with its labels. */
export interface Sample {
  labels?: Readonly<Record<string, string>>;
  value: number;
}

/** A metric with all its values. One without a value is left out. */
export interface Family {
  /** Without `gitops_sync_`, and with the unit at its end. */
  name: string;
  kind: "gauge" | "counter";
  help: string;
  samples: readonly Sample[];
}

/** What each name begins with. */
const prefix = "gitops_sync_";

/**
 * Returns the families as text.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { exposition } from "./exposition.ts";
 *
 * const held = {
 *   name: "held",
 *   kind: "gauge",
 *   help: "Whether it is held.",
 *   samples: [{ value: 1, labels: { why: 'a "b"' } }],
 * } as const;
 * assertEquals(
 *   exposition([held]),
 *   "# HELP gitops_sync_held Whether it is held.\n" +
 *     "# TYPE gitops_sync_held gauge\n" +
 *     'gitops_sync_held{why="a \\"b\\""} 1\n',
 * );
 * ```
 */
export function exposition(families: readonly Family[]): string {
  return families.filter(({ samples }) => samples.length > 0)
    .map(familyText).join("");
}

function familyText({ name, kind, help, samples }: Family): string {
  const full = `${prefix}${name}`;
  const escaped = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return `# HELP ${full} ${escaped}\n# TYPE ${full} ${kind}\n` +
    samples.map((sample) => `${full}${sampleText(sample)}\n`).join("");
}

function sampleText({ labels = {}, value }: Sample): string {
  const pairs = Object.entries(labels).map(([name, text]) =>
    `${name}="${labelText(text)}"`
  );
  return `${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}`;
}

function labelText(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')
    .replaceAll("\n", "\\n");
}
