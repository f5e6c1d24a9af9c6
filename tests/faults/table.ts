/**
 * The results of a campaign as a table in Markdown.
 *
 * @module
 */
import { kinds, points } from "./kinds.ts";
import type { Result } from "./trial.ts";
import { type Bad, badness } from "./verdict.ts";

/** The table and what it sums up to. */
export function tableOf(results: readonly Result[]): string {
  const injected = results.filter(({ wasInjected }) => wasInjected);
  const inRuns = injected.filter(({ fault }) => fault.point !== "candidate");
  const ofRevisions = injected.filter(({ fault }) =>
    fault.point === "candidate"
  );
  const late = results.length - injected.length;
  return [
    `Injected: ${injected.length} faults (${late} more came too late, when the run was over).`,
    "",
    "| bad | hosts | meaning |",
    "| --- | ---: | --- |",
    ...Object.entries(badness).map(([name, meaning]) =>
      `| ${name} | ${countBad(results, name as Bad)} | ${meaning} |`
    ),
    "",
    `| fault (bad / injected) | ${points.join(" | ")} |`,
    `| --- | ${points.map(() => "---:").join(" | ")} |`,
    ...kinds.map(({ name }) =>
      `| ${name} | ${
        points.map((point) =>
          cell(inRuns.filter(({ fault }) =>
            fault.name === name && fault.point === point
          ))
        ).join(" | ")
      } |`
    ),
    "",
    "| bad revision | bad / tried |",
    "| --- | ---: |",
    ...[...new Set(ofRevisions.map(({ fault }) => fault.name))].map((name) =>
      `| ${name} | ${
        cell(ofRevisions.filter(({ fault }) => fault.name === name))
      } |`
    ),
  ].join("\n");
}

function countBad(results: readonly Result[], name: Bad): number {
  return results.filter(({ bad }) => bad.includes(name)).length;
}

function cell(results: readonly Result[]): string {
  if (results.length === 0) return "";
  const bad = results.filter((result) => result.bad.length > 0);
  return `${bad.length} / ${results.length}`;
}
